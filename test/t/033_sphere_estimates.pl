# How many rows the planner expects in a sphere, by what an index has measured: for centres that are
# known when a statement is planned and for others, near by and far off, in a join too.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use Test::More;

my $rows = 20000;
my $node = start_node('spheres', 'jit = off');
$node->safe_psql('postgres', q{
CREATE FUNCTION planned_rows(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
-- By which factor the number of rows that is expected differs from that of the rows that lie within
-- the radius of the k-th nearest: what it is at most around four of five of the rows in "queries".
CREATE FUNCTION factor_of_most(operator text, function text, k int, form text) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
    center descriptor;
    radius float8;
    actual bigint;
    planned numeric;
    factors numeric[];
BEGIN
    FOR center IN SELECT d FROM queries LOOP
        EXECUTE format('SELECT max(dist) FROM (SELECT d %1$s $1 AS dist FROM t
            ORDER BY d %1$s $1 LIMIT $2) AS near', operator) INTO radius USING center, k;
        EXECUTE format('SELECT count(*) FROM t WHERE d %s $1 <= $2', operator)
            INTO actual USING center, radius;
        IF form = 'parameter' THEN
            EXECUTE format('PREPARE search (descriptor) AS SELECT id FROM t WHERE %s(d, $1, %s)',
                           function, radius);
            planned := planned_rows(format('EXECUTE search (%L)', center));
            DEALLOCATE search;
        ELSE
            planned := planned_rows(format('SELECT id FROM t WHERE ' || CASE form
                WHEN 'constant' THEN '%1$s(d, %2$L, %3$s)'
                WHEN 'sub-select' THEN '%1$s((SELECT d FROM queries LIMIT 1), d, %3$s)'
                END, function, center, radius));
        END IF;
        factors := factors || greatest(planned / actual, actual / planned);
    END LOOP;
    RETURN (SELECT round(percentile_disc(0.8) WITHIN GROUP (ORDER BY factor), 1) FROM unnest(factors) AS factor);
END $$});

# Each: operator class, operator, function, made-up rows. By the inner product every centre has
# distances of its own, which grow with its length.
my %cases = (
    l2 => [ 'descriptor_l2_ops', '<->', 'within', 'made_up(i, 24)' ],
    'l2, centres' => [ 'descriptor_l2_ops', '<->', 'within', 'made_up(i, 24, 100)' ],
    'l2, wide' => [ 'descriptor_l2_ops', '<->', 'within', 'made_up(i, 300)' ],
    ip => [ 'descriptor_ip_ops', '<#>', 'within_ip', 'made_up(i, 24, 100)' ],
    cosine => [ 'descriptor_cosine_ops', '<=>', 'within_cosine', 'made_up(i, 24, 100)' ],
    hamming => [ 'descriptor_hamming_ops', '<~>', 'within_hamming', 'made_up_bits(i, 128)' ],
    jaccard => [ 'descriptor_jaccard_ops', '<%>', 'within_jaccard', 'made_up_bits(i, 128)' ]);

for my $name (sort keys %cases) {
    my ($class, $operator, $function, $made) = @{ $cases{$name} };
    $node->safe_psql('postgres', qq{
        SELECT setseed(0.75);
        DROP TABLE IF EXISTS t, queries;
        CREATE TABLE t (id serial, d descriptor);
        INSERT INTO t (d) SELECT $made FROM generate_series(1, $rows) AS i;
        CREATE TABLE queries AS SELECT d FROM t ORDER BY id LIMIT 15;
        CREATE INDEX ON t USING faiss (d $class);
        ANALYZE t});
    for my $form ('constant', 'parameter', 'sub-select') {
        for my $k (10, 1000, $rows / 2) {
            my $factor = $node->safe_psql('postgres', qq{SET plan_cache_mode = force_generic_plan;
                SET enable_indexscan = off;
                SELECT factor_of_most('$operator', '$function', $k, '$form')});
            cmp_ok($factor, '<=', $name eq 'ip' ? 20 : 10, "$name, $form: $k rows are expected up to a factor of $factor");
        }
    }
}

# A join, whichever side the index is on. Both its sides are typical rows.
$node->safe_psql('postgres', q{
    DROP TABLE t, queries;
    SELECT setseed(0.75);
    CREATE TABLE t (id serial, d descriptor);
    INSERT INTO t (d) SELECT CASE WHEN i % 4 > 0 THEN made_up(i, 24) END FROM generate_series(1, 16000) AS i;
    CREATE TABLE few AS SELECT d FROM t WHERE d IS NOT NULL ORDER BY id LIMIT 200;
    ANALYZE});
my $expected = sub {
    my ($query) = @_;
    return $node->safe_psql('postgres', "SELECT planned_rows('SELECT 1 FROM $query')");
};
my $center = $node->safe_psql('postgres', 'SELECT d FROM few LIMIT 1');
is($expected->('t WHERE within(d, (SELECT d FROM few LIMIT 1), 1.3)'), 16,
    'a thousandth where nothing is measured');
$node->safe_psql('postgres', 'CREATE INDEX part ON t USING faiss (d) WHERE id % 2 = 1');
is($expected->('t WHERE within(d, (SELECT d FROM few LIMIT 1), 1.3)'), 16,
    '... nor by an index of other rows');
$node->safe_psql('postgres', 'DROP INDEX part; CREATE INDEX ON t USING faiss (d)');
for my $condition ('within(t.d, few.d, 1.3)', 'within(few.d, t.d, 1.3)',
    't.d <@-> descriptor_sphere(few.d, 1.3)') {
    my $count = $node->safe_psql('postgres', 'SELECT count(*) FROM t JOIN few ON t.d <-> few.d <= 1.3');
    my $planned = $expected->("t JOIN few ON $condition");
    ok($planned > $count / 10 && $planned < $count * 10, "$condition: $planned of $count pairs");
}
is($expected->('t WHERE within(d, (SELECT d FROM few LIMIT 1), 1e9)'), 12000, 'a NULL is in no sphere');
is($expected->("t WHERE within(d, (SELECT d FROM few LIMIT 1), 0)"), 1, 'one row at least');
is($expected->('t WHERE within(d, (SELECT d FROM few LIMIT 1), (SELECT 1.3))'), 16,
    'a thousandth where the radius is not known');
$node->stop;
done_testing();
