# Very many rows at one distance: a placeholder picture, say. They are not all read before the first is
# given out, come where they belong, once, and pages of them fit together.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('ties', 'max_wal_size = 4GB');
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE placeholder AS SELECT made_up(3, 24, 20) AS d;
    CREATE TABLE others AS SELECT i AS id, made_up(i, 24, 20) AS d FROM generate_series(1, 5000) AS i;
    CREATE TABLE t (id int, d descriptor);
    INSERT INTO t SELECT i, CASE WHEN i % 3 = 0 THEN (SELECT d FROM placeholder) ELSE s.d END
        FROM generate_series(1, 8000) AS i LEFT JOIN others AS s ON s.id = i - i / 3;
    -- Where the placeholder is, beside it, and where it is one of many.
    CREATE TABLE asked (name text, d descriptor);
    INSERT INTO asked SELECT 'at', d FROM placeholder;
    INSERT INTO asked SELECT 'beside', d + array_fill(0.01, ARRAY[24])::real[]::descriptor FROM placeholder;
    INSERT INTO asked SELECT 'amid', made_up(3, 24, 20);
});

# Entries read finely, rows given out, and whether the distances are the true ones.
sub counts {
    my ($from, $asked, $operator, $limit) = @_;
    my $nearest = "SELECT id, d $operator (SELECT d FROM $asked) AS distance FROM $from ORDER BY distance";
    my $result = $node->safe_psql('postgres', by_index(qq{
        SELECT array_agg(distance) = (SELECT array_agg(distance ORDER BY distance) FROM (
            SELECT distance FROM (SELECT d $operator (SELECT d FROM $asked) AS distance FROM $from) AS every
             ORDER BY distance + 0 LIMIT $limit) AS truth)
          FROM ($nearest LIMIT $limit) AS nearest;
        SELECT entries_refined, rows_emitted FROM faiss_scan_stats()}));
    return split /[|\n]/, $result;
}

