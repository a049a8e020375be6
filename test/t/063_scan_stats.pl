# What scans tell: a line in the log for each, and sums over all sessions where the library is loaded
# with the server.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

# To compile a plan of a thousand partitions takes longer than all else here.
my $node = start_node('stats', q{shared_preload_libraries = 'lookalike'}, 'jit = off');
$node->safe_psql(
    'postgres', q{
    CREATE TABLE t (d descriptor(4));
    INSERT INTO t SELECT made_up(i, 4) FROM generate_series(1, 500) AS i;
    CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 5);
});
my $search = q{SELECT 1 FROM t ORDER BY d <-> '[0,0,0,0]' LIMIT 10;};

sub sums
{
    my ($database) = @_;
    return $node->safe_psql($database // 'postgres',
        'SELECT indexrelname, scope, scans, loops FROM faiss_index_stats ORDER BY 1');
}

# The log.
my (undef, $out, $notices) = $node->psql('postgres',
    by_index(qq{SET lookalike.log_scan = notice; $search}));
like(
    $notices,
    qr/NOTICE:  scan of index "t_d": loops: 1, lists probed: [1-5] of 5, skipped: \d+, entries scanned: \d+, filtered out: 0, refined: \d+, rows emitted: \d+, stop reason: executor, time: \d+\.\d+ ms$/,
    'a line for the client');
for my $case ([ 'debug', 'debug1', 'DEBUG' ], [ 'log', 'log', 'LOG' ], [ 'debug', 'log', '' ],
    [ 'off', 'debug5', '' ])
{
    my ($setting, $level, $word) = @$case;
    my (undef, undef, $lines) = $node->psql('postgres',
        by_index(qq{SET lookalike.log_scan = $setting; SET client_min_messages = $level; $search}));
    my $found = $lines =~ /(\w+):  scan of index/ ? $1 : '';
    is($found, $word, "$setting is said at $level as '$word'");
}

# Who may not know these counts is not told them, whoever ran the scan; the server's log is.
$node->safe_psql('postgres', qq{
    CREATE ROLE tenant;
    CREATE TABLE hidden AS TABLE t;
    CREATE INDEX hidden_d ON hidden USING faiss (d);
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
    CREATE POLICY nothing ON hidden USING (pg_column_size(d) < 0);
    GRANT SELECT ON hidden TO tenant;
    CREATE FUNCTION search() RETURNS void LANGUAGE sql SECURITY DEFINER SET enable_seqscan = off
        AS 'SELECT FROM hidden ORDER BY d <-> ''[0,0,0,0]'' LIMIT 10'});
for my $search ('SELECT 1 FROM hidden ORDER BY d <-> \'[0,0,0,0]\' LIMIT 10', 'SELECT search()')
{
    for my $setting (qw(notice debug log))
    {
        my $start = -s $node->logfile;
        my (undef, undef, $lines) = $node->psql('postgres', by_index(
            "SET ROLE tenant; SET lookalike.log_scan = $setting; SET client_min_messages = debug1; $search"));
        unlike($lines, qr/scan of index/, "$search: $setting tells the client nothing");
        my $logged = slurp_file($node->logfile, $start) =~ /LOG:  scan of index "hidden_d"/ ? 'logged' : '';
        is($logged, $setting eq 'log' ? 'logged' : '', '... and the log what it should');
    }
}
like(($node->psql('postgres', by_index(
        "SET lookalike.log_scan = notice; SELECT search()")))[2],
    qr/NOTICE:  scan of index "hidden_d"/, 'a superuser is told');
$node->safe_psql('postgres', 'DROP FUNCTION search; DROP TABLE hidden');

# The sums.
is(sums(), 't_d|server|5|5', 'one server, sums of all sessions');
$node->safe_psql('postgres', by_index(qq{
    SELECT count(*) FROM generate_series(1, 3) AS i,
        LATERAL (SELECT 1 FROM t ORDER BY d <-> ARRAY[i, i, i, i]::real[]::descriptor LIMIT 1) AS s}));
is(sums(), 't_d|server|6|8', 'a scan of three loops');
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION lookalike');
is(sums('other'), '', 'a database sees its own');

