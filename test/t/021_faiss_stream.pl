# A scan goes on to the end: 100,000 rows, each once, while VACUUM runs and in little memory; pages of
# an answer fit together; no order that the executor finds wrong.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('stream', 'max_wal_size = 4GB');
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial, d descriptor(16));
    INSERT INTO t (d) SELECT made_up(i, 16, 100) FROM generate_series(1, 60000) AS i;
    INSERT INTO t (d) SELECT d FROM t WHERE id <= 40000;
    INSERT INTO t (d) SELECT made_up(i, 16, 100) FROM generate_series(1, 20000) AS i;
    CREATE INDEX t_d ON t USING faiss (d);
    DELETE FROM t WHERE id % 6 = 0;
});
my $query = '(SELECT d FROM t WHERE id = 7)';

my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe($_) for 'SET enable_seqscan = off', 'SET enable_sort = off', 'BEGIN',
  "DECLARE c CURSOR FOR SELECT id FROM t ORDER BY d <-> $query", 'CREATE TEMP TABLE came (id int)';
$session->query_safe(q{
    CREATE FUNCTION pg_temp.take(c refcursor, wanted int) RETURNS int LANGUAGE plpgsql AS $$
    DECLARE got int; taken int := 0;
    BEGIN
        WHILE taken < wanted LOOP
            FETCH c INTO got;
            EXIT WHEN NOT FOUND;
            INSERT INTO came VALUES (got);
            taken := taken + 1;
        END LOOP;
        RETURN taken;
    END $$});
is($session->query_safe("SELECT pg_temp.take('c', 5000)"), '5000', 'a part of the rows');
# These were dead before the cursor's snapshot; their places get new owners.
$node->safe_psql('postgres', 'VACUUM t');
$node->safe_psql('postgres',
    'INSERT INTO t (d) SELECT made_up(i, 16, 100) FROM generate_series(1, 6000) AS i');
is($session->query_safe("SELECT pg_temp.take('c', 40000)"), '40000', '... and on after VACUUM');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 5 = 0');
$node->safe_psql('postgres', 'VACUUM t');
is($session->query_safe("SELECT pg_temp.take('c', 1000000)"), '55000', '... to the end');
is($session->query_safe('SELECT count(DISTINCT id) FROM came'), '100000', 'each row came once');
$session->query_safe('COMMIT');
$session->quit;

is(read_to_the_end($node, 't', '<->', $query), 't', 'to the end in one go');
is(read_to_the_end($node, 't', '<->', $query, "SET work_mem = '64kB';"), 't', '... in 64 kB');
is(read_to_the_end($node, 't', '<->', $query, 'SET lookalike.probes = 1;'), 't', '... from one list on');

# Ties in abundance: 10 pages of an answer are the answer.
$node->safe_psql('postgres', q{
    CREATE TABLE ties (id serial, d descriptor(4));
    INSERT INTO ties (d) SELECT ARRAY[i % 5, i % 3, 0, 0]::real[]::descriptor FROM generate_series(1, 6000) AS i;
    CREATE INDEX ON ties USING faiss (d)});
my $ties = "SELECT id FROM ties ORDER BY d <-> '[1,1,0,0]'";
my $whole = $node->safe_psql('postgres', by_index("$ties LIMIT 1000"));
my $pages = join "\n", map { $node->safe_psql('postgres', by_index("$ties LIMIT 100 OFFSET " . $_ * 100)) } 0 .. 9;
is($pages, $whole, 'LIMIT and OFFSET cut one sequence');

# Lower bounds must not exceed the distances that SQL computes, or a query fails. Many pairs of each
# metric: noise, duplicates, norms from tiny to huge.
my $of_bits = "('b' || right(repeat(i::bit(16)::text, 6), 90))::descriptor";
my %made = (
    'noise' => [ 'made_up(i, 24)', '<->', '<#>', '<=>' ],
    'duplicates' => [ 'made_up(i, 3, 7) * (i % 4)', '<->', '<#>', '<=>' ],
    'norms' => [ 'made_up(i, 12) * (10 ^ (i % 34 - 17))', '<->', '<#>', '<=>' ],
    'offset' => [ 'made_up(i, 20) + array_fill(1000, ARRAY[20])::real[]::descriptor', '<->', '<#>', '<=>' ],
    'bits' => [ $of_bits, '<~>', '<%>' ]);
my %class = ('<->' => 'l2', '<#>' => 'ip', '<=>' => 'cosine', '<~>' => 'hamming', '<%>' => 'jaccard');
my $pairs = 0;
for my $name (sort keys %made) {
    my ($made, @operators) = @{ $made{$name} };
    my ($value, $factor) = split / \* (?=\()/, $made;
    for my $refine ('int8', 'half', 'float') {
        next if $name eq 'bits' && $refine ne 'int8';
        $node->safe_psql('postgres', qq{SELECT setseed(0.1);
            DROP TABLE IF EXISTS pairs;
            CREATE TABLE pairs (id serial, d descriptor)});
        my $rows = $name eq 'bits' ? 2000 : 6000;
        $node->safe_psql('postgres', "INSERT INTO pairs (d) SELECT "
          . ($factor ? "ARRAY(SELECT x * $factor FROM unnest(($value)::real[]) AS x)::real[]::descriptor" : $value)
          . " FROM generate_series(1, $rows) AS i");
        for my $operator (@operators) {
            $node->safe_psql('postgres', qq{
                CREATE INDEX the_index ON pairs USING faiss (d descriptor_$class{$operator}_ops)
                  WITH (refine = '$refine')});
            my ($status, $out, $err) = $node->psql('postgres', by_index(qq{
                SELECT sum(n) FROM (SELECT d FROM pairs WHERE id % 150 = 0) AS q,
                    LATERAL (SELECT count(*) AS n FROM (SELECT id FROM pairs
                        ORDER BY pairs.d $operator q.d LIMIT 1500) AS came) AS counted}));
            is($err, '', "$name, $operator, $refine: in order");
            $pairs += $out || 0;
            $node->safe_psql('postgres', 'DROP INDEX the_index');
        }
    }
}
cmp_ok($pairs, '>', 1_000_000, "$pairs pairs");

# Equal distances over many lists, of which some are opened late: what the window dropped must come back.
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE equals AS SELECT i AS id, (random() * 4095)::int::bit(12)::varbit::descriptor AS d, i % 97 AS kind
        FROM generate_series(1, 30000) AS i;
});
for my $case ([ '<~>', 'hamming' ], [ '<%>', 'jaccard' ]) {
    my ($operator, $name) = @$case;
    $node->safe_psql('postgres',
        "CREATE INDEX the_index ON equals USING faiss (d descriptor_${name}_ops, kind) WITH (lists = 9)");
    for my $settings ("work_mem = '64kB'", "work_mem = '4MB'", 'lookalike.recall = 0.5', 'lookalike.probes = 1') {
        for my $condition ('kind >= 0', 'true') {
            is($node->safe_psql('postgres', by_index(qq{SET $settings;
                    SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM equals WHERE $condition
                        ORDER BY d $operator b'000000000001'::varbit::descriptor) AS came})),
                '30000|30000', "$name, $settings, $condition: every row once");
        }
    }
    $node->safe_psql('postgres', 'DROP INDEX the_index');
}
done_testing();
