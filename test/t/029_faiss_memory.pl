# Memory stays within what was allowed: a build's, backend and worker together, within
# maintenance_work_mem, a scan's to the last row within work_mem. Not counted are libraries and what
# a process needs before it has any rows. LOOKALIKE_ROWS makes the table larger.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $rows = $ENV{LOOKALIKE_ROWS} // 100_000;
my $dims = 128;
my $node = start_node('memory', 'jit = off', 'max_wal_size = 4GB', "client_min_messages = error");
$node->safe_psql('postgres', qq{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial, d descriptor($dims));
    INSERT INTO t (d) SELECT made_up(i, $dims) FROM generate_series(1, $rows / 50) AS i;
    INSERT INTO t (d) SELECT d + made_up(1, $dims) FROM t, generate_series(1, 49)});
$node->safe_psql('postgres', 'VACUUM ANALYZE t');

# One line of /proc/PID/status, in kB; undef: the process has gone.
sub kilobytes {
    my ($pid, $what) = @_;
    open my $file, '<', "/proc/$pid/status" or return;
    return (map { /^$what:\s+(\d+)/ ? $1 : () } <$file>)[0];
}

# Runs statements in a backend and returns the most, in kB, that its own memory grew by, and the most
# that it and its workers held together beyond what they began with.
sub peak_of {
    my ($before, $statement) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 1);
    $session->query_safe($before);
    my $backend = $session->query_safe('SELECT pg_backend_pid()');
    my $base = kilobytes($backend, 'RssAnon');
    $session->query_until(qr/started/, "\\echo started\n$statement;\n\\echo finished\n");
    my ($alone, $together, %idle) = (0, 0);
    until ($session->{stdout} =~ /finished/) {
        $session->{run}->pump_nb;
        my $own = kilobytes($backend, 'RssAnon') - $base;
        my $sum = $own;
        for my $worker (workers_of($node)) {
            my $anonymous = kilobytes($worker, 'RssAnon') // next;
            my $shared = kilobytes($worker, 'RssShmem') // next;
            $sum += $shared + $anonymous;
        }
        $alone = $own if $own > $alone;
        $together = $sum if $sum > $together;
        sleep 0.005;
    }
    $session->{stdout} = '';
    $session->quit;
    return ($alone, $together);
}