# Sessions that count at the same time lose nothing.
my $script = $node->basedir . '/search.sql';
append_to_file($script, by_index($search));
$node->command_ok(
    [   'pgbench', '-n', '-c', '4', '-t', '50', '-f', $script,
        '-h', $node->host, '-p', $node->port, 'postgres' ],
    'four sessions search');
is(sums(), 't_d|server|206|208', 'every scan was counted');

# What costs nothing to make takes no place: temporary indexes, and those that are rolled back.
$node->safe_psql('postgres', q{
    CREATE PROCEDURE make_indexes(kind text, number int, ending text) LANGUAGE plpgsql AS $$
    BEGIN
        FOR i IN 1 .. number LOOP
            EXECUTE format('CREATE %s TABLE many (d descriptor(2))', kind);
            CREATE INDEX many_d ON many USING faiss (d);
            IF ending = 'drop' THEN COMMIT; END IF;
            PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
            PERFORM 1 FROM many ORDER BY d <-> '[1,1]' LIMIT 1;
            IF ending = 'drop' THEN DROP TABLE many; COMMIT; ELSE ROLLBACK; END IF;
        END LOOP;
    END $$});
sub places { return $node->safe_psql('postgres', q{SELECT count(indexrelid), sum(scans) FROM faiss_index_totals()}); }
$node->safe_psql('postgres', "CALL make_indexes('TEMP', 20, 'drop')");
is(places(), '1|206', 'temporary indexes');
$node->safe_psql('postgres', "CALL make_indexes('', 20, 'roll back')");
is(places(), '1|206', 'indexes that are rolled back');

# What is dropped gives its place back, and so does a database.
$node->safe_psql('postgres', "CALL make_indexes('', 20, 'drop')");
is(places(), '1|206', 'indexes that are dropped');
my $search_many = by_index(q{SELECT count(*) FROM (SELECT 1 FROM many ORDER BY d <-> '[1,1]') AS s});
for my $case ([ other => 5 ], [ postgres => 1002 ])
{
    my ($database, $count) = @$case;
    $node->safe_psql($database, qq{
        CREATE TABLE many (id int, d descriptor(2)) PARTITION BY LIST (id);
        SELECT format('CREATE TABLE many_%1\$s PARTITION OF many FOR VALUES IN (%1\$s)', i)
          FROM generate_series(1, $count) AS i \\gexec
        CREATE INDEX many_d ON many USING faiss (d)});
    $node->safe_psql($database, $search_many);
    $node->safe_psql('postgres', 'DROP DATABASE other') if $database eq 'other';
}

# Indexes beyond the places are counted together.
is(places(), '1000|1208', 'there are 1,000 places');
is((split /\n/, sums())[-1], '|server|3|3', 'the last three indexes found none');
$node->safe_psql('postgres', 'DROP TABLE many_1, many_2, many_3');
$node->safe_psql('postgres', $search_many);
is((split /\n/, sums())[-1], '|server|3|3', '... until others had been dropped');
$node->safe_psql('postgres', 'SELECT faiss_index_stats_reset()');
is(sums(), '', 'a reset forgets all');
$node->safe_psql('postgres', by_index($search));
is(sums(), 't_d|server|1|1', '... and starts anew');

# What sessions and VACUUM have done to the lists of an index, whether it was searched or not.
my $changes = q{SELECT scans, splits > 0, merges > 0, split_ms > 0 FROM faiss_index_stats WHERE indexrelname = 'grown_d'};
$node->safe_psql('postgres', q{
    CREATE TABLE grown (id int, d descriptor(4)) WITH (autovacuum_enabled = false);
    CREATE INDEX grown_d ON grown USING faiss (d)});
is($node->safe_psql('postgres', $changes), '', 'an index to which nothing has happened');
$node->safe_psql('postgres', 'INSERT INTO grown SELECT i, made_up(i, 4) FROM generate_series(1, 6000) AS i');
is($node->safe_psql('postgres', $changes), '0|t|f|t', 'lists that were split');
$node->safe_psql('postgres', 'DELETE FROM grown WHERE id > 400');
$node->safe_psql('postgres', 'VACUUM grown');
is($node->safe_psql('postgres', $changes), '0|t|t|t', '... and joined');

$node->restart;
is(sums(), '', 'a restart too');

$node->stop;
done_testing();
