# A split stands still at one of its steps while others insert into the same list, delete, search, vacuum
# and cancel it: nobody waits for it before its last steps, no row is lost, none comes twice.
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
my $node = start_node('growth', 'log_statement = none');
my $origin = "'[0" . ',0' x 15 . "]'";
my $centres = 60;

sub ask { return $node->safe_psql('postgres', @_) }

ask(qq{
    SELECT setseed(0.5);
    CREATE TABLE source AS SELECT i AS id, made_up(i, 16, $centres) AS d FROM generate_series(1, 9600) AS i;
    CREATE INDEX ON source ((id % $centres), id);
    CREATE TABLE t (id serial, d descriptor(16));
    CREATE INDEX t_d ON t USING faiss (d);
    CREATE INDEX ON t (id);
    INSERT INTO t (d) SELECT d FROM source});

# A quarter of the rows around one centre; four times so many make its list too long.
sub batch {
    my ($centre, $part) = @_;
    return "INSERT INTO t (d) SELECT d FROM source WHERE id % $centres = $centre AND id / $centres % 4 = $part;\n";
}
sub batches {
    my ($centre) = @_;
    return join '', map { batch($centre, $_) } 0 .. 3;
}

# All of them so many times, in one statement.
sub at_once {
    my ($centre, $times) = @_;
    return "INSERT INTO t (d) SELECT d FROM source, generate_series(1, $times) WHERE id % $centres = $centre;\n";
}

sub lists { return ask(q{SELECT lists FROM faiss_index_info('t_d')}) }

sub session {
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_safe($_) for 'SET enable_seqscan = off', 'SET enable_sort = off',
      'SET lookalike.recall = 1', "SET statement_timeout = '20s'";
    return ($session, $session->query_safe('SELECT pg_backend_pid()'));
}

# A session that stands at this point in one of these statements.
sub stand_at {
    my ($point, $statements) = @_;
    append_to_file("$stops/$point", 'wait');
    my ($session, $pid) = session();
    $session->query_until(qr/started/, "\\echo started\nSET client_min_messages = debug1;\n"
          . "$statements SET client_min_messages = error;\n\\echo ended\n");
    $node->poll_query_until('postgres', qq{SELECT wait_event = 'Extension' FROM pg_stat_activity WHERE pid = $pid})
      or die "nobody stands at $point";
    return ($session, $pid);
}

# Lets it go on, and returns what it has said.
sub go_on {
    my ($point, $session) = @_;
    unlink "$stops/$point" or die;
    $session->query('SELECT 1');
    my $said = $session->{stderr};
    $session->{stderr} = '';
    return $said;
}

# Waits until a session waits for a lock.
sub waits_for_lock {
    my ($pid) = @_;
    return $node->poll_query_until('postgres',
        qq{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid});
}

# Who writes keeps the check that locks writers waiting.
sub is_whole {
    my ($name, $beside_writers) = @_;
    my $locks = $beside_writers ? 'false' : 'true';
    my (undef, undef, $error) =
      $node->psql('postgres', qq{SELECT faiss_index_check('t_d', lock_writers => $locks)});
    is($error, '', "$name: the index is sound");
    is(read_to_the_end($node, 't', '<->', $origin), 't', "$name: every row, once");
}

my @cursors = (
    "ordered CURSOR FOR SELECT id FROM t ORDER BY d <-> $origin",
    "inside CURSOR FOR SELECT id FROM t WHERE within(d, $origin, 1e6)");

# A session with cursors of which so many rows were taken.
sub open_cursors {
    my ($taken) = @_;
    my ($session) = session();
    $session->query_safe($_) for 'CREATE TEMP TABLE came (cursor text, id int)',
      $take_function, 'BEGIN ISOLATION LEVEL REPEATABLE READ',
      'CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT id FROM t', (map { "DECLARE $_" } @cursors);
    $session->query_safe("SELECT pg_temp.take('$_', $taken)") for 'ordered', 'inside';
    return $session;
}

