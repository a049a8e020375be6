# How many of the rows within a radius a tree of lists finds by default settings, and all of them at
# recall 1, for every metric; without an order, with one, in a join; beside changes; and that
# looking for duplicates can be stopped.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Each: operator class, operator, function, made-up rows, floor.
my %cases = (
    l2 => [ 'descriptor_l2_ops', '<->', 'within', 'made_up(i, 24, 100)', 0.93 ],
    ip => [ 'descriptor_ip_ops', '<#>', 'within_ip', 'made_up(i, 24, 100)', 0.93 ],
    cosine => [ 'descriptor_cosine_ops', '<=>', 'within_cosine', 'made_up(i, 24, 100)', 0.93 ],
    hamming => [ 'descriptor_hamming_ops', '<~>', 'within_hamming', 'made_up_bits(i, 128)', 0.9 ],
    jaccard => [ 'descriptor_jaccard_ops', '<%>', 'within_jaccard', 'made_up_bits(i, 128)', 0.9 ]);

my $node = start_node('within', 'jit = off');
# Shares of the rows within the radius of the k-th nearest row that come through the index, and
# whether all that come are within it.
$node->safe_psql('postgres', q{
CREATE FUNCTION range_recall(of regclass, operator text, function text, k int, suffix text,
                             OUT recall numeric, OUT strangers bigint) LANGUAGE plpgsql AS $$
DECLARE
    query descriptor;
    radius float8;
    wanted bigint;
    found bigint;
    outside bigint;
    all_wanted bigint := 0;
    all_found bigint := 0;
BEGIN
    strangers := 0;
    FOR query IN SELECT d FROM queries LOOP
        PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true),
                set_config('enable_sort', 'on', true);
        EXECUTE format('SELECT max(dist) FROM (SELECT d %1$s $1 AS dist FROM %2$s
            ORDER BY d %1$s $1 LIMIT %3$s) AS nearest', operator, of, k) INTO radius USING query;
        EXECUTE format('SELECT count(*) FROM %s WHERE d %s $1 <= $2', of, operator)
            INTO wanted USING query, radius;
        PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true),
                set_config('enable_sort', 'off', true);
        EXECUTE format('SELECT count(DISTINCT id), count(*) FILTER (WHERE NOT d %1$s $1 <= $2) FROM
            (SELECT id, d FROM %2$s WHERE %3$s(d, $1, $2) %4$s OFFSET 0) AS x', operator, of, function,
            suffix) INTO found, outside USING query, radius;
        all_wanted := all_wanted + wanted;
        all_found := all_found + found;
        strangers := strangers + outside;
    END LOOP;
    recall := round(all_found::numeric / all_wanted, 3);
END $$});

for my $name (sort keys %cases) {
    my ($class, $operator, $function, $made, $floor) = @{ $cases{$name} };
    $node->safe_psql('postgres', qq{
        SELECT setseed(0.25);
        DROP TABLE IF EXISTS $name, queries;
        CREATE TABLE $name (id serial, d descriptor);
        INSERT INTO $name (d) SELECT $made FROM generate_series(1, 20000) AS i;
        CREATE TABLE queries AS SELECT d FROM $name ORDER BY id LIMIT 25;
        CREATE INDEX ON $name USING faiss (d $class)});
    my $check = sub {
        my ($when, $least, $k, $suffix, $settings) = @_;
        my ($recall, $strangers) = split /\|/, $node->safe_psql('postgres',
            "$settings SELECT * FROM range_recall('$name', '$operator', '$function', $k, '$suffix')");
        cmp_ok($recall, '>=', $least, "$name: $recall of $k $when");
        is($strangers, 0, "$name: none is outside, $k $when");
    };
    $check->('without an order', $floor, 10, '', '');
    $check->('without an order', $floor, 300, '', '');
    $check->('in order', $floor, 100, "ORDER BY d $operator \$1", '');
    $check->('at recall 1', 1, 300, '', 'SET lookalike.recall = 1;');
    $check->('in order at recall 1', 1, 300, "ORDER BY d $operator \$1", 'SET lookalike.recall = 1;');
    $check->('with little memory at recall 1', 1, 300, '',
        "SET work_mem = '64kB'; SET lookalike.recall = 1;");
    $node->safe_psql('postgres', "DELETE FROM $name WHERE id % 3 = 0; VACUUM $name;
        INSERT INTO $name (d) SELECT $made FROM generate_series(1, 3000) AS i");
    $check->('at recall 1 after changes', 1, 100, '', 'SET lookalike.recall = 1;');
}

# A scan that ends at a radius reads less of the index than one that goes on.
my $buffers = sub {
    my ($radius) = @_;
    my $plan = $node->safe_psql('postgres', by_index(
        "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) SELECT id FROM l2
          WHERE within(d, (SELECT d FROM queries LIMIT 1), $radius)"));
    like($plan, qr/Index Cond: \(d <\@->/, "radius $radius: by the index");
    my ($hit) = $plan =~ /Index Scan.*?hit=(\d+)/s;
    my ($read) = $plan =~ /Index Scan.*?Buffers: shared[^\n]* read=(\d+)/s;
    return ($hit // 0) + ($read // 0);
};
my ($near, $far) = ($buffers->(0.1), $buffers->(100));
cmp_ok($near * 5, '<', $far, "a small sphere reads $near pages, all takes $far");

# A join finds each row's neighbours.
my $joined = $node->safe_psql('postgres', by_index(q{
    SET lookalike.recall = 1; SET enable_material = off;
    SELECT count(*) FROM queries AS q JOIN l2 ON within(l2.d, q.d, 0.8)}));
is($joined, $node->safe_psql('postgres',
    'SELECT count(*) FROM queries AS q JOIN l2 ON l2.d <-> q.d <= 0.8'), "a join gives $joined pairs");

# Duplicates: planted ones are found, by the index; and who waits too long can stop.
$node->safe_psql('postgres', q{
    CREATE TABLE copies AS SELECT d FROM l2 ORDER BY id LIMIT 200;
    INSERT INTO l2 (d) SELECT d FROM copies; ANALYZE l2});
my $index = 'l2_d_idx';
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM faiss_duplicates('$index', 0)"), '>=', 195,
    'planted duplicates are found');
my ($status, undef, $stderr) = $node->psql('postgres', qq{
    SET statement_timeout = '300ms';
    SELECT count(*) FROM faiss_duplicates('$index', 3)});
like($stderr, qr/canceling statement due to statement timeout/, 'looking for duplicates can be stopped');
is($node->safe_psql('postgres', qq{
    SET statement_timeout = '20s';
    SELECT count(*) FROM faiss_duplicates('$index', 3, max_pairs => 5)}), 5,
    'so many pairs are found without finding all');
done_testing();
