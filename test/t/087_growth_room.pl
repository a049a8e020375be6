# Lists that a split has replaced are given back by the splits that follow, without VACUUM, as soon as
# nobody can look at them: the file stays about as small as that of an index that was built.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use Test::More;

my $node = start_node('room', 'autovacuum = off');

sub ask { return $node->safe_psql('postgres', @_) }

ask(q{
SELECT setseed(0.75);
CREATE TABLE source AS SELECT i AS id, made_up(i, 32, 200) AS d FROM generate_series(1, 30000) AS i;
CREATE INDEX ON source (id);
});

sub create { ask("CREATE TABLE $_[0] (id int, d descriptor(32)); CREATE INDEX $_[0]_d ON $_[0] USING faiss (d)") }

sub insert_by_thousands {
    my ($table, $first, $last) = @_;
    ask(join ' ', map { "INSERT INTO $table SELECT id, d FROM source WHERE id > $_ * 1000 AND id <= ($_ + 1) * 1000;\n" }
          $first .. $last - 1);
}

sub info { return ask("SELECT $_[0] FROM faiss_index_info('$_[1]')") }

sub is_sound {
    my ($name, $index) = @_;
    my ($status, $out, $error) = $node->psql('postgres', "SELECT faiss_index_check('$index')");
    is($error, '', "$name: the index is sound");
}

# In one transaction nothing can be given back: it might look at its old lists itself.
create('at_once');
ask('INSERT INTO at_once SELECT id, d FROM source');
cmp_ok(info('retired_lists', 'at_once_d'), '>', 100, 'one transaction keeps what it has replaced');

create('grown');
insert_by_thousands('grown', 0, 30);
cmp_ok(info('lists', 'grown_d'), '>', 120, 'lists were split');
cmp_ok(info('retired_lists', 'grown_d'), '<', 40, 'some of those that were replaced wait to be given back');
ask("CREATE TABLE built AS SELECT * FROM grown; CREATE INDEX built_d ON built USING faiss (d)");
my ($grown, $built, $at_once) = map { info('total_bytes', "${_}_d") } qw(grown built at_once);
cmp_ok($grown, '<', 1.7 * $built, 'the file is not much larger than one that is built') or diag "$grown, $built";
cmp_ok($at_once, '>', 1.3 * $grown, '... but after one transaction');
is_sound('grown', 'grown_d');

# Whoever may look at them keeps them.
create('read');
insert_by_thousands('read', 0, 6);
my $reader = $node->background_psql('postgres');
$reader->query_safe(
    q{BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL lookalike.recall = 1});
$reader->query_safe(
    q{DECLARE c CURSOR FOR SELECT id FROM read ORDER BY d <-> (SELECT d FROM source WHERE id = 1)});
$reader->query_safe('FETCH 10 FROM c');
my $lists = info('lists', 'read_d');
insert_by_thousands('read', 6, 12);
my $kept = info('retired_lists', 'read_d');
cmp_ok($kept, '>=', info('lists', 'read_d') - $lists, 'an open scan keeps what it may read');
my @rest = split /\n/, $reader->query_safe('FETCH ALL FROM c');
is(scalar @rest, 5990, 'it goes on to its last row');
$reader->query_safe('COMMIT');
$reader->query_safe(
    q{BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL lookalike.recall = 1});
is( $reader->query_safe(
        q{SELECT count(DISTINCT id) FROM (SELECT id FROM read ORDER BY d <-> (SELECT d FROM source WHERE id = 1)) AS x}),
    12000, 'every row is found');
$reader->quit;
insert_by_thousands('read', 12, 18);
cmp_ok(info('retired_lists', 'read_d'), '<', $kept, 'afterwards they are given back');
is_sound('read', 'read_d');

# VACUUM does not make the file shorter, but what it gives back serves the rows that come next.
create('again');
insert_by_thousands('again', 0, 12);
my $full = info('total_bytes', 'again_d');
for my $round (1 .. 2) {
    ask('DELETE FROM again');
    ask('VACUUM again');
    ask('CREATE TABLE written_' . $round . ' ()');
    ask('VACUUM again');
    cmp_ok(info('free_bytes', 'again_d'), '>', 0.9 * info('total_bytes', 'again_d'), 'without rows nearly all is free');
    insert_by_thousands('again', 0, 12);
    cmp_ok(info('total_bytes', 'again_d'), '<=', 1.1 * $full, 'the same rows find room in what was there');
}
is_sound('again', 'again_d');

# A table that is emptied in place begins a new index in the same file, of which this session measures
# nothing by what it knew of the old one: that lay behind 300,000 NULLs.
my ($status, $out, $errors) = $node->psql('postgres', q{
    CREATE TEMP TABLE emptied (d descriptor(32)) ON COMMIT DELETE ROWS;
    CREATE INDEX emptied_d ON emptied USING faiss (d);
    BEGIN;
    INSERT INTO emptied SELECT NULL FROM generate_series(1, 300000);
    INSERT INTO emptied SELECT d FROM source WHERE id <= 5002;
    COMMIT;
    BEGIN;
    INSERT INTO emptied SELECT d FROM source WHERE id <= 5500;
    SELECT measured_rows > 5000 FROM faiss_index_info('emptied_d');
    COMMIT});
is("$out$errors", 't', 'an index that was emptied in place measures itself');

done_testing();