sub cursors_give_their_rows {
    my ($name, $session, $part) = @_;
    if ($part) {
        $session->query_safe("SELECT pg_temp.take('$_', $part)") for 'ordered', 'inside';
        return;
    }
    $session->query_safe("SELECT pg_temp.take('$_', 1000000)") for 'ordered', 'inside';
    for my $cursor ('ordered', 'inside') {
        is( $session->query_safe(qq{SELECT count(*) = count(DISTINCT id) AND count(*) = (SELECT count(*) FROM wanted)
                AND NOT EXISTS (SELECT id FROM came WHERE cursor = '$cursor' EXCEPT SELECT id FROM wanted)
                FROM came WHERE cursor = '$cursor'}), 't', "$name: an open scan gave its rows, $cursor");
    }
    $session->query_safe('COMMIT');
    $session->quit;
}

# Before the lists are locked nobody waits.
my $centre = 0;
for my $point ('sampled', 'new_list', 'new_lists', 'root_entry', 'root_changed') {
    my $name = "a split stands at $point";
    my @open = map { open_cursors($_) } 0, 100, 6000;
    my $before = lists();
    my ($splitter) = stand_at($point, batches($centre) x 4);
    is(lists(), $before, "$name: its lists are not in the tree");
    my ($other) = session();
    $other->query_safe(batches($centre));
    $other->query_safe("DELETE FROM t WHERE id % 7 = $centre % 7 AND id > 9600");
    is_whole($name, 1);
    is( ask(by_index(qq{SET lookalike.recall = 1;
            SELECT count(*) FROM source AS q, LATERAL (SELECT t.d <-> q.d AS dist FROM t ORDER BY t.d <-> q.d LIMIT 1) AS n
             WHERE q.id % $centres = $centre AND dist > 0})), '0', "$name: rows that came are found");
    cursors_give_their_rows($name, $_, 50) for @open;
    # VACUUM waits for its turn.
    my ($vacuum, $vacuum_pid) = session();
    $vacuum->query_until(qr/started/, "\\echo started\nVACUUM (INDEX_CLEANUP ON) t;\n\\echo ended\n");
    ok(waits_for_lock($vacuum_pid), "$name: VACUUM waits");
    $other->query_safe(batches($centre));
    my $said = go_on($point, $splitter);
    unlike($said, qr/ERROR/, "$name: it goes on") or diag $said;
    # Those of a step before the copy are copied.
    my @late = $said =~ /(\d+) came meanwhile/g;
    cmp_ok($late[0], '>', 0, "$name: it found $late[0] late entries") if $point ne 'sampled';
    $vacuum->query('SELECT 1');
    unlike($vacuum->{stderr}, qr/ERROR/, "$name: so does VACUUM");
    $_->quit for $splitter, $vacuum, $other;
    is_whole("after $point");
    cursors_give_their_rows($name, $_) for @open;
    cmp_ok(lists(), '>', $before, "$name: there are more lists then");
    ++$centre;
}

# From then on an insert into this list waits, a search does not.
for my $point ('lists_locked', 'late_entries', 'version') {
    my $name = "a split stands at $point";
    my $open = open_cursors(100);
    my $before = lists();
    my ($splitter) = stand_at($point, batches($centre) x 4);
    my ($other, $other_pid) = session();
    $other->query_until(qr/started/, "\\echo started\n" . at_once($centre, 1) . "\\echo ended\n");
    is_whole($name, 1);
    if ($point eq 'version') {
        $other->query('SELECT 1');
        cmp_ok(lists(), '>', $before, "$name: an insert finds the new lists");
    } else {
        ok(waits_for_lock($other_pid), "$name: an insert waits");
        # One that does not want to wait may go.
        is(ask("SELECT pg_cancel_backend($other_pid)"), 't', "$name: it can be cancelled");
        $other->query('SELECT 1');
        like($other->{stderr}, qr/canceling statement/, "$name: ... and is");
        $other->{stderr} = '';
        $other->query_until(qr/started/, "\\echo started\n" . batches($centre) . "\\echo ended\n");
    }
    cursors_give_their_rows($name, $open, 50);
    unlike(go_on($point, $splitter), qr/ERROR/, "$name: it goes on");
    $other->query('SELECT 1');
    unlike($other->{stderr}, qr/ERROR/, "$name: so does the insert");
    $_->quit for $splitter, $other;
    is_whole("after $point");
    cursors_give_their_rows($name, $open);
    ++$centre;
}

