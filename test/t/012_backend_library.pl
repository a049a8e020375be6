# What the server loads is small: no image library, no FAISS, no BLAS, no second thread, and nothing
# to set up before CREATE EXTENSION.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('library');
$node->init;
$node->start;
is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'nothing is preloaded');
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike');

chomp(my $folder = `pg_config --pkglibdir`);
my ($out, $error) = run_command([ 'ldd', "$folder/lookalike.so" ]);
like($out, qr/libc\.so/, 'ldd lists what the library needs');
my @foreign = grep { !m{^\s*(?:linux-vdso|libc|libm|libgcc_s|libstdc\+\+|libhwy|/lib\S*/ld-linux\S*)[.\s]} } split /\n/, $out;
is("@foreign", '', 'it needs libc, libm, libgcc, libstdc++ and Highway only');

is( $node->safe_psql(
		'postgres', q{
		CREATE TABLE items (v descriptor(64));
		INSERT INTO items SELECT array_agg(sin(i * j))::descriptor FROM generate_series(1, 500) i, generate_series(1, 64) j GROUP BY i;
		SET max_parallel_workers_per_gather = 0;
		DO 'BEGIN PERFORM FROM items ORDER BY v <-> (SELECT avg(v) FROM items) LIMIT 1; END';
		SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') from 'Threads:\s*(\d+)');}),
	'1', 'a backend that has searched has one thread');

$node->stop;
done_testing();
