# An index with refine = none keeps nothing of its rows that tells them. Its lists are split all the
# same, by rows that are fetched: whatever has become of these, the index is sound, and a scan gives
# each row of its snapshot.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use Test::More;

my $node = start_node('rows');

sub ask { return $node->safe_psql('postgres', @_) }

ask(q{
SELECT setseed(0.25);
CREATE TABLE source AS SELECT i AS id, made_up(i, 32, 100) AS d FROM generate_series(1, 12000) AS i;
CREATE TABLE queries AS SELECT d FROM source WHERE id % 300 = 0;
});

sub create_table {
    my ($name, $type, $rest, $with) = @_;
    $rest //= '(d)';
    $with //= '';
    ask(qq{DROP TABLE IF EXISTS $name;
        CREATE TABLE $name (id int, seen int, d $type) WITH (fillfactor = 60);
        CREATE INDEX ${name}_d ON $name USING faiss $rest WITH (refine = none$with)});
}

sub append { return "INSERT INTO $_[0] SELECT id, 0, d FROM source WHERE id BETWEEN $_[1] AND $_[2];" }

sub lists_of { return ask("SELECT lists FROM faiss_index_info('$_[0]')") }

sub is_sound {
    my ($name, $index) = @_;
    my ($status, $out, $error) = $node->psql('postgres', "SELECT faiss_index_check('$index')");
    is($error, '', "$name: the index is sound");
}

my $by_order = '(SELECT id FROM %s ORDER BY d <-> (SELECT d FROM queries LIMIT 1)) AS came';

sub gives_every_row {
    my ($name, $table) = @_;
    my $from = sprintf $by_order, $table;
    is(ask("SET enable_seqscan = on; SELECT count(*) FROM $table"),
        ask(by_index("SELECT count(*) FROM $from")), "$name: every row");
    is(ask(by_index("SELECT count(*) - count(DISTINCT id) FROM $from")), 0, "$name: each once");
}

sub checked {
    my ($name, $table, $least) = @_;
    cmp_ok(lists_of("${table}_d"), '>=', $least, "$name: the list was split");
    is_sound($name, "${table}_d");
    gives_every_row($name, $table);
}

# --- As good as one that is built
create_table('grown', 'descriptor(32)');
ask(append('grown', 1, 4000) . append('grown', 4001, 12000));
checked('grown', 'grown', 70);
my $grown = ask("SELECT recall('grown', '<->', 10)");
ask('REINDEX INDEX grown_d');
my $built = ask("SELECT recall('grown', '<->', 10)");
cmp_ok($grown, '>=', $built - 0.05, "a grown index finds $grown, one that was built $built");

