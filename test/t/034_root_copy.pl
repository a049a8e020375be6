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

# The pages that each search by an index touched, from the plans.
sub pages_touched
{
    my @pages;
    while ($_[0] =~ /Index Scan using \w+_d\b.*?Buffers: shared ([^\n]+)/gs) {
        my $sum = 0;
        $sum += $_ for $1 =~ /=(\d+)/g;
        push @pages, $sum;
    }
    return @pages;
}

# The pages that each of two searches of one session touches.
sub pages_of_two
{
    my ($work_mem) = @_;
    my $explain = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) $search;";
    my $plans = $node->safe_psql('postgres', by_index("SET work_mem = '$work_mem'; $explain $explain"));
    return pages_touched($plans);
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

# Copies share work_mem, which has room for one of these two, 37 pages each. What a session has not used
# for a while makes room, be it there still or not.
$node->safe_psql('postgres', q{
    CREATE TABLE other (id int, d descriptor);
    INSERT INTO other SELECT i, made_up(i, 16) FROM generate_series(1, 6000) AS i;
    CREATE INDEX other_d ON other USING faiss (d) WITH (lists = 500);
    VACUUM ANALYZE other;
    CREATE TABLE query AS SELECT d FROM other LIMIT 1;
});

# A search of a table by its index.
sub search_of { return "SELECT id FROM $_[0] ORDER BY d <-> (SELECT d FROM query) LIMIT 5;" }
sub explain_of { return 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) ' . search_of($_[0]) }

# The pages that a search of "other" touches while "t" takes the room, and when it has not been used for
# a while.
sub pages_after
{
    my ($leave) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 1);
    $session->query_safe(by_index("SET work_mem = '500kB';" . search_of('t')));
    my ($early) = pages_touched($session->query_safe($leave . explain_of('other')));
    my $while = search_of('other') x 70;
    my ($late) = pages_touched($session->query_safe($while . explain_of('other')));
    $session->quit;
    return ($early, $late);
}
my ($early, $late) = pages_after('');
cmp_ok($late, '<', $early - 30, "a copy that is not used makes room for another: $late pages after $early");
($early, $late) = pages_after('DROP INDEX t_d;');
cmp_ok($late, '<', $early - 30, "so does that of an index that was dropped: $late pages after $early");

# An index is filled by the session that has used another. Its root takes more pages than its lists need,
# as lists that were retired in the same transaction are in it, too.
$node->safe_psql('postgres', q{
    CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 500);
    CREATE TABLE filled (id int, d descriptor(16));
    CREATE INDEX filled_d ON filled USING faiss (d);
});
$session = $node->background_psql('postgres', on_error_stop => 1);
$session->query_safe(by_index("SET work_mem = '360kB';" . search_of('t')));
$session->query_safe('INSERT INTO filled SELECT i, made_up(i, 16) FROM generate_series(1, 16000) AS i;');

# The pages of a search that follows some others.
sub pages_with
{
    my ($work_mem) = @_;
    my @pages = pages_touched($session->query_safe("SET work_mem = '$work_mem';" . explain_of('filled') x 5));
    return $pages[-1];
}
my $copied = pages_with('360kB');
$session->quit;
$session = $node->background_psql('postgres', on_error_stop => 1);
$session->query_safe(by_index(''));
my $too_little = pages_with('64kB');
my $lists = $node->safe_psql('postgres', q{SELECT lists FROM faiss_index_info('filled_d')});
my $nearly = pages_with(8 * (int($lists / 13) + 2) . 'kB');
$session->quit;
cmp_ok($copied, '<', $too_little - 15, "the index that is filled gets its copy: $copied pages, $too_little without");
cmp_ok($nearly, '<', $too_little + 8, "room that did not do is not tried again: $nearly pages, $too_little");

# A row goes to the same list, be the root copied or not.
my @answers;
for my $work_mem ('64kB', '4MB')
{
    push @answers, $node->safe_psql('postgres', by_index(qq{
        CREATE TABLE twin (id int, d descriptor(16));
        CREATE INDEX twin_d ON twin USING faiss (d);
        SET work_mem = '$work_mem';
        INSERT INTO twin SELECT * FROM filled ORDER BY id;
        SET work_mem = '4MB';
        SELECT lists, splits, pg_relation_size('twin_d') FROM faiss_index_info('twin_d');
        SELECT string_agg(id::text, ',') FROM
            (SELECT id FROM twin ORDER BY d <-> (SELECT d FROM query) LIMIT 3000) AS nearest;
        DROP TABLE twin}));
}
like($answers[0], qr/^1\d\d\|/, 'there are many lists');
ok($answers[1] eq $answers[0], 'rows go to the same lists without a copy of the root and with one');

done_testing();
