# lookalike_versions where the worker cannot start, and where it is cancelled.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('versions');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike');

my $library = $node->safe_psql('postgres', 'SELECT version FROM lookalike_versions() LIMIT 1');
is($library,
    $node->safe_psql('postgres',
        q{SELECT extversion FROM pg_extension WHERE extname = 'lookalike'}),
    'the version of the extension');
is( $node->safe_psql('postgres',
        q{SELECT version FROM lookalike_versions() WHERE component = 'worker'}),
    '',
    'a worker that works has no row of its own');

# This backend may start no process for a while.
my ($status, $output, $error) = $node->psql(
    'postgres', q{
    SELECT pg_backend_pid() AS pid \gset
    \setenv PID :pid
    BEGIN;
    \! prlimit --pid $PID --nproc=1:
    SELECT version FROM lookalike_versions() WHERE component = 'worker';
    SELECT count(*) FROM lookalike_versions() WHERE component IN ('lookalike', 'SIMD', 'FAISS');
    \! prlimit --pid $PID --nproc=$(prlimit --pid $PID --nproc -o HARD --noheadings | tr -d " "):
    SELECT count(*) FROM lookalike_versions() WHERE component IN ('lookalike', 'SIMD', 'FAISS');
    COMMIT;
});
is($status, 0, 'no ERROR where the worker cannot start') or diag $error;
like($output, qr/^not available: could not start a worker process/, 'a row says why');
like($output, qr/\n2\n3$/, 'the other rows are there, and later the worker works again');

($status, $output, $error) = $node->psql(
    'postgres', q{
    SET statement_timeout = '5ms';
    SELECT count(*) FROM lookalike_versions(), generate_series(1, 3) WHERE pg_sleep(0) IS NOT NULL;
    SELECT count(*) FROM (SELECT lookalike_versions() FROM generate_series(1, 1000)) AS many});
isnt($status, 0, 'a statement that takes too long is cancelled');
like($error, qr/canceling statement due to statement timeout/, '... with its usual ERROR');

is( $node->safe_psql('postgres', 'SELECT count(*) > 4 FROM lookalike_versions()'),
    't', 'the next session is not bothered');

$node->stop;
done_testing();
