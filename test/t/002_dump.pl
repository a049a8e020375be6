# pg_dump and pg_restore give every kind of column back: types, modifiers, values.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql(
    'source', q{
    CREATE EXTENSION lookalike;
    CREATE TABLE designs (
        id int PRIMARY KEY,
        of_real descriptor(3) DEFAULT '[0,0,1]',
        of_half descriptor(3, half),
        of_bit descriptor(8, bit),
        of_any descriptor,
        of_halves descriptor(half),
        of_bits descriptor(bit),
        CONSTRAINT unit CHECK (descriptor_norm(of_real) > 0.5)
    );
    INSERT INTO designs VALUES
        (1, '[1,2.5,-3]', '[0.1,65504,6e-8]', 'x0f', '[1,2]', '[0.1]', 'b1'),
        (2, '[0.1,3.4028235e38,1e-45]', '[1,2,3]', 'b10110001', 'b101', '[0.2,0.3]', 'xabc'),
        (3, NULL, NULL, NULL, NULL, NULL, NULL);
    INSERT INTO designs (id, of_any) SELECT 4,
        ARRAY(SELECT sin(i) FROM generate_series(1, 16000) AS i)::real[]::descriptor;
    CREATE INDEX ON designs (of_real);
    CREATE TABLE shapes (h descriptor(half), b descriptor(bit));
    INSERT INTO shapes VALUES ('[0.1,1]', 'b101'), (NULL, NULL);
    CREATE INDEX ON shapes USING faiss (h);
    CREATE INDEX ON shapes USING faiss (b descriptor_hamming_ops);
});

# Everything that a user can see of the table. A value's kind is left out where text cannot carry
# it: half values in a column without modifier.
my $contents = q{
    SELECT id, of_real, of_half, of_bit, md5(of_any::text), descriptor_kind(of_real),
           descriptor_kind(of_half), descriptor_kind(of_bit), descriptor_kind(of_any),
           of_halves, descriptor_kind(of_halves), of_bits, descriptor_kind(of_bits)
      FROM designs ORDER BY id};
my $columns = q{
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
     WHERE attrelid = 'designs'::regclass AND attnum > 0 ORDER BY attnum};
my $expected_contents = $node->safe_psql('source', $contents);
my $expected_columns = $node->safe_psql('source', $columns);
is( $expected_columns, join("\n",
        'id|integer', 'of_real|descriptor(3)', 'of_half|descriptor(3,half)',
        'of_bit|descriptor(8,bit)', 'of_any|descriptor', 'of_halves|descriptor(half)',
        'of_bits|descriptor(bit)'),
    'columns show their modifiers');

my $folder = $node->backup_dir;
mkdir $folder;
my %restore = (
    plain => sub { my ($file, $database) = @_;
        [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', $file ] },
    custom => sub { my ($file, $database) = @_;
        [ 'pg_restore', '--exit-on-error', '-d', $database, $file ] },
);
for my $format (sort keys %restore) {
    my ($file, $database) = ("$folder/$format.dump", "restored_$format");
    $node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, 'source' ],
        "$format: pg_dump");
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->command_ok($restore{$format}->($file, $database), "$format: restore");
    is($node->safe_psql($database, $columns), $expected_columns, "$format: same columns");
    is($node->safe_psql($database, $contents), $expected_contents, "$format: same values");
    is( $node->safe_psql($database, q{INSERT INTO designs (id) VALUES (5) RETURNING of_real}),
        '[0,0,1]', "$format: the default came along");
    is( $node->safe_psql($database, q{
            SET enable_seqscan = off;
            SELECT h, descriptor_kind(h) FROM shapes ORDER BY h <-> '[0,0]' LIMIT 1;
            SELECT b FROM shapes ORDER BY b <~> '100' LIMIT 1}),
        "[0.1,1]|half\nb101", "$format: so did indexes of any number of dimensions");
}

# The owner of a database, who is nobody else: his dump holds the networks, and he restores them
# where a superuser has made the extension. Strangers see their names only.
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN; CREATE ROLE stranger LOGIN');
for my $database ('kept', 'given') {
    $node->safe_psql('postgres', "CREATE DATABASE $database OWNER keeper");
    $node->safe_psql($database, 'CREATE EXTENSION lookalike');
}
$node->safe_psql('kept', q{
    INSERT INTO lookalike_models VALUES ('network', 'net', 1, '\x6e6574', '{"mean":[1,2,3]}', 4);
    SET ROLE keeper;
    CREATE TABLE designs AS SELECT '[1,2]'::descriptor(2) AS d;
    CREATE INDEX ON designs USING faiss (d)});
my $networks = 'SELECT kind, name, version, data, options, dims, digest FROM lookalike_models';
my $kept = $node->safe_psql('kept', $networks);
for my $format (sort keys %restore) {
    my $file = "$folder/kept_$format.dump";
    $node->command_ok([ 'pg_dump', '-U', 'keeper', "--format=$format", '--no-comments', '-f', $file, 'kept' ],
        "$format: pg_dump by the database's owner");
    $node->safe_psql('given', 'DROP TABLE IF EXISTS designs; DELETE FROM lookalike_models');
    my $command = $restore{$format}->($file, 'given');
    $node->command_ok([ $command->[0], '-U', 'keeper', @{$command}[1 .. $#{$command}] ],
        "$format: restore by the database's owner");
    is($node->safe_psql('given', $networks), $kept, "$format: the same networks");
    is($node->safe_psql('given', 'SELECT d FROM designs'), '[1,2]', "$format: the same rows");
}
my (undef, undef, $denied) = $node->psql('kept', 'SELECT data FROM lookalike_models',
    connstr => $node->connstr('kept') . ' user=stranger');
like($denied, qr/permission denied for table lookalike_models/, 'a stranger cannot read a network');
(undef, undef, $denied) = $node->psql('kept', q{SELECT register_image_model('net', 2, '\x00')},
    connstr => $node->connstr('kept') . ' user=stranger');
like($denied, qr/permission denied for function register_image_model/, '... nor bring one');
(undef, undef, $denied) = $node->psql('kept', q{UPDATE lookalike_models SET data = ''},
    connstr => $node->connstr('kept') . ' user=keeper');
like($denied, qr/permission denied for table lookalike_models/, "the database's owner changes none in place");

$node->stop;
done_testing();
