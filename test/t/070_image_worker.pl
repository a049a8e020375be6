# The worker that reads images: it is locked in, it may die, hang, starve or be cut short, and the
# session goes on. 075_image_worker_warm.pl repeats all of it with workers that a warm parent forks.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('image_worker');
$node->init;
our $warm;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lookalike'") if $warm;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike');

$node->safe_psql('postgres',
    'CREATE TABLE pictures (name text PRIMARY KEY, photo bytea)');
my %picture = (
    small => png(64, 48, 48),
    large => png(4000, 4000, 4000),
    bomb => png(50000, 50000, 100),
);
$node->safe_psql('postgres', "INSERT INTO pictures VALUES ('$_', '\\x$picture{$_}')")
  for sort keys %picture;

# Takes many seconds: a batch is one request.
my $slow = q{SELECT count(*) FROM image_features_batch(
    array_fill((SELECT photo FROM pictures WHERE name = 'large'), ARRAY[32]), 'color+pattern')};
my $quick = q{SELECT descriptor_dims(image_features(photo, 'phash')) FROM pictures
    WHERE name = 'small'};
my $uncached = 'SET lookalike.image_cache_size = 0;';

# Statements in one session that goes on after errors; returns its output and errors.
sub session {
    my (@statements) = @_;
    my ($out, $err);
    $node->psql('postgres', join(";\n", $uncached, @statements),
        stdout => \$out, stderr => \$err, on_error_stop => 0, on_error_die => 0,
        extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    return ($out, $err);
}

# Sessions in the background.
sub start_session {
    my ($statements) = @_;
    my $session = { out => '', err => '' };
    my @commands = map { ('-c', $_) } grep { /\S/ } split /;/, $statements;
    $session->{harness} = IPC::Run::start(
        [ 'psql', '-X', '-A', '-t', '-q', '-v', 'VERBOSITY=verbose', '-d',
            $node->connstr('postgres'), @commands ],
        '<', \undef, '>', \$session->{out}, '2>', \$session->{err});
    return $session;
}

# A session that stops here stays until it is let go: the test holds the lock.
my $gate = $node->background_psql('postgres');
my $wait = 'SELECT pg_advisory_xact_lock(1)';
sub close_gate { $gate->query_safe('SELECT pg_advisory_lock(1)') }
sub open_gate { $gate->query_safe('SELECT pg_advisory_unlock(1)') }
sub waits_at_gate {
    my ($backend) = @_;
    return wait_until(sub { $node->safe_psql('postgres',
            "SELECT wait_event FROM pg_stat_activity WHERE pid = $backend") eq 'advisory' });
}

# The first process that a backend has started, or has had started.
sub child_of {
    my ($backend) = @_;
    my $parent = $warm ? warm_parent_of($node) // return : $backend;
    for my $file (glob('/proc/[0-9]*/stat')) {
        return $1 if slurp_or_empty($file) =~ /^(\d+) \(.*\) \S $parent /s;
    }
    return;
}

# The worker of the only session that runs $slow.
sub worker_in_flight {
    for (1 .. 600) {
        my $backend = $node->safe_psql('postgres',
            q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%image_features_batch%'
                 AND state = 'active' AND wait_event = 'Extension' AND pid <> pg_backend_pid()});
        if ($backend) {
            my $worker = child_of($backend);
            # Past its start: it reads an image.
            return ($backend, $worker)
              if $worker && slurp_or_empty("/proc/$worker/status") =~ /^Seccomp:\s+2$/m;
        }
        usleep(20_000);
    }
    die 'no worker came up';
}

my ($out, $err) = session($quick, 'SELECT worker_starts FROM image_worker_stats()', $quick,
    'SELECT worker_starts FROM image_worker_stats()');
is($out, "64\n1\n64\n1", 'one worker serves a session') or diag $err;

# It is locked in, and one thread does the backend's work.
{
    my $session = start_session("$uncached $slow;");
    my ($backend, $worker) = worker_in_flight();
    my $status = slurp_or_empty("/proc/$worker/status");
    like($status, qr/^NoNewPrivs:\s+1$/m, 'no new privileges');
    like($status, qr/^Seccomp:\s+2$/m, 'a filter on system calls');
    is_deeply([ sort map { m{/(\d+)$} } glob("/proc/$worker/fd/*") ], [ 0, 1, 2, 3 ],
        'no descriptors but /dev/null and the socket');
    is_deeply(
        [ grep { readlink("/proc/$worker/fd/$_") ne '/dev/null' } 0 .. 2 ], [],
        'the log is not among them');
    is(scalar(() = glob("/proc/$backend/task/*")), 1, 'the backend has one thread');

    # Killed in the middle of a request.
    kill 'KILL', $worker;
    $session->{harness}->finish;
    like($session->{err}, qr/38000: the lookalike worker process ended unexpectedly/,
        'kill -9 in the middle of a call is an error');
    like($session->{err}, qr/ended by signal 9/, '... that says how');
}

