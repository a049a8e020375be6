# The server is killed at each step of a change of the tree, of what VACUUM gives back and of what is
# measured: after recovery every committed row is found, once, the index is sound and goes on growing,
# and VACUUM frees what was left behind.
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
my $node = start_node('growth', 'full_page_writes = on', 'checkpoint_timeout = 1h');
my $origin = "'[0" . ',0' x 15 . "]'";
my $centres = 60;

sub ask { return $node->safe_psql('postgres', @_) }

ask(qq{
    SELECT setseed(0.5);
    CREATE TABLE source AS SELECT i AS id, made_up(i, 16, $centres) AS d FROM generate_series(1, 9600) AS i;
    CREATE INDEX ON source ((id % $centres), id);
    -- One that has many lists, and one that has not been split yet.
    CREATE TABLE grown (id serial, d descriptor(16));
    CREATE INDEX grown_d ON grown USING faiss (d);
    CREATE INDEX ON grown (id);
    CREATE TABLE fresh (id serial, d descriptor(16));
    CREATE INDEX fresh_d ON fresh USING faiss (d);
    CREATE INDEX ON fresh (id);
    INSERT INTO grown (d) SELECT d FROM source});

# So many statements, each with some rows around one centre: its list is soon too long.
my $centre = 0;
sub batches {
    my ($table, $count) = @_;
    my $statements = '';
    for (1 .. $count) {
        my ($of, $part) = (int($centre / 4) % $centres, $centre % 4);
        $statements .= "INSERT INTO $table (d) SELECT d FROM source WHERE id % $centres = $of AND id / $centres % 4 = $part;\n";
        ++$centre;
    }
    return $statements;
}

sub stop_at {
    my ($point, $how) = @_;
    append_to_file("$stops/$point.new", $how);
    rename "$stops/$point.new", "$stops/$point" or die;
}

# Runs statements, of which one kills the server at this point, and waits until it has recovered.
sub kill_at {
    my ($point, $statements) = @_;
    my ($name, $times) = split /:/, $point;
    stop_at($name, 'kill ' . ($times // 1));
    $node->psql('postgres', $statements);
    my $was_killed = !unlink "$stops/$name";
    $node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back' if $was_killed;
    ok($was_killed, "$point: the server was killed");
}

sub leaked_pages {
    my ($index) = @_;
    my (undef, undef, $error) = $node->psql('postgres',
        "SET client_min_messages = debug1; SELECT faiss_index_check('$index')");
    return $error =~ /has \d+ pages, (\d+) of them leaked/ ? $1 : "not sound: $error";
}

sub is_whole {
    my ($name, $table) = @_;
    like(leaked_pages("${table}_d"), qr/^\d+$/, "$name: $table is sound");
    is(read_to_the_end($node, $table, '<->', $origin), 't', "$name: $table gives every row once");
}

# After a crash: what is there is right, all goes on, and in the end nothing lies about.
sub goes_on {
    my ($name, $table) = @_;
    my $at_first = leaked_pages("${table}_d");
    like($at_first, qr/^\d+$/, "$name: $table is sound");
    is(read_to_the_end($node, $table, '<->', $origin), 't', "$name: $table gives every row once");
    my $lists = ask("SELECT lists FROM faiss_index_info('${table}_d')");
    my $then = $lists;
    for (1 .. 20) {
        $then = ask(batches($table, 8) . "SELECT lists FROM faiss_index_info('${table}_d')");
        last if $then > $lists;
    }
    cmp_ok($then, '>', $lists, "$name: $table grows on");
    # What was retired is given back once nobody can look at it.
    my $leaked;
    my @leaks = ($at_first);
    for my $try (1 .. 3) {
        ask("DELETE FROM $table WHERE id = (SELECT min(id) FROM $table); VACUUM (INDEX_CLEANUP ON) $table");
        $leaked = leaked_pages("${table}_d");
        push @leaks, $leaked;
        last if $leaked eq '0';
    }
    is($leaked, '0', "$name: VACUUM leaves no page of $table without use: @leaks");
    is(read_to_the_end($node, $table, '<->', $origin), 't', "$name: ... and every row");
}

my @steps = ('sampled', 'new_stream_pages', 'new_list_page', 'new_list', 'new_lists', 'root_entry',
    'root_entry:2', 'old_entry', 'old_entry:2', 'root_changed', 'lists_locked', 'version', 'noted');
for my $point (@steps) {
    kill_at($point, batches('grown', 50));
    goes_on($point, 'grown');
}
# The first split makes the root, and measures.
for my $point ('new_list:30', 'root_made', 'root_entry:30', 'old_entry', 'lists_locked', 'version', 'measured',
    'calibration') {
    ask('TRUNCATE fresh; INSERT INTO fresh (d) SELECT d FROM source WHERE id <= 4950');
    kill_at($point, batches('fresh', 10));
    goes_on("first split, $point", 'fresh');
}

# Without a further split VACUUM frees the lists that did not come into the tree.
for my $point ('new_lists', 'root_changed') {
    kill_at($point, batches('grown', 50));
    my $left = leaked_pages('grown_d');
    ask('DELETE FROM grown WHERE id = (SELECT min(id) FROM grown); VACUUM (INDEX_CLEANUP ON) grown');
    is(leaked_pages('grown_d'), '0', "$point: VACUUM has freed what was left: $left");
}

# Killed twice: while it undoes what the first crash has left.
for my $point ('undone_new', 'undone_old') {
    kill_at('root_changed', batches('grown', 50));
    kill_at($point, batches('grown', 50));
    goes_on($point, 'grown');
}

# VACUUM gives back what was retired. The first list of "fresh" has many pages; where some of them have
# gone, its rows may be deleted, too.
my $vacuum = 'VACUUM (INDEX_CLEANUP ON)';
for my $point ('horizon_logged', 'list_page_given_back', 'page_given_back', 'page_given_back:4', 'list_given_back',
    'taken_out') {
    ask('TRUNCATE fresh; INSERT INTO fresh (d) SELECT d FROM source WHERE id <= 5001');
    kill_at($point, "DELETE FROM fresh WHERE id = (SELECT min(id) FROM fresh); $vacuum fresh");
    ask("DELETE FROM fresh; $vacuum fresh; INSERT INTO fresh (d) SELECT d FROM source WHERE id % 3 <> 0");
    goes_on($point, 'fresh');
}

# Lists that have become short are joined.
ask("DELETE FROM grown WHERE id % 10 <> 0");
for my $point ('merge_counted', 'sampled', 'new_list', 'root_entry', 'old_entry', 'old_entry:2', 'lists_locked',
    'version', 'noted', 'merged', 'measured', 'calibration') {
    ask('DELETE FROM grown WHERE id = (SELECT min(id) FROM grown)');
    kill_at($point, "$vacuum grown");
    is_whole($point, 'grown');
}
goes_on('joined', 'grown');
done_testing();
