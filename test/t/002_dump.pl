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
        CONSTRAINT unit CHECK (descriptor_norm(of_real) > 0.5)
    );
    INSERT INTO designs VALUES
        (1, '[1,2.5,-3]', '[0.1,65504,6e-8]', 'x0f', '[1,2]'),
        (2, '[0.1,3.4028235e38,1e-45]', '[1,2,3]', 'b10110001', 'b101'),
        (3, NULL, NULL, NULL, NULL);
    INSERT INTO designs (id, of_any) SELECT 4,
        ARRAY(SELECT sin(i) FROM generate_series(1, 16000) AS i)::real[]::descriptor;
    CREATE INDEX ON designs (of_real);
});

# Everything that a user can see of the table. A value's kind is left out where text cannot carry
# it: half values in a column without modifier.
my $contents = q{
    SELECT id, of_real, of_half, of_bit, md5(of_any::text), descriptor_kind(of_real),
           descriptor_kind(of_half), descriptor_kind(of_bit), descriptor_kind(of_any)
      FROM designs ORDER BY id};
my $columns = q{
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
     WHERE attrelid = 'designs'::regclass AND attnum > 0 ORDER BY attnum};
my $expected_contents = $node->safe_psql('source', $contents);
my $expected_columns = $node->safe_psql('source', $columns);
is( $expected_columns, join("\n",
        'id|integer', 'of_real|descriptor(3)', 'of_half|descriptor(3,half)',
        'of_bit|descriptor(8,bit)', 'of_any|descriptor'),
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
}

$node->stop;
done_testing();
