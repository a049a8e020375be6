# How many of the nearest rows that a filter leaves are found by default settings, where the filter
# knows nothing of the descriptors and where it leaves those of one region, near the query or far from
# it; that LIMIT is filled; and that lists without a match are left unread, never one with a match.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Each: operator class, operator, made-up rows.
my %cases = (
    l2 => [ 'descriptor_l2_ops', '<->', 'made_up(i, 24, 100)' ],
    ip => [ 'descriptor_ip_ops', '<#>', 'made_up(i, 24, 100)' ],
    cosine => [ 'descriptor_cosine_ops', '<=>', 'made_up(i, 24, 100)' ],
    hamming => [ 'descriptor_hamming_ops', '<~>', 'made_up_bits(i, 128)' ],
    jaccard => [ 'descriptor_jaccard_ops', '<%>', 'made_up_bits(i, 128)' ]);

my $node = start_node('filters', 'jit = off');
# The share of the 10 nearest rows with a condition that come through the index, and how many rows are
# missing at most from the 10 of a query, or from all that there are.
$node->safe_psql('postgres', q{
CREATE FUNCTION filtered_recall(of regclass, operator text, condition text,
                                OUT recall numeric, OUT missing bigint) LANGUAGE plpgsql AS $$
DECLARE
    query record;
    last float8;
    there bigint;
    near bigint;
    came bigint;
    all_there bigint := 0;
    all_near bigint := 0;
BEGIN
    missing := 0;
    FOR query IN SELECT d, region FROM queries LOOP
        PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true),
                set_config('enable_sort', 'on', true);
        EXECUTE format('SELECT count(*), max(dist) FROM (SELECT d %1$s $1 AS dist FROM %2$s WHERE %3$s
            ORDER BY 1 LIMIT 10) AS nearest', operator, of, condition)
            INTO there, last USING query.d, query.region;
        PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true),
                set_config('enable_sort', 'off', true);
        EXECUTE format('SELECT count(*) FILTER (WHERE dist <= $3 + 1e-9), count(*) FROM
            (SELECT d %1$s $1 AS dist FROM %2$s WHERE %3$s ORDER BY d %1$s $1 LIMIT 10) AS x',
            operator, of, condition) INTO near, came USING query.d, query.region, last;
        all_there := all_there + there;
        all_near := all_near + near;
        missing := GREATEST(missing, there - came);
    END LOOP;
    recall := round(all_near::numeric / all_there, 3);
END $$});

for my $name (sort keys %cases) {
    my ($class, $operator, $made) = @{ $cases{$name} };
    $node->safe_psql('postgres', qq{
        SELECT setseed(0.5);
        DROP TABLE IF EXISTS $name, queries, seeds;
        CREATE TABLE $name (id serial, d descriptor, tenth int, hundredth int, region int, rare text);
        INSERT INTO $name (d) SELECT $made FROM generate_series(1, 20000) AS i;
        CREATE TABLE seeds AS SELECT row_number() OVER () AS number, d FROM $name
            WHERE id IN (1, 2, 3, 4, 5, 6, 7, 8);
        UPDATE $name AS t SET tenth = id * 7919 % 10, hundredth = id * 7919 % 100,
            region = (SELECT number FROM seeds ORDER BY seeds.d $operator t.d, number LIMIT 1);
        UPDATE $name SET rare = 'yes' WHERE id IN (SELECT id FROM $name
            ORDER BY d $operator (SELECT d FROM seeds WHERE number = 1) LIMIT 30);
        VACUUM $name;
        CREATE INDEX ${name}_d ON $name USING faiss (d $class, tenth, hundredth, region, rare);
        ANALYZE $name;
        CREATE TABLE queries AS SELECT d, region FROM $name
            WHERE region IN (SELECT region FROM $name GROUP BY 1 HAVING count(*) > 50)
            ORDER BY id DESC LIMIT 25});
    my %conditions = (
        'a tenth' => 'tenth = 3',
        'a hundredth' => 'hundredth = 42',
        'the near region' => 'region = $2',
        'the other regions' => 'region <> $2 AND region IS NOT NULL',
        'a far region' => 'region = $2 % 8 + 1',
        'a few rows of one place' => "rare = 'yes'");
    for my $what (sort keys %conditions) {
        my ($recall, $missing) = split /\|/, $node->safe_psql('postgres',
            "SELECT * FROM filtered_recall('$name', '$operator', \$c\$$conditions{$what}\$c\$)");
        cmp_ok($recall, '>=', 0.95, "$name: $recall of what is left by $what");
        is($missing, 0, "$name: LIMIT is filled from $what");
    }
    # Whatever changes, no row that matches is lost.
    $node->safe_psql('postgres', qq{
        DELETE FROM $name WHERE id % 3 = 0;
        VACUUM $name;
        INSERT INTO $name (d, tenth, region, rare)
            SELECT $made, i % 13, -(i % 3), CASE i % 500 WHEN 7 THEN 'new' END
            FROM generate_series(1, 2000) AS i;
        UPDATE $name SET hundredth = 4711, d = (SELECT d FROM $name ORDER BY id LIMIT 1)
            WHERE id % 4001 = 1});
    for my $condition ('tenth = 12', 'region < 0', 'hundredth >= 4000', "rare = 'new'",
        'region IS NULL', 'hundredth IS NULL AND tenth < 2') {
        is($node->safe_psql('postgres', qq{
            SET enable_seqscan = off; SET enable_sort = off; SET lookalike.recall = 1;
            SELECT count(*) FROM (SELECT id FROM $name WHERE $condition
                ORDER BY d $operator (SELECT d FROM seeds WHERE number = 2) LIMIT 100000) AS x}),
            $node->safe_psql('postgres', qq{
            SET enable_indexscan = off; SELECT count(*) FROM $name WHERE $condition}),
            "$name: all rows with $condition");
    }
    $node->safe_psql('postgres', "SELECT faiss_index_check('${name}_d')");
}

