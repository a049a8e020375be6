# What the library brings into a backend, and the life of the extension as an object of a database.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $pkglibdir = `pg_config --pkglibdir`;
chomp $pkglibdir;
my $library = "$pkglibdir/lookalike.so";

# OpenCV, FAISS and a BLAS belong into the worker: they start threads and take long to load.
my %allowed = map { $_ => 1 } qw(linux-vdso libc libm libgcc_s libstdc++ libhwy ld-linux);
my ($listing, $problems) = run_command([ 'ldd', $library ]);
my @names = map { m{^\s*(?:\S*/)?([^\s/]+?)(?:-x86-64|-aarch64)?\.so\b} ? $1 : () } split /\n/,
  $listing;
cmp_ok(scalar @names, '>=', 3, 'ldd lists the libraries') or diag "$listing $problems";
is_deeply([ grep { !$allowed{$_} } @names ], [], 'the library loads only what a backend may load');
unlike($listing, qr/not found/, 'every library is found');

my $node = PostgreSQL::Test::Cluster->new('backend');
$node->init;
$node->start;

is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'nothing is preloaded');
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike');

# One session uses the type, then counts the threads of its own process.
my $threads = $node->safe_psql(
    'postgres', q{
    CREATE TEMP TABLE t AS SELECT ARRAY[i, i * 2, i * 3]::real[]::descriptor(3) AS d
      FROM generate_series(1, 1000) AS i;
    SELECT count(*) FROM (SELECT d FROM t ORDER BY d <-> '[1,2,3]' LIMIT 10) AS nearest;
    SELECT count(*) FROM pg_ls_dir('/proc/' || pg_backend_pid() || '/task');
});
is($threads, "10\n1", 'a backend that used the type has one thread');

SKIP: {
    skip 'PostgreSQL 14 takes any setting with a prefix', 1
      if $node->safe_psql('postgres', 'SHOW server_version_num') < 150000;
    my (undef, undef, $refusal) =
      $node->psql('postgres', q{LOAD 'lookalike'; SET lookalike.no_such_setting = 1});
    like($refusal, qr/invalid configuration parameter name "lookalike.no_such_setting"/,
        'a setting that does not exist is refused');
}

# The extension as an object.
$node->safe_psql('postgres', 'CREATE SCHEMA other; ALTER EXTENSION lookalike SET SCHEMA other');
is( $node->safe_psql(
        'postgres',
        q{SET search_path = other; SELECT '[3,4]'::descriptor(2) <-> '[0,0]', avg(d)
            FROM (VALUES ('[1,2]'::descriptor), ('[3,4]')) AS v (d)}),
    '5|[2,3]',
    'it works in the schema that it was moved to');
my ($status, $output, $error) = $node->psql('postgres', q{SELECT '[1]'::descriptor});
isnt($status, 0, 'its old schema no longer has the type');
like($error, qr/type "descriptor" does not exist/, '... and says so');

$node->safe_psql('postgres', 'CREATE TABLE kept (id int, features other.descriptor(2))');
$node->safe_psql('postgres', q{INSERT INTO kept VALUES (1, '[1,2]')});
($status, $output, $error) = $node->psql('postgres', 'DROP EXTENSION lookalike');
isnt($status, 0, 'DROP EXTENSION refuses while a column needs it');
$node->safe_psql('postgres', 'ALTER EXTENSION lookalike UPDATE');
$node->safe_psql('postgres', 'DROP EXTENSION lookalike CASCADE');
is($node->safe_psql('postgres', 'TABLE kept'), '1', 'CASCADE drops the column, not the row');
is( $node->safe_psql(
        'postgres',
        q{SELECT count(*) FROM pg_proc WHERE probin = '$libdir/lookalike'}),
    '0',
    'DROP EXTENSION leaves no function behind');
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike SCHEMA other');
is($node->safe_psql('postgres', q{SELECT '[1,2]'::other.descriptor}),
    '[1,2]', 'it can be created again, in another schema');

$node->stop;
done_testing();
