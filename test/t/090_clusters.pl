# kmeans() and dbscan() are cancelled and run out of time, and a worker is lost: an error at once, nothing is left, the session goes on.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = start_node('clusters', 'log_statement = none');
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial, d descriptor(128));
    INSERT INTO t (d) SELECT made_up(i, 128) FROM generate_series(1, 1000) AS i;
    INSERT INTO t (d) SELECT d + made_up(1, 128) FROM t, generate_series(1, 29);
});
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
my $threads = 'SELECT count(*) FROM pg_ls_dir(\'/proc/\' || pg_backend_pid() || \'/task\')';
my $clusters = 'SELECT count(DISTINCT c) FROM (SELECT kmeans(d, 3000) OVER () AS c FROM t) AS x';

# Its error, and how long it took to end.
sub interrupt { my ($how) = @_;
    return interrupt_with_worker($node, $session, $clusters, 0, $how) }

my ($error, $took) = interrupt(sub { $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)") });
like($error, qr/canceling statement due to user request/, 'cancelled');
cmp_ok($took, '<', 2, '... soon');
ok(no_worker_left($node), '... and no worker is left');

($error) = interrupt(sub { kill 'KILL', @_ });
like($error, qr/ERROR:.*worker/, 'a killed worker is an error');
ok(no_worker_left($node), '... and none is left');

$session->query_safe("SET statement_timeout = '300ms'");
$session->query("$clusters;");
like($session->{stderr}, qr/canceling statement due to statement timeout/, 'statement_timeout ends it');
$session->{stderr} = '';
ok(no_worker_left($node), '... and its worker');
my $start = time;
$session->query("SELECT count(c) FROM (SELECT dbscan(d, 'infinity', 1000000) OVER () AS c FROM t) AS x;");
$took = time - $start;
like($session->{stderr}, qr/canceling statement due to statement timeout/, '... and dbscan()');
cmp_ok($took, '<', 2, '... soon');
$session->{stderr} = '';
$session->query_safe('RESET statement_timeout');

# A worker that is kept for the next partition ends with the statement, or with a cursor.
my $groups = 'SELECT kmeans(d, 2) OVER (PARTITION BY id % 20) AS c FROM t';
is($session->query_safe("SELECT count(*) FROM ($groups) AS x"), '30000', 'many partitions');
ok(no_worker_left($node), '... leave no worker');
$session->query_safe("BEGIN; DECLARE c CURSOR FOR $groups; FETCH c; SAVEPOINT s; FETCH c;");
$session->query_safe('ROLLBACK TO s; MOVE 2000 IN c; COMMIT;');
ok(no_worker_left($node), 'nor does a cursor');
is($session->query_safe($threads), '1', 'the backend has one thread');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no temporary file is left');
$session->quit;
is($node->safe_psql('postgres', qq{
    SELECT count(*) FROM (SELECT id, kmeans(d, 10) OVER (ORDER BY id) AS a FROM t) AS x
    JOIN (SELECT id, kmeans(d, 10) OVER (ORDER BY d) AS b FROM t) AS y USING (id) WHERE a = b}),
    '30000', 'the same clusters in any order');
unlike(slurp_file($node->logfile), qr/temporary file leak/, 'no file was forgotten');
done_testing();
