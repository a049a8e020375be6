# The warm parent: sessions start fast, networks are there, the number of workers is bounded, and
# whichever process is killed, the server goes on and leaves none behind.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('image_warm');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
    shared_preload_libraries = 'lookalike'
    lookalike.shared_image_cache_size = 0  # each session is to need a worker
    restart_after_crash = on
});
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION lookalike;
    CREATE FUNCTION ppm(color text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$SELECT convert_to(E'P6\n8 8\n255\n', 'LATIN1') || decode(repeat(color, 64), 'hex')$$;
    CREATE TABLE pictures (photo bytea);
    CREATE ROLE visitor;
});
$node->safe_psql('postgres', "INSERT INTO pictures VALUES ('\\x" . png(4000, 4000, 4000) . "')");

my $quick = q{SELECT descriptor_dims(image_features(ppm('ff8000'), 'phash'))};
my $is_warm = 'SELECT warm FROM image_worker_stats()';
# Many seconds in one request.
my $slow = q{SELECT count(*) FROM image_features_batch(array_fill(
    (SELECT photo FROM pictures), ARRAY[32]), 'color+pattern')};
my $uncached = 'SET lookalike.image_cache_size = 0';

sub sql { my ($statements, $database) = @_;
    return $node->safe_psql($database // 'postgres', $statements) }

# Output and errors of a session that goes on after errors.
sub session {
    my (@statements) = @_;
    my ($out, $err);
    $node->psql('postgres', join(";\n", @statements), stdout => \$out, stderr => \$err,
        on_error_stop => 0, on_error_die => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    return ($out, $err);
}

sub wait_for_parent {
    wait_until(sub { warm_parent_of($node) && -S $node->data_dir . '/pg_stat_tmp/lookalike.sock' })
      or die 'no warm parent';
    return warm_parent_of($node);
}

sub children_of_parent { my ($parent) = @_; return grep { $_ != $parent } worker_processes($node) }

sub wait_for_server { wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 }) or die 'no server' }

# A session in the background; returns its handle and its backend's number.
sub background {
    my ($statement) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    my $backend = $session->query_safe('SELECT pg_backend_pid()') + 0;
    $session->query_safe($uncached);
    if ($statement) {
        $session->{stdin} .= "$statement;\n";
        $session->{run}->pump_nb;
        wait_until(sub { sql("SELECT state = 'active' AND query LIKE '%batch%' AND wait_event = 'Extension'
            FROM pg_stat_activity WHERE pid = $backend") eq 't' }) or die 'it does not start';
    }
    return ($session, $backend);
}

# Processes and the socket.
my $parent = wait_for_parent();
my $socket = $node->data_dir . '/pg_stat_tmp/lookalike.sock';
is((stat $socket)[2] & 0777, 0700, 'only the server\'s user reaches the socket');
is(scalar(() = glob("/proc/$parent/task/*")), 1, 'the warm parent has one thread');
# Its sandbox is the last step of its start.
ok(wait_until(sub { slurp_or_empty("/proc/$parent/status") =~ /^Seccomp:\s+2$/m }),
    '... a filter on system calls');
like(slurp_or_empty("/proc/$parent/status"), qr/^NoNewPrivs:\s+1$/m, '... and no new privileges');
{
    my @open = map { readlink $_ } glob("/proc/$parent/fd/*");
    is_deeply([ grep { !m{^(?:/dev/null|pipe:.*|socket:.*|anon_inode:\[signalfd\]|/proc/$parent/statm|.*\.log)$} } @open ],
        [], '... no descriptors but its sockets, the log, its own signals and size') or diag "@open";
}
is(sql("$quick; $is_warm"), "64\nt", 'a session\'s worker is forked from it');
cmp_ok(sql("$quick; SELECT last_start_ms FROM image_worker_stats()") =~ s/^64\n//r, '<', 500, '... soon');
is(sql('SELECT count(*) FROM lookalike_versions()') > 0 ? 'yes' : 'no', 'yes', 'others are executed');

# Networks.
my $plain = q{8, 8, '{0,0,0}', '{255,255,255}', normalized => false};
my $red = q{SELECT array(SELECT round(x::numeric, 3) FROM unnest(
    image_features(ppm('ff8000'), 'net:means@1')::real[]) AS x)};
my $loads = 'SELECT models_preloaded, models_loaded FROM image_worker_stats()';
my ($means, $doubled) = (onnx(0), onnx(1));
sql("SELECT register_image_model('means', 1, '\\x$means', $plain)");
is(sql("$red; $loads"), "{1.000,0.502,0.000}\n0|1", 'a network that is not preloaded is sent');
is(sql(q{SELECT image_model_preload('means', 1) > 0}), 't', 'image_model_preload()');
is(sql("$red; $loads"), "{1.000,0.502,0.000}\n1|0", '... and sessions have it');
sql("SELECT drop_image_model('means', 1); SELECT register_image_model('means', 1, '\\x$doubled', $plain)");
is(sql("$red; $loads"), "{2.000,1.004,0.000}\n0|1", 'another one under its name is not mistaken for it');
sql(q{UPDATE lookalike_models SET options = options || '{"std":[510,510,510]}'});
sql("SELECT image_model_preload('means', 1)");
is(sql("$red; $loads"), "{1.000,0.502,0.000}\n1|0", 'nor are its settings');
sql(q{UPDATE lookalike_models SET options = options || '{"std":[255,255,255]}'});
is(sql("$red; $loads"), "{2.000,1.004,0.000}\n0|1", '... when they change');

sub refusal { my ($out, $err) = session(@_); return $err }
like(refusal("SET ROLE visitor", "SELECT image_model_preload('means', 1)"), qr/42501/,
    'preloading is the owner\'s right');
like(refusal("SELECT image_model_preload('nothing', 1)"), qr/42704: image model "nothing\@1"/,
    'a network that is not registered');
sql(q{INSERT INTO lookalike_models (kind, name, version, data, options, dims)
    SELECT kind, 'junk', 1, 'junk', options, 3 FROM lookalike_models});
like(refusal("SELECT image_model_preload('junk', 1)"),
    qr/22000: could not preload the network\nDETAIL:  could not load image model/, 'junk');
sql(q{UPDATE lookalike_models SET options = options || '{"input_width":4000}' WHERE name = 'junk'});
like(refusal("SELECT image_model_preload('junk', 1)"), qr/22000.*out of range/s, 'an input out of range');
is(warm_parent_of($node), $parent, '... harm nobody');

# While the parent loads a network it forks nothing.
{
    sql(q{UPDATE lookalike_models SET name = 'slow', data = '\x} . slow_onnx(2000)
          . q{', options = options || '{"input_width":1024,"input_height":1024}' WHERE name = 'junk'});
    my ($with_worker) = background();
    $with_worker->query_safe($quick);
    my ($loading) = background();
    $loading->{stdin} .= "SELECT image_model_preload('slow', 1) > 0;\n";
    $loading->{run}->pump_nb;
    ok(wait_until(sub { children_of_parent($parent) > 1 }), 'a child of the parent checks a slow network');
    is(sql("$quick; $is_warm"), "64\nt", '... while sessions get warm workers');
    ok(wait_until(sub { children_of_parent($parent) == 1 }), '... then the parent loads it');
    my $begin = q{SELECT set_config('test.begin', clock_timestamp()::text, false) IS NULL};
    my $in_time = q{SELECT clock_timestamp() - current_setting('test.begin')::timestamptz < interval '600 ms'};
    my ($out, $err) = session('SET statement_timeout = 400', $begin, $quick, 'RESET statement_timeout', $in_time);
    like($err, qr/57014: canceling statement due to statement timeout/,
        '... and a session that waits for a worker can be cancelled');
    is($out, "f\nt", '... within 200 ms');
    $out = $with_worker->query("SET statement_timeout = 400; $begin; $slow; RESET statement_timeout; $in_time");
    like($with_worker->{stderr}, qr/canceling statement due to statement timeout/,
        'a request to a worker can be cancelled as well');
    is($out, "f\nt", '... within 200 ms');
    is(sql($quick), '64', '... or gets one in the end');
    is($loading->query_safe('SELECT 1'), "t\n1", 'the network is loaded');
    is(sql("$quick; $is_warm"), "64\nt", '... and workers are forked again');
    ok(wait_until(sub { children_of_parent($parent) == 0 }), '... and the cancelled worker has ended');
    $_->quit for $loading, $with_worker;
}

# A bound over all sessions.
sql('ALTER SYSTEM SET lookalike.max_workers = 1');
sql('SELECT pg_reload_conf()');
wait_until(sub { sql('SHOW lookalike.max_workers') eq '1' });
{
    my ($idle) = background();
    is($idle->query_safe($quick), '64', 'the first session has a worker');
    usleep(200_000);
    my $begin = time;
    is(sql("SET statement_timeout = '5s'; $quick"), '64', 'an idle one is given up for the next session');
    is($idle->query_safe($quick), '64', '... whose session goes on');
    ok(wait_until(sub { children_of_parent($parent) == 1 }), 'there is one worker');
    $idle->quit;

    my ($busy, $backend) = background($slow);
    my $turn = q{SELECT turn_wait_ms > 100 FROM image_worker_stats()};
    my ($out, $err) = session('SET statement_timeout = 400', $quick);
    like($err, qr/57014: canceling statement due to statement timeout/, 'waiting for a turn can be cancelled');
    ok(wait_until(sub { children_of_parent($parent) == 1 }), '... there is still one worker');
    my ($waiting, $waiting_backend) = background();
    $waiting->query_safe('SET lookalike.worker_timeout = 200');
    $waiting->{stdin} .= "$quick;\n";
    $waiting->{run}->pump_nb;
    my $waits = sub { sql("SELECT wait_event FROM pg_stat_activity WHERE pid = $waiting_backend") eq 'Extension' };
    wait_until($waits);
    usleep(700_000);
    ok($waits->(), 'a session waits for its turn, longer than lookalike.worker_timeout');
    sql("SELECT pg_cancel_backend($backend)");
    is($waiting->query_safe($turn), "64\nt", '... and gets it');
    is(scalar($busy->query($quick)), '64', 'the cancelled session gets one again') or diag $busy->{stderr};
    $_->quit for $busy, $waiting;
    is(sql($quick), '64', 'sessions that end give their turns back');

    # Three that are never idle for long share it.
    my $many = "$uncached; SELECT count(image_features(ppm(lpad(to_hex(i), 6, '0')), 'phash'))
        FROM generate_series(1, 3000) AS i; SELECT worker_starts > 0 FROM image_worker_stats()";
    my @runs = map { my $run = { out => '' };
        $run->{harness} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $many ],
            '<', \undef, '>', \$run->{out}, '2>', \$run->{err}); $run } 1 .. 3;
    my $most = 0;
    while (grep { $_->{harness}->pumpable } @runs) {
        $_->{harness}->pump_nb for grep { $_->{harness}->pumpable } @runs;
        my $count = children_of_parent($parent);
        $most = $count if $count > $most;
        usleep(2_000);
    }
    $_->{harness}->finish for @runs;
    is_deeply([ map { $_->{out} } @runs ], [ ("3000\nt\n") x 3 ], 'busy sessions take turns');
    is($most, 1, '... with one worker at a time');
}
# The parent stops answering, and dies.
{
    kill 'STOP', $parent;
    is(sql("$quick; $is_warm"), "64\nf", 'sessions help themselves when the parent does not answer');
    my ($idle) = background();
    is($idle->query_safe("$quick; $is_warm"), "64\nf", '... which count as well');
    usleep(200_000);
    is(sql("SET statement_timeout = '20s'; $quick; $is_warm"), "64\nf", '... and give up their turns');
    is($idle->query_safe("$quick; SELECT worker_starts FROM image_worker_stats()"), "64\n2",
        '... together with their workers');
    $idle->quit;
    sql('ALTER SYSTEM RESET lookalike.max_workers');
    sql('SELECT pg_reload_conf()');
    kill 'CONT', $parent;
    ok(wait_until(sub { children_of_parent($parent) == 0 }), '... whose late child is ended');
    is(sql("$quick; $is_warm"), "64\nt", '... until it does');

    my ($session) = background();
    is($session->query_safe("$quick; $is_warm"), "64\nt", 'a warm worker');
    my ($busy) = background($slow);
    my @children;
    ok(wait_until(sub { (@children = children_of_parent($parent)) == 2 }), 'two workers');
    kill 'KILL', $parent;
    ok(wait_until(sub { !grep { !has_ended($_) } $parent, @children }), 'its children end with the parent');
    is($session->query_safe($quick), '64', 'a session whose parent died goes on');
    like(($busy->query('SELECT 1'), $busy->{stderr})[-1],
        qr/ended unexpectedly.*ended by signal 9|ended unexpectedly.*ended as well/s, 'a call is cut short by an error');
    my $next = wait_for_parent();
    isnt($next, $parent, 'another parent is started');
    $_->quit for $session, $busy;

    # The first worker of one parent must not be taken for the first of another.
    sql('ALTER SYSTEM SET lookalike.max_workers = 2');
    sql('SELECT pg_reload_conf()');
    my $kill_parent = sub {
        my $old = warm_parent_of($node);
        kill 'KILL', $old;
        wait_until(sub { has_ended($old) });
        $parent = wait_for_parent() };
    $kill_parent->();
    my ($idle) = background();
    is($idle->query_safe("$quick; $is_warm"), "64\nt", '... and used');
    $kill_parent->();
    ($busy) = background($slow);
    my $first;
    ok(wait_until(sub { ($first) = children_of_parent($parent) }), 'a worker of the last parent');
    is(sql("SET statement_timeout = '20s'; $quick; $is_warm"), "64\nt", 'a turn without a worker is taken');
    ok(!has_ended($first), '... and no other worker is ended');
    sql('ALTER SYSTEM RESET lookalike.max_workers');
    sql('SELECT pg_reload_conf()');
    $idle->quit;
    kill 'KILL', $first;
    $busy->quit;
}

# A backend is killed while its worker computes.
{
    my ($busy, $backend) = background($slow);
    my @before;
    ok(wait_until(sub { (@before = worker_processes($node)) == 2 }), 'a worker computes');
    kill 'KILL', $backend;
    ok(wait_until(sub { !grep { !has_ended($_) } @before }), 'it ends with its backend, as the server restarts');
    wait_for_server();
    $parent = wait_for_parent();
    ok(wait_until(sub { sql("$quick; $is_warm") eq "64\nt" }), 'the restarted server starts warm workers');
    eval { $busy->quit };
}

# The launcher is killed.
{
    kill 'KILL', launcher_of($node);
    ok(wait_until(sub { has_ended($parent) }), 'the parent ends with the launcher');
    wait_for_server();
    ok(wait_until(sub { warm_parent_of($node) }), '... and both come back');
    $parent = wait_for_parent();
    kill 'TERM', launcher_of($node);
    ok(wait_until(sub { (warm_parent_of($node) // $parent) != $parent }), 'terminated, it comes back as well');
}

# Stopping, in each way, and networks that are preloaded at the start.
sql(q{CREATE DATABASE shop TEMPLATE postgres}, 'template1');
$node->append_conf('postgresql.conf', q{
    lookalike.preload_database = 'shop'
    lookalike.preload_models = 'nothing@1, means@1'
});
for my $mode ('fast', 'immediate') {
    wait_for_parent();
    my ($busy) = background($slow);
    $node->stop($mode);
    ok(wait_until(sub { !worker_processes($node) }), "no process is left after a stop ($mode)");
    eval { $busy->quit };
    $node->start;
}
ok(wait_until(sub { sql("$red; $loads") eq "{2.000,1.004,0.000}\n1|0" }), 'lookalike.preload_models');
is(sql("$red; $loads", 'shop'), "{2.000,1.004,0.000}\n1|0", '... is for every database that has the same network');
like(slurp_file($node->logfile), qr/image model "nothing\@1" is not registered/, 'the log names those that are not there');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop'}), '0', 'nobody stays in the database');

# A standby has a warm parent of its own; the socket is no part of a base backup.
{
    my $backup = $node->backup_dir . '/base';
    my ($out, $err) = run_command([ 'pg_basebackup', '-D', $backup, '-h', $node->host, '-p', $node->port,
            '--checkpoint', 'fast', '--no-sync' ]);
    is($err, '', 'a base backup has nothing to say');
    my $standby = PostgreSQL::Test::Cluster->new('image_standby');
    $standby->init_from_backup($node, 'base', has_streaming => 1);
    $standby->start;
    ok(wait_until(sub { $standby->safe_psql('postgres', "$red; $loads; $is_warm")
              eq "{2.000,1.004,0.000}\n1|0\nt" }), 'a standby preloads as well');
    $standby->stop;
    ok(wait_until(sub { !worker_processes($standby) }), '... and leaves nothing behind');
}

$node->stop;
done_testing();
