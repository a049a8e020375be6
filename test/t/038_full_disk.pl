# A full disk: VACUUM takes away what is dead although the free space map cannot grow, and an insert
# that needs a page fails without damage.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Small WAL files leave room below the limit of file sizes that makes the disk full, further down.
my $node = start_node('full', [ extra => ['--wal-segsize=1'] ]);
$node->safe_psql('postgres', q{
    CREATE TABLE t (id int, d descriptor(32)) WITH (fillfactor = 50);
    INSERT INTO t SELECT i, made(i, 32) FROM generate_series(1, 4000) AS i;
    CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 4, refine = float);
});

sub ask { my ($query) = @_; return $node->safe_psql('postgres', $query); }

sub is_sound
{
    my ($what) = @_;
    my (undef, undef, $error) = $node->psql('postgres', q{SELECT faiss_index_check('t_d')});
    is($error, '', "sound $what");
    is(read_to_the_end($node, 't', '<->', '(SELECT d FROM t LIMIT 1)'), 't', '... and whole');
    return;
}

sub blocks { return ask(q{SELECT pg_relation_size('t_d') / 8192}); }
sub new_rows { my ($first, $count) = @_; return "INSERT INTO t SELECT i, made(i, 32)
    FROM generate_series($first, $first + $count - 1) AS i"; }

# The map comes with the file.
cmp_ok(ask(q{SELECT pg_relation_size('t_d', 'fsm')}), '>', 0, 'a build makes the free space map');

# Recovery and replication leave no map behind; this one has no room.
my $map = $node->data_dir . '/' . ask(q{SELECT pg_relation_filepath('t_d')}) . '_fsm';
$node->stop;
unlink $map;
symlink '/dev/full', $map or die "$map: $!";
$node->start;
my (undef, undef, $error) = $node->psql('postgres', q{DELETE FROM t WHERE id > 200});
is($error, '', 'rows are deleted');
(undef, undef, $error) = $node->psql('postgres', 'VACUUM t');
is($error, '', 'VACUUM does without the map');
is(ask(q{SELECT entries, free_bytes > 0 FROM faiss_index_info('t_d')}), '200|t', '... and has freed pages');
is_sound('after VACUUM on a full disk');
my $before = blocks();
my $inserted = 0;
while ($inserted < 20000)
{
    (undef, undef, $error) = $node->psql('postgres', new_rows(10000 + $inserted, 100));
    last if $error;
    $inserted += 100;
}
like($error, qr/could not extend file "[^"]*_fsm": No space left on device/, 'an insert that needs a page fails');
is(blocks(), $before, "... after $inserted rows that found a place");
is_sound('after it');

# Room again.
$node->stop;
unlink $map;
$node->start;
ask(new_rows(40000, 1000));
cmp_ok(blocks(), '>', $before, 'once there is room the file grows');
ask('DELETE FROM t WHERE id > 300; VACUUM t');
$before = blocks();
ask(new_rows(50000, 2000));
is(blocks(), $before, '... and VACUUM gives the pages to the map');
is_sound('with room');

# A session whose files may not become larger than the index is.
my $limit = blocks() * 8192;
cmp_ok($limit, '>', 1024 * 1024, 'the index is larger than a WAL file');
$before = blocks();
(undef, undef, $error) = $node->psql('postgres', join "\n",
    'SELECT pg_backend_pid() AS pid \gset', '\setenv PID :pid',
    "\\! prlimit --pid \$PID --fsize=$limit:$limit",
    map { new_rows(60000 + 1000 * $_, 1000) . ';' } 1 .. 8);
like($error, qr/could not extend file "[^"]*": File too large/, 'an index that cannot grow refuses rows');
is(blocks(), $before, '... and has not grown');
is_sound('after it');
ask(new_rows(80000, 1000));
cmp_ok(blocks(), '>', $before, 'another session goes on');
is_sound('at the end');

$node->stop;
done_testing();