my %class = ('<->' => 'l2', '<#>' => 'ip', '<=>' => 'cosine', '<~>' => 'hamming', '<%>' => 'jaccard');
for my $operator ('<->', '<#>', '<=>') {
    for my $refine ('int8', 'half', 'float', 'none') {
        $node->safe_psql('postgres', "DROP INDEX IF EXISTS t_d; CREATE INDEX t_d ON t
            USING faiss (d descriptor_$class{$operator}_ops) WITH (refine = '$refine', recall = 1)");
        for my $name ('at', 'beside') {
            my ($is_true, $refined, $emitted) =
              counts('t', "asked WHERE name = '$name'", $operator, 10);
            is($is_true, 't', "$operator, $refine, $name: the nearest") if $refine ne 'none';
            cmp_ok($refined, '<', 1000, '... few are read');
            cmp_ok($emitted, '<', 300, '... and given out');
        }
    }
}

$node->safe_psql('postgres', 'DROP INDEX t_d; CREATE INDEX t_d ON t USING faiss (d)');
my $asked = "(SELECT d FROM asked WHERE name = 'beside')";
my $sequence = "SELECT id FROM t ORDER BY d <-> $asked";
my $whole = $node->safe_psql('postgres', by_index("$sequence LIMIT 2000"));
is($node->safe_psql('postgres', by_index("$sequence LIMIT 2000")), $whole, 'the same when asked again');
my $pages = join "\n",
  map { $node->safe_psql('postgres', by_index("$sequence LIMIT 100 OFFSET " . $_ * 100)) } 0 .. 19;
is($pages, $whole, 'pages of 100 are cut from one sequence');
my $fetched = $node->safe_psql('postgres', by_index("BEGIN; DECLARE c CURSOR FOR $sequence LIMIT 2000; "
      . 'FETCH 100 FROM c; ' x 20 . 'COMMIT'));
is($fetched, $whole, '... and those of a cursor');
my %seen;
$seen{$_}++ for split /\n/, $whole;
is(scalar(keys %seen), 2000, 'no row comes twice');
is((grep { $_ % 3 == 0 } keys %seen), 2000, 'and all of them tie');
for my $name ('at', 'beside', 'amid') {
    is(read_to_the_end($node, 't', '<->', "(SELECT d FROM asked WHERE name = '$name')", $_),
        't', "to the end from $name, each row once $_")
      for '', "SET work_mem = '64kB';", 'SET lookalike.probes = 1;';
}

# Rows that are dead, and those that a condition removes, are not among them.
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 3 = 0 AND id < 4000');
my ($is_true) = counts('t', "asked WHERE name = 'beside'", '<->', 1000);
is($is_true, 't', 'dead rows are left out');
is($node->safe_psql('postgres', by_index("SELECT count(*), min(id % 5) = 1 AND max(id % 5) = 1
      FROM (SELECT id FROM t WHERE id % 5 = 1 ORDER BY d <-> $asked LIMIT 400) AS nearest")),
    '400|t', 'LIMIT is filled behind a condition');

# All of one kind, in one list that need not be read whole.
$node->safe_psql('postgres', q{
    CREATE TABLE equals AS SELECT i AS id, d, i % 7 AS kind FROM placeholder, generate_series(1, 30000) AS i;
    CREATE INDEX equals_d ON equals USING faiss (d, kind);
    CREATE INDEX equals_expression ON equals USING faiss ((d::descriptor));
});
is($node->safe_psql('postgres', by_index("SELECT count(*) FROM (
        SELECT id FROM equals $_ ORDER BY d <-> $asked LIMIT 10) AS nearest;
        SELECT entries_scanned < 15000 AND entries_refined < 200 AND rows_emitted < 100 FROM faiss_scan_stats()")),
    "10\nt", "all rows equal $_") for '', 'WHERE kind = 3';
is(read_to_the_end($node, 'equals', '<->', $asked), 't', '... each comes once');
$node->safe_psql('postgres', 'INSERT INTO equals SELECT i, (SELECT d FROM placeholder), 1 FROM generate_series(1, 500) AS i');
$node->safe_psql('postgres', "DELETE FROM equals WHERE id % 3 = 0; VACUUM equals");
is(read_to_the_end($node, 'equals', '<->', $asked), 't', '... after inserts, deletes and VACUUM');

# The distance of an expression, and of values in TOAST.
$node->safe_psql('postgres', q{
    CREATE TABLE wide (id int, d real[]);
    INSERT INTO wide SELECT i, (SELECT array_agg(sin(CASE WHEN i % 2 = 0 THEN 0 ELSE i END + x)) FROM generate_series(1, 2500) AS x)::real[]
        FROM generate_series(1, 600) AS i;
    CREATE INDEX ON wide USING faiss ((d::descriptor(2500)));
});
is($node->safe_psql('postgres', by_index(q{
        SELECT count(*), bool_and(id % 2 = 0) FROM (SELECT id FROM wide ORDER BY d::descriptor(2500) <->
            (SELECT array_agg(sin(x) + 0.001) FROM generate_series(1, 2500) AS x)::real[]::descriptor(2500) LIMIT 250) AS nearest;
        SELECT rows_emitted < 300 FROM faiss_scan_stats()})),
    "250|t\nt", 'values of an expression, in TOAST');

# Bits: few distances, many rows at each.
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE bits AS SELECT i AS id, (random() * 65535)::int::bit(16)::varbit::descriptor AS d
        FROM generate_series(1, 20000) AS i;
});
for my $operator ('<~>', '<%>') {
    $node->safe_psql('postgres', "DROP INDEX IF EXISTS bits_d; CREATE INDEX bits_d ON bits
        USING faiss (d descriptor_$class{$operator}_ops) WITH (recall = 1)");
    for my $limit (10, 1000) {
        my ($is_true, $refined, $emitted) =
          counts('bits', 'bits WHERE id = 77', $operator, $limit);
        is($is_true, 't', "$operator, LIMIT $limit: the nearest");
        cmp_ok($refined, '<', $limit + 400, '... few are read');
    }
    is(read_to_the_end($node, 'bits', $operator, '(SELECT d FROM bits WHERE id = 77)'), 't', '... each comes once');
}

done_testing();
