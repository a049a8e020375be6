# An index that grows below a standby: replay gives the very pages that the primary has, answers are the
# same, a query of the standby that began before gives its rows once each or is cancelled, and the
# standby, promoted, grows on - also where the primary ended in the middle of a split.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Processes look here for what to do at a step (src/am/upkeep/named_point.h).
my $stops = PostgreSQL::Test::Utils::tempdir();
$ENV{LOOKALIKE_STOP_AT} = $stops;
my $primary = start_node('primary', "wal_consistency_checking = 'generic'", 'max_wal_size = 4GB',
    'checkpoint_timeout = 1h', 'log_statement = none', 'wal_receiver_status_interval = 1');
$primary->backup('backup');
my %standbys;
# One whose queries the primary knows of, one whose queries wait for nothing.
for ([ 'caring', 'hot_standby_feedback = on', 'max_standby_streaming_delay = -1' ],
    [ 'careless', 'hot_standby_feedback = off', 'max_standby_streaming_delay = 100ms' ]) {
    my ($name, @settings) = @$_;
    my $standby = PostgreSQL::Test::Cluster->new($name);
    $standby->init_from_backup($primary, 'backup', has_streaming => 1);
    $standby->append_conf('postgresql.conf', join "\n", @settings);
    $standby->start;
    $standbys{$name} = $standby;
}
my $folder = PostgreSQL::Test::Utils::tempdir();
my $origin = "'[0" . ',0' x 15 . "]'";

sub ask { return $primary->safe_psql('postgres', @_) }

sub catch_up { $primary->wait_for_catchup($_) for values %standbys }

ask(q{
    SELECT setseed(0.5);
    CREATE TABLE source AS SELECT i AS id, made_up(i, 16, 60) AS d FROM generate_series(1, 9600) AS i;
    ALTER TABLE source ADD PRIMARY KEY (id);
    CREATE TABLE t (id serial, d descriptor(16));
    CREATE INDEX t_d ON t USING faiss (d);
    CREATE INDEX ON t (id);
    CREATE FUNCTION take(c refcursor, wanted int) RETURNS int LANGUAGE plpgsql AS $$
    DECLARE
        got int;
        came int[] := string_to_array(nullif(current_setting('came.' || c, true), ''), ',');
        taken int := 0;
    BEGIN
        WHILE taken < wanted LOOP
            FETCH c INTO got;
            EXIT WHEN NOT FOUND;
            came := came || got;
            taken := taken + 1;
        END LOOP;
        PERFORM set_config('came.' || c, array_to_string(came, ','), false);
        RETURN taken;
    END $$;
    CREATE TABLE bits (id serial, d descriptor(64, bit));
    CREATE INDEX bits_d ON bits USING faiss (d descriptor_hamming_ops)});

# Everywhere the same: the whole order, and the nearest of some.
sub same_answers {
    my ($name) = @_;
    catch_up();
    for ([ 't', '<->' ], [ 'bits', '<~>' ]) {
        my ($table, $operator) = @$_;
        my $query = by_index(qq{SET lookalike.recall = 1;
            SELECT md5(string_agg(id::text, ',')), count(*), count(DISTINCT id) FROM (SELECT id FROM $table
                ORDER BY d $operator (SELECT d FROM $table ORDER BY id LIMIT 1)) AS x;
            SELECT md5(string_agg(q.id || ':' || n.dist, ',' ORDER BY q.id, n.dist)), max(dist * (place = 1)::int)
              FROM (SELECT id, d FROM $table WHERE id % 50 = 0) AS q, LATERAL (SELECT x.dist, row_number() OVER (ORDER BY dist) AS place
                FROM (SELECT $table.d $operator q.d AS dist FROM $table ORDER BY $table.d $operator q.d LIMIT 5) AS x) AS n;});
        my $expected = ask($query);
        like($expected, qr/\|0$/, "$name: each row of $table is its own nearest");
        is($standbys{$_}->safe_psql('postgres', $query), $expected, "$name: $table on the $_ standby")
          for sort keys %standbys;
    }
    for my $node ($primary, values %standbys) {
        my (undef, undef, $error) = $node->psql('postgres',
            q{SELECT faiss_index_check('t_d', lock_writers => false), faiss_index_check('bits_d', lock_writers => false)});
        is($error, '', "$name: the indexes are sound on " . $node->name);
    }
}

my @cursors = (
    "ordered CURSOR FOR SELECT id FROM t ORDER BY d <-> $origin",
    "inside CURSOR FOR SELECT id FROM t WHERE within(d, $origin, 1e6)");

# A session with open scans, of which so many rows were taken. What came is kept in settings, as a standby
# has no tables of a session.
sub open_scans {
    my ($node, $taken) = @_;
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_safe($_) for 'SET enable_seqscan = off', 'SET enable_sort = off', 'SET lookalike.recall = 1',
      'BEGIN ISOLATION LEVEL REPEATABLE READ', map { "DECLARE $_" } @cursors;
    $session->query_safe("SELECT take('$_', $taken)") for 'ordered', 'inside';
    return $session;
}