# The same session goes on, killed in a call or between two.
{
    close_gate();
    my $session = start_session("$uncached $slow; $quick; $wait; $quick;
        SELECT worker_starts FROM image_worker_stats();");
    my ($backend, $worker) = worker_in_flight();
    kill 'KILL', $worker;
    waits_at_gate($backend) or die 'the session does not go on';
    my $next = child_of($backend) // die 'no worker came up';
    isnt($next, $worker, 'the next call has another worker');
    kill 'KILL', $next;
    wait_until(sub { has_ended($next) });
    open_gate();
    $session->{harness}->finish;
    is($session->{out}, "64\n\n64\n3\n", 'a new worker replaces a dead one');
    is(scalar(() = $session->{err} =~ /ERROR/g), 1, 'one killed between calls is not missed');
}

# A time-out of the statement, a cancel and a time-out of the worker.
{
    # A busy machine may need more than one try.
    for (1 .. 5) {
        ($out, $err) = session($quick, 'SET statement_timeout = 500',
            q{SELECT set_config('test.begin', clock_timestamp()::text, false) IS NULL}, $slow,
            'RESET statement_timeout',
            q{SELECT clock_timestamp() - current_setting('test.begin')::timestamptz
                < interval '700 ms'}, $quick);
        last if $out eq "64\nf\nt\n64";
    }
    like($err, qr/57014: canceling statement due to statement timeout/, 'statement_timeout');
    is($out, "64\nf\nt\n64", '... ends a call within 200 ms, and the session goes on');

    my ($session, $took);
    for (1 .. 5) {
        close_gate();
        $session = start_session("$uncached $slow; $wait; $quick;");
        my ($backend, $worker) = worker_in_flight();
        my $begin = time;
        $node->safe_psql('postgres', "SELECT pg_cancel_backend($backend)");
        wait_until(sub { !-d "/proc/$worker" });
        $took = time - $begin;
        waits_at_gate($backend) or die 'the session does not go on';
        open_gate();
        $session->{harness}->finish;
        last if $took < 1;
    }
    # psql takes most of this.
    cmp_ok($took, '<', 1, 'a cancel ends the worker at once');
    like($session->{err}, qr/57014: canceling statement due to user request/, '... and the call');
    is($session->{out}, "\n64\n", '... not the session');

    ($out, $err) = session('SET lookalike.worker_timeout = 300', $slow,
        'RESET lookalike.worker_timeout', $quick,
        'SELECT worker_starts, failures FROM image_worker_stats()');
    like($err, qr/38L01: the lookalike worker process did not answer within 300 ms/,
        'lookalike.worker_timeout');
    like($err, qr/HINT:.*lookalike.worker_timeout/, '... with a hint');
    is($out, "64\n2|1", '... replaces the worker');

    # Not even for a function that forgives.
    ($out, $err) = session($quick, 'SET lookalike.worker_timeout = 1',
        q{SELECT image_features_or_null(photo) IS NULL FROM pictures WHERE name = 'large'});
    like($err, qr/38L01/, 'image_features_or_null() does not hide a time-out');
}

# Memory and bombs.
{
    ($out, $err) = session(q{SET lookalike.worker_memory = '64MB'; SET lookalike.max_image_pixels = 2000000000},
        q{SELECT image_features(convert_to(E'P6\n8000 8000\n255\n', 'LATIN1')
            || convert_to(repeat(repeat('abc', 1000), 64000), 'LATIN1'))}, $quick);
    like($err, qr/54000: PNM image of 8000 x 8000 pixels takes more memory/, 'too little memory');
    is($out, '64', '... and the session goes on');

    my $begin = time;
    ($out, $err) = session($quick,
        q{SELECT image_features(photo) FROM pictures WHERE name = 'bomb'},
        q{SELECT image_features_or_null(photo) IS NULL FROM pictures WHERE name = 'bomb'},
        q{SELECT image_thumbnail(photo, 10) FROM pictures WHERE name = 'bomb'},
        q{SELECT width FROM pictures, image_info(photo) WHERE name = 'bomb'},
        'SELECT worker_starts FROM image_worker_stats()');
    is(scalar(() = $err =~ /54000: PNG image of 50000 x 50000 pixels is too large/g), 2,
        'a bomb is refused') or diag $err;
    is($out, "64\nt\n50000\n1", '... from its header');

    # 65,535 x 65,535, and no pixels.
    my $gif = unpack 'H*', 'GIF89a' . pack('vvCCC', 65535, 65535, 0x80, 0, 0) . "\0" x 6 . ','
      . pack('vvvvCC', 0, 0, 65535, 65535, 0, 8);
    # The size that the boxes state; the coded picture is smaller.
    my @files = map { unpack 'H*', slurp_file(corpus($_)) =~ s/ispe\0{4}\K.{8}/pack 'NN', 50000, 50000/ser }
      qw(heic avif);
    ($out, $err) = session((map { "SELECT image_features('\\x$_')" } $gif, @files), $quick);
    is(scalar(() = $err =~ /54000: (?:GIF|HEIC|AVIF) image of \d+ x \d+ pixels is too large/g), 3,
        'so are those of GIF, HEIC and AVIF') or diag $err;
}

# Decoders that start threads where they may, or look for files, if they are not told otherwise.
{
    my @names = qw(gif heic heic_10bit heic_alpha avif avif_12bit avif_grid);
    ($out, $err) = session(map { q{SELECT descriptor_dims(image_features(photo)), length(image_thumbnail(photo, 8)) > 0
        FROM (SELECT '\x} . unpack('H*', slurp_file(corpus($_))) . q{'::bytea AS photo) AS file} } @names);
    is($err, '', 'a worker in its sandbox decodes what telephones send');
    is($out, join("\n", ('559|t') x @names), '... to descriptors and thumbnails');
}

# Who ends first.
{
    my $session = start_session("$uncached $slow;");
    my ($backend, $worker) = worker_in_flight();
    kill 'KILL', $session->{harness}->{KIDS}[0]{PID};
    $node->safe_psql('postgres', "SELECT pg_terminate_backend($backend, 5000)");
    ok(wait_until(sub { !-d "/proc/$worker" }), 'a worker ends with its backend');
    eval { $session->{harness}->finish };

    # Until the backend asks for the next one, its own child is a process that has ended.
    my $state = q{SELECT coalesce(substring(pg_read_file('/proc/' || current_setting('test.pid')
        || '/stat', 0, 1000, true) FROM '\\) (.)'), 'gone')};
    my $ended = $warm ? 'gone' : 'Z';
    my $wait_for_it = "DO \$\$ BEGIN FOR i IN 1 .. 1500 LOOP EXIT WHEN ($state) = '$ended';
        PERFORM pg_sleep(0.02); END LOOP; END \$\$";
    ($out, $err) = session('SET lookalike.worker_idle_timeout = 2', $quick,
        q{SELECT set_config('test.pid', worker_pid::text, false) IS NULL FROM image_worker_stats()},
        $wait_for_it, $state, $quick, 'SELECT worker_starts FROM image_worker_stats()');
    is($out, "64\nf\n$ended\n64\n2", 'an idle worker ends') or diag $err;
    $gate->quit;
    $node->stop('fast');
    $node->start;
}

# Files of the server, by the server's rules.
{
    my $file = $node->data_dir . '/picture.ppm';
    open my $handle, '>', $file or die $!;
    print $handle "P6\n2 2\n255\n" . "\x10\x80\xf0" x 4;
    close $handle;
    my $outside = $node->basedir . '/outside.ppm';
    system('cp', $file, $outside);
    $node->safe_psql('postgres', 'CREATE ROLE reader LOGIN; CREATE ROLE granted LOGIN;
        CREATE ROLE nobody LOGIN; GRANT pg_read_server_files TO reader;
        GRANT EXECUTE ON FUNCTION image_features_file TO granted');
    my $try = sub { my ($role, $path) = @_;
        ($out, $err) = session("SET ROLE $role",
            "SELECT descriptor_dims(image_features_file('$path', 'phash'))");
        return $out . $err };
    is($try->('reader', 'picture.ppm'), '64', 'pg_read_server_files reads the data directory');
    is($try->('reader', $outside), '64', '... and what is outside of it');
    is($try->('granted', 'picture.ppm'), '64', 'a granted user reads the data directory');
    like($try->('granted', $outside), qr/42501: absolute path not allowed/, '... and nothing else');
    like($try->('granted', '/no/such'), qr/42501: absolute path not allowed/,
        '... nor learns what exists');
    like($try->('nobody', 'picture.ppm'), qr/42501: permission denied for function/,
        'others may not call it');
}

is(scalar(() = slurp_file($node->logfile) =~ /warm parent/g), 0, 'the warm parent was never amiss');
$node->stop;
done_testing();
