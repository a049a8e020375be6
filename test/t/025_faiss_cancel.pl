# Cancel in every phase of a build and in a scan: at once, nothing is left, the session goes on. A
# worker that is killed is one error.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = start_node('cancel', 'log_statement = none');
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial, d descriptor(128));
    INSERT INTO t (d) SELECT made_up(i, 128) FROM generate_series(1, 1000) AS i;
    INSERT INTO t (d) SELECT d + made_up(1, 128) FROM t, generate_series(1, 29);
});
my $build = 'CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 600)';
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('SET client_min_messages = error');
my $pid = $session->query_safe('SELECT pg_backend_pid()');
my $threads = 'SELECT count(*) FROM pg_ls_dir(\'/proc/\' || pg_backend_pid() || \'/task\')';

sub files_of_database {
    return $node->safe_psql('postgres',
        q{SELECT count(*) FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = 'postgres')) AS name
           WHERE name ~ '^[0-9]+$'});
}

# Starts a build, waits for a phase, cancels or does something else, and returns its error and how long it took to end.
sub interrupt_build {
    my ($phase, $how) = @_;
    my $cancels = $how ? 'false' : 'true';
    $session->query_until(qr/started/, "\\echo started\n$build;\n\\echo ended\n");
    # In one statement, because a phase may be short.
    $node->safe_psql('postgres', qq{DO \$\$ BEGIN
        LOOP
            PERFORM pg_stat_clear_snapshot();
            EXIT WHEN EXISTS (SELECT FROM pg_stat_progress_create_index
                               WHERE pid = $pid AND phase LIKE '%$phase%')
                   OR EXISTS (SELECT FROM pg_stat_activity
                               WHERE pid = $pid AND state = 'idle' AND query LIKE 'CREATE INDEX%');
            PERFORM pg_sleep(0.001);
        END LOOP;
        IF $cancels THEN PERFORM pg_cancel_backend($pid); END IF;
    END \$\$});
    my $start = time;
    $how->() if $how;
    $session->query('SELECT 1');
    my $took = time - $start;
    my $error = $session->{stderr};
    $session->{stderr} = '';
    return ($error, $took);
}

my $files = files_of_database();
for my $phase ('sampling rows', 'learning lists', 'assigning rows', 'writing lists') {
    my ($error, $took, $tries);
    # On a busy machine a short phase may pass unseen, and anything may take its time.
    for (1 .. 20) {
        $tries = $_;
        $session->query('DROP INDEX IF EXISTS t_d');
        ($error, $took) = interrupt_build($phase);
        last if $error =~ /canceling/ && $took < 2;
    }
    like($error, qr/canceling statement due to user request/, "$phase: cancelled, try $tries");
    cmp_ok($took, '<', 2, "$phase: soon");
    $session->query('DROP INDEX IF EXISTS t_d');
    ok(no_worker_left($node), "$phase: no worker is left");
    is($session->query_safe($threads), '1', "$phase: the backend has one thread");
}
$node->safe_psql('postgres', 'CHECKPOINT');
is(files_of_database(), $files, 'no file is left');

my ($error) = interrupt_build('learning lists', sub {
    my @workers;
    for (1 .. 100) {
        last if @workers = workers_of($node);
        select undef, undef, undef, 0.02;
    }
    kill 'KILL', @workers;
});
like($error, qr/ERROR:.*worker/, 'a killed worker is an error');
ok(no_worker_left($node), '... and none is left');
$session->query("SET statement_timeout = '150ms'");
$session->query("$build;");
like($session->{stderr}, qr/canceling statement due to statement timeout/, 'statement_timeout ends a build');
$session->{stderr} = '';
ok(no_worker_left($node), '... and its worker');
$session->query('RESET statement_timeout');
$session->query_safe($build);
pass('the same session builds the index afterwards');
is($session->query_safe($threads), '1', '... with one thread');
$session->query_safe('ANALYZE t');

$session->query_safe($_) for 'SET enable_seqscan = off', 'SET enable_sort = off', "SET work_mem = '64kB'";
$session->query("SET statement_timeout = '60ms'");
my $scan = 'SELECT count(*) FROM (SELECT id FROM t ORDER BY d <-> (SELECT d FROM t LIMIT 1)) AS x';
my $took;
for (1 .. 5) {
    my $start = time;
    $session->{stderr} = '';
    $session->query($scan);
    $took = time - $start;
    last if $took < 1;
}
cmp_ok($took, '<', 1, 'statement_timeout ends a scan soon');
like($session->{stderr}, qr/canceling statement due to statement timeout/, '... as it should');
$session->{stderr} = '';
$session->query('RESET statement_timeout');
is($session->query_safe($scan), '30000', 'the session scans to the end afterwards');
is($session->query_safe($threads), '1', '... with one thread');
$session->quit;
done_testing();
