# The recall that is set holds where it is hardest to keep: with conditions that the index does not
# know, which pass a half to a thousandth of the rows anywhere or in a region far from the query; for
# queries unlike the rows; in few dimensions.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use Test::More;

my $node = start_node('promise', 'jit = off');
# The share of the k nearest rows with a condition that come through the index, over the queries, for
# three settings. The condition may ask for the query's region as $2.
$node->safe_psql('postgres', q{
CREATE FUNCTION recalls(of regclass, operator text, condition text, k int, settings float8[])
RETURNS numeric[] LANGUAGE plpgsql AS $$
DECLARE
    query record;
    setting float8;
    last float8;
    there int;
    near int;
    result numeric[];
    hits int[] := array_fill(0, ARRAY[cardinality(settings)]);
    wanted int := 0;
BEGIN
    FOR query IN SELECT d, region FROM queries LOOP
        PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true);
        EXECUTE format('SELECT count(*), max(dist) FROM (SELECT d %1$s $1 AS dist FROM %2$s WHERE %3$s
            ORDER BY 1 LIMIT %4$s) AS nearest', operator, of, condition, k)
            INTO there, last USING query.d, query.region;
        wanted := wanted + there;
        PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true);
        FOR i IN 1 .. cardinality(settings) LOOP
            PERFORM set_config('lookalike.recall', settings[i]::text, true);
            EXECUTE format('SELECT count(*) FROM (SELECT d %1$s $1 AS dist FROM %2$s WHERE %3$s
                ORDER BY d %1$s $1 LIMIT %4$s) AS x WHERE dist <= $3 ',
                operator, of, condition, k) INTO near
                USING query.d, query.region, last + (abs(last) + 1) * 1e-9;
            hits[i] := hits[i] + near;
        END LOOP;
    END LOOP;
    SELECT array_agg(round(hit::numeric / wanted, 3) ORDER BY i) INTO result
        FROM unnest(hits) WITH ORDINALITY AS x (hit, i);
    RETURN result;
END $$});

my @settings = (0.9, 0.95, 0.99);

sub promise_holds {
    my ($name, $table, $operator, $condition, $k) = @_;
    my $recalls = $node->safe_psql('postgres', qq{SELECT array_to_string(recalls('$table', '$operator',
        '$condition', $k, ARRAY[@{[ join ', ', @settings ]}]), ' ')});
    my @recalls = split ' ', $recalls;
    cmp_ok($recalls[$_], '>=', $settings[$_] - 0.01, "$name: $recalls[$_] where $settings[$_] is set")
      for 0 .. $#settings;
}

# Rows have a number, and the one of 8 regions that they are in.
sub make_table {
    my ($table, $class, $operator, $made, $count) = @_;
    $node->safe_psql('postgres', qq{
        SELECT setseed(0.25);
        DROP TABLE IF EXISTS $table, queries, seeds;
        CREATE TABLE $table (id serial, d descriptor, region int);
        INSERT INTO $table (d) SELECT $made FROM generate_series(1, $count) AS i;
        CREATE TABLE seeds AS SELECT id AS number, d FROM $table WHERE id <= 8;
        UPDATE $table AS t SET region =
            (SELECT number FROM seeds ORDER BY seeds.d $operator t.d, number LIMIT 1);
        VACUUM FULL $table;
        CREATE INDEX ON $table USING faiss (d $class);
        ANALYZE $table;
        CREATE TABLE queries AS SELECT d, region FROM $table ORDER BY id DESC LIMIT 30});
}

my $near = 'region = $2';
my $far = 'region = $2 % 8 + 1';
my %cases = (
    'l2, 3 dimensions' => [ 'descriptor_l2_ops', '<->', 'made_up(i, 3)', 50000 ],
    'l2, 24 dimensions' => [ 'descriptor_l2_ops', '<->', 'made_up(i, 24, 100)', 20000 ],
    'inner product' => [ 'descriptor_ip_ops', '<#>', 'made_up(i, 24, 100)', 20000 ],
    'cosine' => [ 'descriptor_cosine_ops', '<=>', 'made_up(i, 24, 100)', 20000 ],
    'hamming' => [ 'descriptor_hamming_ops', '<~>', 'made_up_bits(i, 128)', 20000 ],
    'jaccard' => [ 'descriptor_jaccard_ops', '<%>', 'made_up_bits(i, 128)', 20000 ]);
for my $name (sort keys %cases) {
    my ($class, $operator, $made, $count) = @{ $cases{$name} };
    make_table('t', $class, $operator, $made, $count);
    promise_holds("$name, a ${_}th", 't', $operator, "id % $_ = 0", 10) for 2, 10, 100, 1000;
    promise_holds("$name, a 500th, 20 rows", 't', $operator, 'id % 500 = 0', 20);
    promise_holds("$name, the near region", 't', $operator, $near, 10);
    promise_holds("$name, a far region", 't', $operator, $far, 10);
    promise_holds("$name, a tenth of a far region", 't', $operator, "$far AND id % 10 = 0", 10);
    promise_holds("$name, 1,000 rows", 't', $operator, 'true', 1000);
    next if $made !~ /^made_up\(i, (\d+)/;
    # Anywhere, where rows are around few centres; and far outside of all rows.
    for my $size (2, 10) {
        $node->safe_psql('postgres', qq{SELECT setseed(0.75); DROP TABLE queries; CREATE TABLE queries AS
            SELECT made_up(i, $1) * ARRAY(SELECT $size FROM generate_series(1, $1))::real[]::descriptor
                AS d, 1 AS region FROM generate_series(1, 30) AS i});
        promise_holds("$name, queries of size $size", 't', $operator, 'true', 10);
    }
}

# Few dimensions.
for my $dims (1, 2, 4, 8, 10, 16) {
    for my $class ([ 'descriptor_l2_ops', '<->' ], [ 'descriptor_cosine_ops', '<=>' ]) {
        make_table('t', $class->[0], $class->[1],
            "made_up(i, $dims)::descriptor($dims)::descriptor($dims, half)", 20000);
        promise_holds("$class->[1], half, $dims dimensions", 't', $class->[1], 'true', 10);
    }
}
$node->stop;
done_testing();