# Takes the rest, and whether all rows of its snapshot came once.
sub gives_its_rows {
    my ($name, $session) = @_;
    for my $cursor ('ordered', 'inside') {
        $session->query_safe("SELECT take('$cursor', 1000000)");
        is( $session->query_safe(qq{SET enable_seqscan = on; SET enable_sort = on;
            SELECT string_to_array(current_setting('came.$cursor'), ',')::int[] @> (SELECT array_agg(id) FROM t)
               AND cardinality(string_to_array(current_setting('came.$cursor'), ',')) = (SELECT count(*) FROM t)}),
            't', "$name: each row of its snapshot once, $cursor");
    }
    $session->query_safe('COMMIT');
    $session->quit;
}

# Grows from nothing beside searches everywhere.
sub grow_under_load {
    append_to_file("$folder/insert.sql", q{
        \set first random(0, 9500)
        INSERT INTO t (d) SELECT d FROM source WHERE id BETWEEN :first AND :first + 40;
        INSERT INTO bits (d) SELECT binary_quantize(d || d || d || d) FROM source WHERE id BETWEEN :first AND :first + 40;
        DELETE FROM t WHERE id = (SELECT min(id) FROM t);});
    append_to_file("$folder/vacuum.sql", "VACUUM (INDEX_CLEANUP ON) t;\nVACUUM (INDEX_CLEANUP ON) bits;\n\\sleep 300 ms\n");
    append_to_file("$folder/scan.sql", join '', 'BEGIN ISOLATION LEVEL REPEATABLE READ;',
        'SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;',
        (map { qq{
        SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) = (SELECT count(*) FROM $_->[0] AS all_rows))::int
          FROM (SELECT id FROM $_->[0] ORDER BY d $_->[1] (SELECT d FROM $_->[0] AS q ORDER BY id LIMIT 1)) AS x;} }
          [ 't', '<->' ], [ 'bits', '<~>' ]), 'COMMIT;', "\n\\sleep 20 ms\n");
    my @running;
    for (['insert', $primary, 2], ['vacuum', $primary, 1], ['scan', $standbys{caring}, 1]) {
        my ($script, $node, $clients) = @$_;
        push @running, [ $script, IPC::Run::start(
            [ 'pgbench', '-n', '-T', $ENV{LOOKALIKE_SECONDS} // 6, '-c', $clients, '-h', $node->host, '-p', $node->port,
                '-f', "$folder/$script.sql", 'postgres' ], '&>', "$folder/$script.log") ];
    }
    for (@running) {
        my ($script, $run) = @$_;
        $run->finish;
        my $log = slurp_file("$folder/$script.log");
        my ($count) = $log =~ /transactions actually processed: (\d+)/;
        ok($run->result(0) == 0 && ($count // 0) > 2 && $log !~ /ERROR|aborted/,
            "$script: " . ($count // 0) . ' times without an error') or diag $log;
    }
    same_answers('grown under load');
    cmp_ok(ask("SELECT lists FROM faiss_index_info('$_')"), '>', 60, "$_ has grown") for 't_d', 'bits_d';
}

# VACUUM, once nothing keeps it.
sub vacuum { ask('DELETE FROM t WHERE id = (SELECT min(id) FROM t); VACUUM (INDEX_CLEANUP ON) t') for 1 .. 2 }

sub retired_pages {
    my (undef, undef, $error) = $primary->psql('postgres',
        q{SET client_min_messages = debug1; SELECT faiss_index_check('t_d')});
    return $error =~ /has \d+ pages, (\d+) of them leaked/ ? $1 : $error;
}

# The primary keeps what a standby reads.
sub scans_that_are_cared_for {
    my $rows = ask('SELECT count(*) FROM t');
    catch_up();
    my @scans = map { open_scans($standbys{caring}, $_) } 0, 200;
    # The primary must have heard of them.
    $primary->poll_query_until('postgres',
        q{SELECT count(*) = 1 FROM pg_stat_replication WHERE application_name = 'caring' AND backend_xmin IS NOT NULL});
    ask('INSERT INTO t (d) SELECT d FROM source WHERE id <= 5000');
    vacuum();
    cmp_ok(retired_pages(), '>', 0, 'lists that a standby reads are kept');
    ask('INSERT INTO t (d) SELECT d FROM source WHERE id > 5000');
    $primary->wait_for_catchup($standbys{caring});
    gives_its_rows('a scan that was open on the standby', $_) for @scans;
    $primary->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_replication WHERE application_name = 'caring'
        AND backend_xmin::text::bigint < (SELECT txid_current() % 4294967296) - 1});
}

