# The planner takes the index where it is cheaper, and the exact plan where that is.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use Test::More;

my $node = start_node('cost', 'jit = off');
for my $dims (16, 128) {
    my $rows = 12000;
    $node->safe_psql('postgres', qq{
        SELECT setseed(0.5);
        DROP TABLE IF EXISTS t;
        CREATE TABLE t (id int PRIMARY KEY, season int, d descriptor($dims));
        INSERT INTO t SELECT i, i % 50, made_up(1, $dims) FROM generate_series(1, 500) AS i;
        INSERT INTO t SELECT 500 * n + id, (id + n) % 50, d + made_up(1, $dims)
          FROM t, generate_series(1, $rows / 500 - 1) AS n;
        CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 60);
        CREATE INDEX t_season ON t (season)});
    $node->safe_psql('postgres', 'VACUUM ANALYZE t');
    my %expected = (
        '' => qr/Index Scan using t_d/,
        'WHERE season <> 3' => qr/Index Scan using t_d/,
        'WHERE season = 3' => qr/t_season/,
        'WHERE id = 7' => qr/t_pkey/,
        'WHERE id BETWEEN 5 AND 9' => qr/t_pkey/);
    for my $where (sort keys %expected) {
        like($node->safe_psql('postgres', "EXPLAIN SELECT id FROM t $where ORDER BY d <-> (SELECT d FROM t WHERE id = 1) LIMIT 10"),
            $expected{$where}, "$dims dimensions: '$where'");
    }
    unlike($node->safe_psql('postgres', "EXPLAIN SELECT count(*) FROM t"), qr/t_d/,
        "$dims dimensions: never without an order");
    # Where the two take equally long depends on the data: at some hundred rows of these.
    for my $limit (100, 6000) {
        my $plan = $node->safe_psql('postgres',
            "EXPLAIN SELECT id FROM t ORDER BY d <-> (SELECT d FROM t WHERE id = 1) LIMIT $limit");
        is($plan =~ /t_d/, $limit < 1000, "$dims dimensions: $limit rows");
    }
    unlike($node->safe_psql('postgres', "EXPLAIN SELECT id FROM t ORDER BY d <-> (SELECT d FROM t WHERE id = 1)"),
        qr/t_d/, "$dims dimensions: not for all rows");
}
$node->safe_psql('postgres', q{CREATE TABLE small AS SELECT i AS id, made_up(i, 16) AS d FROM generate_series(1, 50) AS i;
    CREATE INDEX small_d ON small USING faiss (d); ANALYZE small});
unlike($node->safe_psql('postgres', "EXPLAIN SELECT id FROM small ORDER BY d <-> (SELECT d FROM small WHERE id = 1) LIMIT 5"),
    qr/small_d/, 'a small table is read');

# One list is looked at whole: no cheaper than the table, unless that lies in TOAST.
sub cost_of {
    my ($expression, $table) = @_;
    my $plan = $node->safe_psql('postgres', "EXPLAIN SELECT $expression FROM $table");
    return $plan =~ /\A.*\.\.([\d.]+) / ? $1 : die $plan;
}
for my $dims (128, 1024) {
    my $table = "one_list_$dims";
    $node->safe_psql('postgres', qq{
        CREATE TABLE $table (id int, d descriptor($dims));
        INSERT INTO $table SELECT i, made_up(i, $dims) FROM generate_series(1, 2000) AS i;
        CREATE INDEX ON $table USING faiss (d)});
    $node->safe_psql('postgres', "VACUUM ANALYZE $table");
    my $plan = $node->safe_psql('postgres',
        "EXPLAIN SELECT id FROM $table ORDER BY d <-> (SELECT d FROM $table LIMIT 1) LIMIT 10");
    is($plan =~ /Order By/, $dims == 1024, "one list of $dims dimensions");
}
my ($call, $fetch) = map { cost_of("l2_distance(d, d)", "one_list_$_") - cost_of('id', "one_list_$_") } 128, 1024;
cmp_ok($fetch, '>', 10 * $call, "2000 times two values from TOAST cost $fetch, inline $call");
my ($call_within, $fetch_within) = map { cost_of('within(d, d, 1)', "one_list_$_") - cost_of('id', "one_list_$_") } 128, 1024;
cmp_ok($fetch_within, '>', 10 * $call_within, "and so do spheres: $fetch_within, inline $call_within");
my $of_many = '(SELECT d FROM one_list_1024 OFFSET 0) AS x';
my $computed = cost_of('l2_distance(d, d)', $of_many) - cost_of('d', $of_many);
# 65 operators instead of 9.
ok($computed > 6 * $call && $computed < 8 * $call,
    "columns of sub-selects cost $computed, their width alone: nothing says that they lie in TOAST");
$node->stop;
done_testing();