# A session that splits lists which its own scans read.
for my $taken (0, 100, 6000) {
    my $before = lists();
    my $open = open_cursors($taken);
    $open->query_safe($_) for at_once($centre, 4), "DELETE FROM t WHERE id % 11 = 0", at_once($centre + 1, 4);
    cursors_give_their_rows("$taken rows before its own splits", $open);
    cmp_ok(lists(), '>', $before, '... of which there were some');
    $centre += 2;
}
is_whole('after splits below open scans');

# A split that is cancelled, or whose time is over.
for my $point ('sampled', 'new_list_page', 'new_lists', 'root_entry', 'old_entry', 'lists_locked', 'late_entries',
    'version', 'noted') {
    my $has_time = $point ne 'root_entry';
    my $name = ($has_time ? 'cancelled' : 'timed out') . " at $point";
    my ($splitter, $pid) =
      stand_at($point, ($has_time ? '' : "SET statement_timeout = '3s';\n") . at_once($centre, 4));
    ask("SELECT pg_cancel_backend($pid)") if $has_time;
    $splitter->query("SET statement_timeout = '20s'");
    my $reason = $has_time ? 'user request' : 'statement timeout';
    like($splitter->{stderr}, qr/canceling statement due to $reason/, "$name: the statement fails");
    unlink "$stops/$point" or die;
    $splitter->{stderr} = '';
    is_whole($name);
    my $before = lists();
    for (1 .. 10) {
        $splitter->query_safe(at_once($centre, 2));
        last if lists() > $before;
    }
    cmp_ok(lists(), '>', $before, "$name: the same session splits the list later");
    $splitter->quit;
    is_whole("$name, and later");
    ++$centre;
}
# A statement timeout that is too short for a split ends one insert, not each that comes after it.
ask(q{CREATE TABLE hasty (id serial, d descriptor(16));
    CREATE INDEX hasty_d ON hasty USING faiss (d);
    INSERT INTO hasty (d) SELECT d FROM source WHERE id <= 5000});
append_to_file("$stops/sampled", 'wait');
my @ended = grep {
    $node->psql('postgres', "SET statement_timeout = '200ms';
        INSERT INTO hasty (d) SELECT d FROM source WHERE id = 5000 + $_") != 0
} 1 .. 5;
is("@ended", '1', 'a short statement timeout ends one insert');
unlink "$stops/sampled" or die;
ask('INSERT INTO hasty (d) SELECT d FROM source WHERE id > 5000');
cmp_ok(ask(q{SELECT lists FROM faiss_index_info('hasty_d')}), '>', 50, '... and the list is split later');

# Without rows the lists are joined, too, and come again with the rows.
ask('DELETE FROM hasty; VACUUM (INDEX_CLEANUP ON) hasty');
cmp_ok(ask(q{SELECT lists FROM faiss_index_info('hasty_d')}), '<', 5, 'without rows there are few lists');
ask(q{INSERT INTO hasty (d) SELECT d FROM source; SELECT faiss_index_check('hasty_d')});
cmp_ok(ask(q{SELECT lists FROM faiss_index_info('hasty_d')}), '>', 50, '... and with rows many');
is(read_to_the_end($node, 'hasty', '<->', $origin), 't', '... that give every row once');

done_testing();