# A value that few lists have: the others are not read.
my $stats = $node->safe_psql('postgres', q{
    SET enable_seqscan = off; SET enable_sort = off;
    SELECT count(*) FROM (SELECT id FROM l2 WHERE rare = 'new'
        ORDER BY d <-> (SELECT d FROM seeds WHERE number = 3) LIMIT 10) AS x;
    SELECT entries_scanned, rows_emitted FROM faiss_scan_stats()});
my ($count, $scanned) = $stats =~ /^(\d+)\n(\d+)\|/;
cmp_ok($count, '>', 0, 'rows with a rare value are found');
cmp_ok($scanned, '<', 6000, "$scanned entries of some 15,000 were looked at");

# Lists that inserts have made far wider than the build did: at recall 1 every row comes once, however
# often the window was widened and lists were left unread on the way.
$node->safe_psql('postgres', q{
    CREATE TABLE wide (id int, f descriptor(12));
    SELECT setseed(0.1);
    INSERT INTO wide SELECT i, (SELECT array_agg((hashint4(i % 30 * 100 + g) % 1000 / 100.0 + r)::real)::descriptor
        FROM (SELECT g, random() * 2 + i * 0 AS r FROM generate_series(1, 12) AS g OFFSET 0) AS s)
        FROM generate_series(1, 4000) AS i;
    CREATE INDEX ON wide USING faiss (f) WITH (lists = 30);
    INSERT INTO wide SELECT i, (SELECT array_agg((hashint4(i % 60 * 100 + g) % 1000 / 100.0 + r)::real)::descriptor
        FROM (SELECT g, random() * 2 + i * 0 AS r FROM generate_series(1, 12) AS g OFFSET 0) AS s)
        FROM generate_series(4001, 7000) AS i;
    ANALYZE wide});
for my $recall (1, 0.95) {
    is($node->safe_psql('postgres', qq{
        SET lookalike.recall = $recall; SET enable_seqscan = off; SET enable_sort = off;
        SELECT count(*), sum(came), sum(different) FROM (SELECT f AS q FROM wide WHERE id % 175 = 101) AS queries,
            LATERAL (SELECT count(*) AS came, count(DISTINCT id) AS different FROM (SELECT id FROM wide
                ORDER BY f <-> queries.q LIMIT 100000) AS x) AS y}),
        '40|280000|280000', "every row of lists that have become wide, recall $recall");
}

# Inner products below what a float can tell apart.
$node->safe_psql('postgres', q{
    CREATE TABLE tiny (id int, f descriptor(2));
    INSERT INTO tiny SELECT i, format('[%se-30,1e-30]', (i * 37) % 101)::descriptor
        FROM generate_series(1, 100) AS i;
    CREATE INDEX ON tiny USING faiss (f descriptor_ip_ops)});
is($node->safe_psql('postgres', q{
    SET enable_seqscan = off; SET enable_sort = off;
    SELECT string_agg(id::text, ' ') FROM (SELECT id FROM tiny ORDER BY f <#> '[1e-30,0]' LIMIT 5) AS x}),
    '30 60 90 19 49', 'tiny inner products in order');

# As long as an insert has not been committed nobody misses its row; afterwards everybody has it.
$node->safe_psql('postgres', q{
    CREATE TABLE late (id int, d descriptor(4), kind uuid);
    CREATE INDEX ON late USING faiss (d, kind);
    INSERT INTO late VALUES (1, '[1,2,3,4]', '00000000-0000-0000-0000-000000000001');
    INSERT INTO late VALUES (2, '[9,9,9,9]', '00000000-0000-0000-0000-000000000002')});
is($node->safe_psql('postgres', q{
    SET enable_seqscan = off;
    SELECT id FROM late WHERE kind = '00000000-0000-0000-0000-000000000002'
     ORDER BY d <-> '[1,2,3,4]'}), '2', 'a table that was empty at the build');

$node->stop;
done_testing();
