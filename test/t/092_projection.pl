# Projections: learning is cancelled and loses its worker; versions side by side; what other sessions,
# parallel workers and a restored dump see of them.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('projection', "log_statement = none\nmaintenance_work_mem = '512MB'");
sub sql { my ($statements, $database) = @_;
    return $node->safe_psql($database // 'postgres', $statements) }
sql(q{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial PRIMARY KEY, kind int, d descriptor(40));
    INSERT INTO t (kind, d) SELECT i % 4, made_up(i, 40) + (
        SELECT array_agg(CASE WHEN j = i % 4 THEN 0.4 ELSE 0 END ORDER BY j)::real[]::descriptor FROM generate_series(0, 39) AS j
         WHERE i > 0) FROM generate_series(1, 1500) AS i;
    CREATE TABLE wide AS SELECT i AS id, i % 4 AS kind, made_up(i, 1000) AS d FROM generate_series(1, 2500) AS i;
});
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
my $training = q{SELECT train_projection('wide', 1, 'SELECT d, kind FROM wide')};

# Its error, and how long it took to end.
sub interrupt { my ($statement, $how) = @_;
    return interrupt_with_worker($node, $session, $statement, 0.3, $how) }

my ($error, $took) = interrupt($training, sub { sql("SELECT pg_cancel_backend($pid)") });
like($error, qr/canceling statement due to user request/, 'cancelled while it learns');
cmp_ok($took, '<', 2, '... soon');
ok(no_worker_left($node), '... and no worker is left');
($error) = interrupt($training, sub { kill 'KILL', @_ });
like($error, qr/ERROR:.*worker/, 'a killed worker is an error');
ok(no_worker_left($node), '... and none is left');
($error, $took) = interrupt(q{SELECT train_projection('slow', 1, 'SELECT d, pg_sleep(1)::text FROM t')},
    sub { sql("SELECT pg_cancel_backend($pid)") });
like($error, qr/canceling statement due to user request/, 'cancelled while its query runs');
cmp_ok($took, '<', 2, '... soon');
ok(no_worker_left($node), '... and no worker is left');
is($session->query_safe('CREATE TABLE made (a int); SHOW transaction_read_only'), 'off', 'the session may write again');
is($session->query_safe(q{SELECT count(*) FROM lookalike_models}), '0', 'nothing was kept');
is($session->query_safe("SELECT count(*) FROM pg_ls_dir('/proc/' || pg_backend_pid() || '/task')"), '1',
    'the backend has one thread');

# Versions side by side, and the switch.
my $nearest = sub { my ($version) = @_;
    return "SELECT array_agg(id) FROM (SELECT id FROM t
        ORDER BY project(d, 'kinds\@$version') <-> project((SELECT d FROM t WHERE id = 5), 'kinds\@$version') LIMIT 10) AS n" };
is(sql(q{SELECT train_projection('kinds', 1, 'SELECT d, kind FROM t WHERE id <= 600') > 0}), 't', 'a first version');
sql(q{CREATE INDEX by_kind_1 ON t USING faiss (project(d, 'kinds@1'))});
my $by_first = sql($nearest->(1));
is(sql(q{SELECT train_projection('kinds', 2, 'SELECT d, kind FROM t') > 0}), 't', 'a second version');
is(sql($nearest->(1)), $by_first, '... changes nothing of the first');
sql(q{CREATE INDEX CONCURRENTLY by_kind_2 ON t USING faiss (project(d, 'kinds@2'))});
my $plan = 'EXPLAIN ' . $nearest->(2);
like(sql("SET enable_seqscan = off; $plan"), qr/Index Scan using by_kind_2/, 'each version has its index');
is(sql("SET enable_seqscan = off; " . $nearest->(2)), sql("SET enable_indexscan = off; " . $nearest->(2)),
    '... which finds what a sequential scan finds');
my ($out, $err);
$node->psql('postgres', q{SELECT drop_projection('kinds', 1)}, stdout => \$out, stderr => \$err);
like($err, qr/cannot drop projection "kinds\@1".*index .*by_kind_1/s, 'the first is kept while its index is there');
sql(q{DROP INDEX by_kind_1; SELECT drop_projection('kinds', 1)});
is(sql(q{SELECT count(*) FROM lookalike_models}), '1', '... and goes after it');

# Other sessions, and parallel workers.
is($session->query_safe(q{SELECT count(project(d, 'kinds@2')) FROM t}), '1500', 'a session that uses a version');
my $sum = q{SELECT md5(string_agg(project(d, 'other@1')::text, ',' ORDER BY id)) FROM t};
sql(q{SELECT train_projection('other', 1, 'SELECT d FROM t', 5)});
my $first = $session->query_safe($sum);
sql(q{SELECT drop_projection('other', 1); SELECT train_projection('other', 1, 'SELECT d FROM t WHERE id < 500', 5)});
my $second = $session->query_safe($sum);
isnt($second, $first, 'another one of a dropped name reaches it');
is(sql($sum), $second, '... as it reaches others');
is($session->query_safe("BEGIN; SELECT drop_projection('other', 1); ROLLBACK; $sum") =~ s/^t\n//r, $second, 'a drop that is rolled back');
my $parallel = $node->safe_psql('postgres', 'SHOW server_version_num') >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode';
is(sql("SET $parallel = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; $sum"),
    $second, 'parallel workers compute the same');

# The same rows give the same bytes.
my $digest = q{SELECT string_agg(DISTINCT encode(digest, 'hex'), ' ') FROM lookalike_models WHERE name = 'equal'};
sql(qq{SELECT train_projection('equal', 1, 'SELECT a.d, b.d, a.kind = b.kind FROM t AS a JOIN t AS b ON b.id > a.id AND b.id < a.id + 8')});
sql(qq{SELECT train_projection('equal', 2, 'SELECT a.d, b.d, a.kind = b.kind FROM t AS a JOIN t AS b ON b.id > a.id AND b.id < a.id + 8 ORDER BY random()')});
is(sql("SELECT count(*) FROM lookalike_models WHERE name = 'equal'"), '2', 'learned twice from pairs');
unlike(sql($digest), qr/ /, '... to the same bytes, whatever their order');
# Of more rows than memory holds those with the least hashes are taken, in any order.
for my $version (1, 2) {
    my ($few, $notice);
    $node->psql('postgres', qq{SET maintenance_work_mem = '55MB';
        SELECT train_projection('few', $version, 'SELECT d FROM wide ORDER BY random()', 10)},
        stdout => \$few, stderr => \$notice);
    like($notice, qr/NOTICE: .* 2500 marks.*"maintenance_work_mem" held \d+ of them/s, 'a sample');
}
is(sql(q{SELECT count(DISTINCT digest) FROM lookalike_models WHERE name = 'few'}), '1', '... is the same in any order');

# Dumps, by the owner of the database.
sql('CREATE ROLE keeper LOGIN');
sql("CREATE DATABASE $_ OWNER keeper") for 'kept', 'given';
sql('CREATE EXTENSION lookalike', $_) for 'kept', 'given';
my $fill = $node->safe_psql('postgres', q{SELECT string_agg(format('(%s,%s,%L)', id, kind, d), ',') FROM t});
sql(qq{SET ROLE keeper; CREATE SCHEMA own; CREATE TABLE own.t (id int PRIMARY KEY, kind int, d descriptor(40));
    INSERT INTO own.t VALUES $fill; SELECT train_projection('kinds', 7, 'SELECT d, kind FROM own.t');
    CREATE INDEX by_kind ON own.t USING faiss (project(d, 'kinds\@7'))}, 'kept');
my $contents = q{SELECT md5(string_agg(project(d, 'kinds@7')::text, ',' ORDER BY id)) FROM own.t};
my $expected = sql($contents, 'kept');
my $folder = $node->backup_dir;
mkdir $folder;
my %restore = (
    plain => [ [ 'pg_dump', '-f' ], [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f' ] ],
    custom => [ [ 'pg_dump', '-Fc', '-f' ], [ 'pg_restore', '--exit-on-error' ] ],
);
for my $form (sort keys %restore) {
    my ($dump, $restore) = @{ $restore{$form} };
    $node->command_ok([ @$dump, "$folder/$form", '-U', 'keeper', '--no-comments', 'kept' ], "$form: dump");
    sql('DROP SCHEMA IF EXISTS own CASCADE; DELETE FROM lookalike_models', 'given');
    $node->command_ok([ @$restore, "$folder/$form", '-U', 'keeper', '-d', 'given' ], "$form: restore");
    is(sql($contents, 'given'), $expected, "$form: the projection came along");
    is(sql(q{SELECT faiss_index_check('own.by_kind') IS NOT NULL}, 'given'), 't', "$form: and its index");
}
$session->quit;
$node->stop('fast');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'the server saw no crash');
done_testing();