# Nobody keeps what this one reads: the query ends when the lists go. The rows that split them were rolled
# back, so that no other record of VACUUM ends it.
sub scans_that_are_cancelled {
    ask('INSERT INTO t (d) SELECT d FROM source WHERE id <= 5000');
    ask('VACUUM (INDEX_CLEANUP ON) t');
    catch_up();
    my $conflicts = q{SELECT confl_snapshot FROM pg_stat_database_conflicts WHERE datname = 'postgres'};
    my $before = $standbys{careless}->safe_psql('postgres', $conflicts);
    my @scans = map { open_scans($standbys{careless}, $_) } 0, 100, 200;
    my $lists = ask(q{SELECT lists FROM faiss_index_info('t_d')});
    ask('BEGIN; INSERT INTO t (d) SELECT d FROM source WHERE id <= 8000; ROLLBACK');
    cmp_ok(ask(q{SELECT lists FROM faiss_index_info('t_d')}), '>', $lists, 'lists were split');
    $primary->wait_for_catchup($standbys{careless});
    # Lists that were split are still there.
    gives_its_rows('a scan of before the splits, and before VACUUM', pop @scans);
    my $retired = retired_pages();
    # The other standby tells once a second what it reads.
    for (1 .. 20) {
        ask('SELECT txid_current()');
        ask('VACUUM (TRUNCATE OFF) t');
        last if retired_pages() < $retired;
        select undef, undef, undef, 0.3;
    }
    cmp_ok(retired_pages(), '<', $retired, 'VACUUM gives the lists back');
    $primary->wait_for_catchup($standbys{careless});
    ask('INSERT INTO t (d) SELECT d FROM source WHERE id <= 3000');
    $primary->wait_for_catchup($standbys{careless});
    for my $session (@scans) {
        # The server may have ended the session, and psql with it.
        eval { $session->query("SELECT take('ordered', 1000000)") };
        like($session->{stderr}, qr/conflict with recovery/, 'a scan that was open then is cancelled');
        eval { $session->quit };
    }
    cmp_ok($standbys{careless}->safe_psql('postgres', $conflicts), '>', $before, 'it was for its snapshot');
}

# The primary ends in the middle of a split that has changed the root, and a standby takes over.
sub promote_in_the_middle {
    append_to_file("$stops/root_changed", 'wait');
    my $session = $primary->background_psql('postgres', on_error_stop => 0);
    $session->query_until(qr/started/, "\\echo started\nINSERT INTO t (d) SELECT d FROM source, generate_series(1, 3);\n");
    $primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity
        WHERE wait_event = 'Extension' AND query LIKE 'INSERT%'}) or die 'no split';
    # So that what was written so far is sent.
    ask('INSERT INTO source SELECT -1, d FROM source WHERE id = 1');
    my $rows = ask('SELECT count(*) FROM t');
    catch_up();
    $primary->stop('immediate');
    unlink "$stops/root_changed" or die;
    for my $name (sort keys %standbys) {
        my $node = $standbys{$name};
        $node->promote;
        is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), $rows, "$name, promoted: what was committed");
        my $lists = $node->safe_psql('postgres', q{SELECT lists FROM faiss_index_info('t_d')});
        is(read_to_the_end($node, 't', '<->', $origin), 't', "$name, promoted: every row once");
        $node->safe_psql('postgres', 'INSERT INTO t (d) SELECT d FROM source; DELETE FROM t WHERE id % 5 = 0');
        cmp_ok($node->safe_psql('postgres', q{SELECT lists FROM faiss_index_info('t_d')}), '>', $lists,
            "$name, promoted: it grows on");
        is(read_to_the_end($node, 't', '<->', $origin), 't', "$name, promoted: every row once");
        $node->safe_psql('postgres', "DELETE FROM t WHERE $_; VACUUM (INDEX_CLEANUP ON) t")
          for 'id % 7 = 0', 'id = (SELECT min(id) FROM t)', 'id = (SELECT min(id) FROM t)';
        my (undef, undef, $error) = $node->psql('postgres',
            q{SET client_min_messages = debug1; SELECT faiss_index_check('t_d')});
        like($error, qr/ 0 of them leaked/, "$name, promoted: sound, and VACUUM leaves nothing behind");
        is(read_to_the_end($node, 't', '<->', $origin), 't', "$name, promoted: every row once after VACUUM");
    }
}

grow_under_load();
scans_that_are_cared_for();
same_answers('after scans that were open');
scans_that_are_cancelled();
ask('DELETE FROM t WHERE id % 10 <> 0; VACUUM (INDEX_CLEANUP ON) t');
same_answers('joined');
ask('INSERT INTO t (d) SELECT d FROM source');
same_answers('filled again');
promote_in_the_middle();
unlike(slurp_file($standbys{$_}->logfile), qr/inconsistent page|PANIC/, "$_: replay gave the same pages")
  for sort keys %standbys;
done_testing();
