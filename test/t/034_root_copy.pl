# A backend keeps copies of roots: within work_mem, good until the index is built anew, and gone with
# the index.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('roots');
$node->safe_psql('postgres', q{
    CREATE TABLE t (id int PRIMARY KEY, d descriptor);
    INSERT INTO t SELECT i, made_up(i, 16) FROM generate_series(1, 6000) AS i;
    CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 500);
    CREATE TABLE queries AS SELECT d FROM t WHERE id % 600 = 0;
    VACUUM ANALYZE t;
});
my $search = q{SELECT id FROM t ORDER BY d <-> (SELECT d FROM t WHERE id = 7) LIMIT 5};

# The pages that each of two searches of one session touches.
sub pages_of_two
{
    my ($work_mem) = @_;
    my $explain = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) $search;";
    my $plans = $node->safe_psql('postgres', by_index("SET work_mem = '$work_mem'; $explain $explain"));
    my @pages;
    while ($plans =~ /Index Scan using t_d.*?Buffers: shared ([^\n]+)/gs) {
        my $sum = 0;
        $sum += $_ for $1 =~ /=(\d+)/g;
        push @pages, $sum;
    }
    return @pages;
}
# 500 centroids of 128 padded dimensions: 37 pages.
my ($first, $second) = pages_of_two('4MB');
cmp_ok($second, '<', $first - 30, "the second search does not read the root: $second pages after $first");
($first, $second) = pages_of_two('64kB');
cmp_ok($second, '>', $first - 10, 'a root that work_mem has no room for is read each time');

# One session searches, others change the index.
my $session = $node->background_psql('postgres', on_error_stop => 1);
$session->query_safe('SET enable_seqscan = off; SET enable_sort = off; SET lookalike.recall = 1;');
my $nearest = $session->query_safe($search);
like($nearest, qr/^7\n/, 'a row is the nearest to itself');
for my $change ('REINDEX INDEX t_d', 'REINDEX INDEX CONCURRENTLY t_d', "SELECT faiss_index_calibrate('t_d')",
    'DROP INDEX t_d; CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 400)', 'VACUUM FULL t')
{
    $node->safe_psql('postgres', $change);
    is($session->query_safe($search), $nearest, "the same after $change");
}
$node->safe_psql('postgres', 'INSERT INTO t SELECT 10000 + id, d FROM t WHERE id = 7');
like($session->query_safe($search), qr/^(?:7\n10007|10007\n7)\n/, 'a row that another session adds is found');
is( $session->query_safe(
        'BEGIN; TRUNCATE t; INSERT INTO t SELECT i, made_up(i, 16) FROM generate_series(1, 50) AS i;'
          . ' SELECT count(*) FROM (SELECT * FROM t ORDER BY d <-> (SELECT d FROM queries LIMIT 1)) AS x;'
          . ' ROLLBACK'),
    50,
    'a table emptied in a transaction');
is($session->query_safe($search), $node->safe_psql('postgres', by_index("SET lookalike.recall = 1; $search")), '... and as before');
$session->quit;

done_testing();
