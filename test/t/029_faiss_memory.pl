# Memory stays within what was allowed: that of a build, backend and worker together, within
# maintenance_work_mem; that of a scan within what DESIGN.md says. Not counted are libraries and what a process needs before it has any rows.
# LOOKALIKE_ROWS makes the table larger.
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
my $node = start_node('memory', 'jit = off', 'max_wal_size = 4GB', 'client_min_messages = error');
$node->safe_psql('postgres', qq{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial, d descriptor($dims));
    INSERT INTO t (d) SELECT made_up(i, $dims) FROM generate_series(1, $rows / 50) AS i;
    INSERT INTO t (d) SELECT d + made_up(1, $dims) FROM t, generate_series(1, 49)});
$node->safe_psql('postgres', 'VACUUM ANALYZE t');

# A line of /proc/PID/status, in kB; 0: the process has gone.
sub kilobytes {
    my ($pid, $line) = @_;
    open my $file, '<', "/proc/$pid/status" or return 0;
    return (map { /^$line:\s+(\d+)/ ? $1 : () } <$file>)[0] // 0;
}

# Libraries and all that a worker has before it learns: a worker for images is the same program.
my $session = $node->background_psql('postgres', on_error_stop => 1);
$session->query_safe('SELECT count(*) FROM image_extractors()');
my ($idle) = workers_of($node);
my $worker_base = kilobytes($idle, 'RssAnon');
cmp_ok($worker_base, '>', 1000, "an idle worker has $worker_base kB");
$session->quit;

# Runs a statement and returns by how much, in kB, the memory of its backend grew, and that of
# backend, worker and what they share.
sub peak_of {
    my ($settings, $statement) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 1);
    # Plans, catalogs and functions are known afterwards.
    $session->query_safe($_) for 'CREATE TEMP TABLE few AS SELECT d FROM t LIMIT 300',
      'CREATE INDEX ON few USING faiss (d)', 'SET enable_seqscan = off', 'SET enable_sort = off',
      'SELECT count(*) FROM (SELECT d FROM few ORDER BY d <-> (SELECT d FROM few LIMIT 1)) AS x',
      @$settings;
    my $backend = $session->query_safe('SELECT pg_backend_pid()');
    my $base = kilobytes($backend, 'RssAnon');
    my $log = PostgreSQL::Test::Utils::tempdir() . '/done';
    $session->query_until(qr/begins/, "\\echo begins\n$statement;\n\\! touch $log\n");
    my ($alone, $together, $worker) = (0, 0);
    until (-e $log) {
        my $own = kilobytes($backend, 'RssAnon') - $base;
        ($worker) = workers_of($node) if !$worker;
        my $others = 0;
        if ($worker) {
            my $anonymous = kilobytes($worker, 'RssAnon') - $worker_base;
            $others = ($anonymous > 0 ? $anonymous : 0) + kilobytes($worker, 'RssShmem');
        }
        $alone = $own if $own > $alone;
        $together = $own + $others if $own + $others > $together;
        sleep 0.005;
    }
    $session->quit;
    return ($alone, $together);
}

# What FAISS and the calibration need is some 8 MB, however little is allowed.
for my $megabytes (16, 32, 64) {
    my ($alone, $together) = peak_of([ "SET maintenance_work_mem = '${megabytes}MB'" ],
        "DROP INDEX IF EXISTS t_d; CREATE INDEX t_d ON t USING faiss (d)");
    cmp_ok($together, '<=', $megabytes * 1024, "$megabytes MB: a build had $together kB");
    cmp_ok($together, '>', $alone, "$megabytes MB: ... its backend $alone kB");
}

# Of what was read finely and not given out 4,096 entries are kept, in an array that doubles. The rest
# is the window's, half of work_mem, the pages', and what the executor holds back.
my ($scan) = peak_of([ q{SET work_mem = '64kB'}, q{SET lookalike.recall = 0.9} ],
    'SELECT id FROM t WHERE id < 0 ORDER BY d <-> (SELECT d FROM t WHERE id = 7) LIMIT 1');
cmp_ok($scan, '<=', 2600, "a scan to the end of $rows rows had $scan kB");
ok(no_worker_left($node), 'no worker is left');
$node->stop;
done_testing();
