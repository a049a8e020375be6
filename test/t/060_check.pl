# faiss_index_check finds nothing wrong with an index that has lived: inserts, deletes, vacuum,
# concurrent builds, a crash, every kind of entry.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('check');

sub sound
{
    my ($index, $what) = @_;
    my ($status, $output, $error) = $node->psql('postgres', "SELECT faiss_index_check('$index')");
    is($status, 0, "$index: $what") or diag $error;
    return;
}

# Inserts, updates in place, deletes, vacuum, and new rows in the old places.
sub live
{
    my ($table, $index, $value) = @_;
    sound($index, 'as built');
    $node->safe_psql('postgres',
        "INSERT INTO $table SELECT i, $value FROM generate_series(10001, 10300) AS i");
    sound($index, 'after inserts');
    $node->safe_psql(
        'postgres', "UPDATE $table SET note = 'x' WHERE id % 3 = 0;
        UPDATE $table SET id = id + 1000000 WHERE id % 4 = 0;
        DELETE FROM $table WHERE id % 5 = 0");
    sound($index, 'after updates and deletes');
    $node->safe_psql('postgres', "VACUUM $table");
    sound($index, 'after vacuum');
    $node->safe_psql('postgres',
        "INSERT INTO $table SELECT i, $value FROM generate_series(20001, 20200) AS i");
    sound($index, 'with new rows in old places');
    return;
}

# Each: column type, value of row i, operator class, options. Every 7th row is NULL, every 11th has
# no direction.
my %cases = (
    l2 => [ 'descriptor(16)', 'made(i, 16)', '', 'lists = 5' ],
    single => [ 'descriptor(16)', 'made(i, 16)', '', '' ],
    half => [ 'descriptor(20, half)', 'made(i, 20)::descriptor(20, half)', 'descriptor_ip_ops',
        q{lists = 3, refine = 'half'} ],
    unrefined => [ 'descriptor', 'made(i, 30)', '', q{lists = 3, refine = 'none'} ],
    exact => [ 'descriptor(300)', 'made(i, 300)', '', q{lists = 3, refine = 'float'} ],
    cosine => [ 'descriptor(8)',
        q{CASE WHEN i % 11 = 0 THEN '[0,0,0,0,0,0,0,0]' ELSE made(i, 8) END},
        'descriptor_cosine_ops', 'lists = 4' ],
    bits => [ 'descriptor(100, bit)', 'binary_quantize(made(i, 100))', 'descriptor_hamming_ops',
        'lists = 4' ],
    jaccard => [ 'descriptor(2000, bit)', 'binary_quantize(made(i, 2000))',
        'descriptor_jaccard_ops', '' ],
    wide => [ 'descriptor(4096)', 'made(i, 4096)', 'descriptor_ip_ops', 'lists = 3' ],
);
for my $name (sort keys %cases)
{
    my ($type, $value, $class, $options) = @{ $cases{$name} };
    $value = "CASE WHEN i % 7 <> 0 THEN $value END";
    my $rows = $name eq 'wide' ? 100 : 900;
    my $with = $options ? "WITH ($options)" : '';
    $node->safe_psql(
        'postgres', "CREATE TABLE $name (id int, f $type, note text) WITH (fillfactor = 70);
        INSERT INTO $name SELECT i, $value FROM generate_series(1, $rows) AS i;
        CREATE INDEX ${name}_f ON $name USING faiss (f $class) $with");
    live($name, "${name}_f", $value);
}
is( $node->safe_psql(
        'postgres', q{SELECT depth, lists > 1, code_bytes > 0, refine_bytes > 0, dimensions
                        FROM faiss_index_info('wide_f')}),
    '2|t|t|t|4096',
    'the wide index has pages of every kind');

# An index of a part of the table, on an expression.
$node->safe_psql(
    'postgres', q{
    CREATE INDEX part_f ON l2 USING faiss ((subvector(f, 3, 5)::descriptor(5)) descriptor_cosine_ops)
        WHERE id % 2 = 1});
sound('part_f', 'partial, on an expression');
$node->safe_psql('postgres', 'UPDATE l2 SET id = id + 1');
sound('part_f', 'after every row has changed sides');

# Empty tables, with and without known dimensions; kinds that tables have.
$node->safe_psql(
    'postgres', q{
    CREATE TABLE bare (f descriptor);
    CREATE INDEX bare_f ON bare USING faiss (f);
    CREATE UNLOGGED TABLE unlogged (id int, f descriptor(4));
    CREATE INDEX unlogged_f ON unlogged USING faiss (f);
    INSERT INTO unlogged SELECT i, made(i, 4) FROM generate_series(1, 500) AS i;
});
sound('bare_f', 'of an empty table');
$node->safe_psql('postgres', q{INSERT INTO bare VALUES (NULL)});
sound('bare_f', 'of a table without a descriptor');
$node->safe_psql('postgres', q{INSERT INTO bare VALUES ('[1,2]'), (NULL)});
sound('bare_f', 'once the dimensions are known');
sound('unlogged_f', 'unlogged');
is( $node->safe_psql(
        'postgres', q{
        CREATE TEMP TABLE own AS SELECT made(i, 4)::descriptor(4) AS f FROM generate_series(1, 99) AS i;
        CREATE INDEX own_f ON own USING faiss (f);
        SELECT faiss_index_check('own_f') IS NULL}),
    'f',
    'of a temporary table');

# Most rows go, which empties pages; the pages serve again.
$node->safe_psql('postgres', 'DELETE FROM exact WHERE id > 40; VACUUM exact');
sound('exact_f', 'after nearly all rows have gone');
cmp_ok($node->safe_psql('postgres', q{SELECT free_bytes FROM faiss_index_info('exact_f')}),
    '>', 0, '... which made pages free');
$node->safe_psql('postgres',
    'INSERT INTO exact SELECT i, made(i, 300) FROM generate_series(40001, 41000) AS i');
sound('exact_f', 'with new rows in recycled pages');

# What the own transaction has done counts, and what it took back leaves nothing wrong.
is( $node->safe_psql(
        'postgres', q{
        BEGIN;
        INSERT INTO l2 SELECT i, made(i, 16) FROM generate_series(30001, 30100) AS i;
        DELETE FROM l2 WHERE id % 9 = 0;
        SELECT 1 WHERE faiss_index_check('l2_f') IS NOT NULL;
        ROLLBACK}),
    '1',
    'inside a transaction that has written');
sound('l2_f', 'after a rollback');

# Builds beside writers.
$node->append_conf('postgresql.conf', 'max_connections = 30');
my $script = $node->basedir . '/write.sql';
append_to_file($script, q{
\set seed random(1, 100000)
INSERT INTO single SELECT :seed, CASE WHEN :seed % 7 <> 0 THEN made(:seed, 16) END;
UPDATE single SET note = note || 'y' WHERE id = :seed % 900;
UPDATE single SET f = made(:seed, 16) WHERE id = :seed % 800;
DELETE FROM single WHERE id = :seed % 1000;
});
my $writers = IPC::Run::start(
    [   'pgbench', '-n', '-c', '3', '-T', '6', '-f', $script,
        '-h', $node->host, '-p', $node->port, 'postgres' ],
    '>', '/dev/null', '2>', \my $writer_errors);
$node->safe_psql('postgres',
    'CREATE INDEX CONCURRENTLY single_g ON single USING faiss (f) WITH (lists = 6)');
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY single_f');
$node->safe_psql('postgres', 'VACUUM single');
sound('single_g', 'built beside writers, which wait for the check');
$writers->finish;
is($writer_errors !~ /ERROR|aborted/, 1, 'the writers met no error') or diag $writer_errors;
sound('single_g', 'built beside writers');
sound('single_f', 'rebuilt beside writers');

# Recovery gives back an index that fits its table.
$node->safe_psql('postgres', 'CHECKPOINT');
my $doomed = IPC::Run::start(
    [   'pgbench', '-n', '-c', '3', '-T', '60', '-f', $script,
        '-h', $node->host, '-p', $node->port, 'postgres' ],
    '>', '/dev/null', '2>', '/dev/null');
sleep 2;
$node->stop('immediate');
$doomed->finish;
$node->start;
sound($_, 'after a crash') for qw(single_f single_g unlogged_f cosine_f wide_f);

$node->stop;
done_testing();
