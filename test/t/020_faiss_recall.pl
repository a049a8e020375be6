# How many of the true nearest ten an index finds for every metric, on descriptors
# that cluster and on noise, by default settings: after the build, after inserts, after a heavy delete.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Each: operator class, operator, made-up rows, floor. Noise has no near neighbours: hardest.
my %cases = (
    l2_clustered => [ 'descriptor_l2_ops', '<->', 'made_up(i, 32, 60)', 0.93 ],
    l2_noise => [ 'descriptor_l2_ops', '<->', 'made_up(i, 32)', 0.9 ],
    ip_clustered => [ 'descriptor_ip_ops', '<#>', 'made_up(i, 32, 60)', 0.93 ],
    cosine_clustered => [ 'descriptor_cosine_ops', '<=>', 'made_up(i, 32, 60)', 0.93 ],
    cosine_noise => [ 'descriptor_cosine_ops', '<=>', 'made_up(i, 32)', 0.9 ],
    hamming_noise => [ 'descriptor_hamming_ops', '<~>', 'made_up_bits(i, 128)', 0.9 ],
    jaccard_noise => [ 'descriptor_jaccard_ops', '<%>', 'made_up_bits(i, 128)', 0.9 ]);

my $node = start_node('recall', 'jit = off');
for my $name (sort keys %cases) {
    my ($class, $operator, $made, $floor) = @{ $cases{$name} };
    $node->safe_psql('postgres', qq{
        SELECT setseed(0.25);
        DROP TABLE IF EXISTS $name, queries;
        CREATE TABLE $name (id serial, d descriptor);
        INSERT INTO $name (d) SELECT $made FROM generate_series(1, 8000) AS i;
        CREATE TABLE queries AS SELECT $made AS d FROM generate_series(1, 60) AS i;
        CREATE INDEX ON $name USING faiss (d $class)});
    my $recall = "SELECT recall('$name', '$operator', 10)";
    my $check = sub {
        my ($when, $least) = @_;
        my $figure = $node->safe_psql('postgres', $recall);
        cmp_ok($figure, '>=', $least // $floor, "$name: $figure $when");
    };
    $check->('after the build');
    $node->safe_psql('postgres', "INSERT INTO $name (d) SELECT $made FROM generate_series(1, 4000) AS i");
    $check->('after inserts');
    $node->safe_psql('postgres', "DELETE FROM $name WHERE id % 10 < 7");
    $node->safe_psql('postgres', "VACUUM $name");
    # Lists learned for three times the rows.
    $check->('after a heavy delete', 0.88);
    # Scan codes may still hide a row in a thousand.
    my $all = $node->safe_psql('postgres', "SET lookalike.recall = 1; $recall");
    cmp_ok($all, '>=', 0.99, "$name: $all when every list is opened");
}
# The knob is one.
my $low = $node->safe_psql('postgres',
    q{SET lookalike.probes = 1; SELECT recall('l2_noise', '<->', 10)});
cmp_ok($low, '<', 0.6, "one list gives fewer: $low");
# An index that grew from nothing has one list at first, and looks at every row.
$node->safe_psql('postgres', q{
    CREATE TABLE grown (id serial, d descriptor);
    CREATE INDEX ON grown USING faiss (d);
    INSERT INTO grown (d) SELECT made_up(i, 32) FROM generate_series(1, 4000) AS i;
    DROP TABLE queries;
    CREATE TABLE queries AS SELECT made_up(i, 32) AS d FROM generate_series(1, 60) AS i});
is($node->safe_psql('postgres', q{SELECT recall('grown', '<->', 10)}), '1.000',
    'an index that grew from nothing is exact');
done_testing();