# --- By the inner product and by the cosine, half; filter attributes; partial; as many lists as were
# asked for
create_table('other', 'descriptor(32, half)', '(d descriptor_ip_ops, id)', ', lists = 20');
ask('INSERT INTO other SELECT id, 0, d::descriptor(32, half) FROM source');
is(lists_of('other_d'), 20, 'so many lists as were asked for');
is_sound('inner product', 'other_d');
is(ask(by_index('SELECT count(*) FROM (SELECT id FROM other WHERE id < 3000
        ORDER BY d <#> (SELECT d::descriptor(32, half) FROM queries LIMIT 1)) AS came')),
    2999, 'filter attributes have moved, too');
create_table('partly', 'descriptor(32)', '(d descriptor_cosine_ops)', ') WHERE (id % 2 = 0');
ask(append('partly', 1, 12000));
cmp_ok(lists_of('partly_d'), '>=', 70, 'a partial index is split');
is_sound('partial', 'partly_d');

# --- Rows that were updated in place: the entry points at the first of a chain
create_table('chained', 'descriptor(32)');
ask(append('chained', 1, 4500) . 'UPDATE chained SET seen = 1; UPDATE chained SET seen = 2 WHERE id % 2 = 0;');
ask(append('chained', 4501, 6000));
checked('chains', 'chained', 70);

# ... and an index that was made when a chain had another value before
ask('DROP INDEX chained_d; DELETE FROM chained WHERE id > 4500; VACUUM chained');
my $old = $node->background_psql('postgres', on_error_stop => 0);
$old->query_safe($_) for 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM chained';
ask(q{UPDATE chained SET d = (SELECT d FROM source WHERE source.id = 12001 - chained.id) WHERE id % 3 = 0});
ask('CREATE INDEX chained_d ON chained USING faiss (d) WITH (refine = none)');
ask(append('chained', 4501, 6000));
checked('chains that had another value', 'chained', 70);
$old->query_safe('COMMIT');
$old->quit;

# --- Rows that were deleted. An old snapshot sees them; then nobody does.
create_table('emptied', 'descriptor(32)');
ask(append('emptied', 1, 4500));
$old = $node->background_psql('postgres', on_error_stop => 0);
$old->query_safe($_) for 'SET enable_seqscan = off', 'SET enable_sort = off', 'SET lookalike.recall = 1',
  'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT count(*) FROM emptied';
ask('DELETE FROM emptied WHERE id % 2 = 0');
ask(append('emptied', 4501, 6000));
checked('deleted rows', 'emptied', 70);
is($old->query_safe('SELECT count(*) FROM ' . sprintf($by_order, 'emptied')),
    4500, 'an old snapshot sees the deleted rows');
$old->query_safe('COMMIT');
$old->quit;
ask('SELECT count(*) FROM emptied');  # which prunes
ask(append('emptied', 6001, 12000));
checked('pruned rows', 'emptied', 70);
ask('VACUUM emptied');
checked('... and VACUUM', 'emptied', 70);

# The same before anything was split
create_table('pruned', 'descriptor(32)');
ask(append('pruned', 1, 4500) . 'DELETE FROM pruned WHERE id % 2 = 0');
ask('SELECT count(*) FROM pruned');
ask(append('pruned', 4501, 6000));
checked('rows pruned before', 'pruned', 70);

# --- Rows of one's own that come back
create_table('undone', 'descriptor(32)');
ask(append('undone', 1, 4500) . 'BEGIN; SAVEPOINT s; DELETE FROM undone;'
      . append('undone', 4501, 6000) . 'ROLLBACK TO s; COMMIT');
checked('a deletion that was undone', 'undone', 70);
is(ask('SELECT count(*) FROM undone'), 4500, '... brought all rows back');
ask('BEGIN;' . append('undone', 6001, 12000) . 'ROLLBACK');
checked('rows that never came', 'undone', 70);

# --- Rows in TOAST, among them those of a transaction that goes on
ask(q{CREATE TABLE wide_source AS SELECT id, array_to_string(array_agg(d), ',') AS text FROM (
        SELECT i AS id, (sin(dim * (1 + i % 50)) + (random() - 0.5) / 2)::real AS d
          FROM generate_series(1, 200) AS i, generate_series(1, 600) AS dim) AS x GROUP BY id});
my $wide = q{SELECT i, 0, ('[' || text || ',' || i %% 89 || ']')::descriptor(601)
    FROM generate_series(%d, %d) AS i JOIN wide_source AS w ON w.id = 1 + i %% 200};
create_table('wide', 'descriptor(601)');
my $other = $node->background_psql('postgres', on_error_stop => 0);
$other->query_safe($_) for 'BEGIN', sprintf("INSERT INTO wide $wide", 1, 100);
ask(sprintf "INSERT INTO wide $wide", 101, 5100);
is(lists_of('wide_d'), 1, 'rows in TOAST that may go are not read');
$other->query_safe('ROLLBACK');
ask('VACUUM wide');
ask(sprintf "INSERT INTO wide $wide", 5101, 5600);
$other->quit;
cmp_ok(lists_of('wide_d'), '>=', 70, 'when they have gone, the list is split');
is_sound('TOAST', 'wide_d');
is(ask('SELECT count(*) FROM wide'), 5500, 'so many rows lie in TOAST');
is( ask(by_index('SELECT count(DISTINCT id) FROM (SELECT id FROM wide ORDER BY d <-> (SELECT d FROM wide LIMIT 1)) AS x')),
    5500, 'every row of TOAST');

# --- A column that is an expression may take anything: it is not computed beside an insert
create_table('computed', 'descriptor(32)', '((subvector(d, 1, 16)::descriptor(16)))');
ask(append('computed', 1, 6000));
is(lists_of('computed_d'), 1, 'the list of an expression stays one');

done_testing();
