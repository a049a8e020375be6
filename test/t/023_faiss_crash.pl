# Kill the server in the middle of inserts, builds and vacuums: after recovery every committed row
# is found through the index, once, and no other. LOOKALIKE_CRASHES says how often.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $crashes = $ENV{LOOKALIKE_CRASHES} // 4;
my $node = start_node('crash', 'full_page_writes = on', 'checkpoint_timeout = 1h');
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial, d descriptor(24));
    INSERT INTO t (d) SELECT made_up(i, 24, 40) FROM generate_series(1, 6000) AS i;
    INSERT INTO t (d) SELECT NULL FROM generate_series(1, 50);
    CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 30);
    CREATE INDEX t_ip ON t USING faiss (d descriptor_ip_ops);
    CREATE TABLE flat (id serial, d descriptor);
    CREATE INDEX flat_d ON flat USING faiss (d descriptor_cosine_ops) WITH (refine = half);
    -- Its list is soon split, then lists of it are split and joined.
    CREATE TABLE growing (id serial, d descriptor(16));
    CREATE INDEX growing_d ON growing USING faiss (d);
    INSERT INTO growing (d) SELECT made_up(i, 16, 40) FROM generate_series(1, 4800) AS i;
    CREATE UNLOGGED TABLE fleeting (id serial, d descriptor(8));
    CREATE INDEX ON fleeting USING faiss (d);
});

my @work = (
    q{INSERT INTO t (d) SELECT made_up(i, 24, 40) FROM generate_series(1, 20) AS i;
      INSERT INTO flat (d) SELECT made_up(i, 24) FROM generate_series(1, 20) AS i;
      INSERT INTO flat (d) VALUES (NULL), (array_fill(0::real, ARRAY[24])::descriptor);
      INSERT INTO fleeting (d) SELECT made_up(i, 8) FROM generate_series(1, 20) AS i;},
    q{DELETE FROM t WHERE id % 7 = floor(random() * 7)::int AND random() < 0.3;
      DELETE FROM flat WHERE random() < 0.2;
      VACUUM t; VACUUM flat;},
    q{REINDEX INDEX t_d;},
    q{INSERT INTO growing (d) SELECT made_up(i, 16, 40) FROM generate_series(1, 60) AS i;},
    q{DELETE FROM growing WHERE id % 29 = floor(random() * 29)::int;
      DELETE FROM growing WHERE id % 40 = 7;
      VACUUM (INDEX_CLEANUP ON) growing;},
    q{DROP INDEX IF EXISTS t_other; CREATE INDEX t_other ON t USING faiss (d) WITH (lists = 7);},
);

my $scripts = PostgreSQL::Test::Utils::tempdir();
for my $number (0 .. $#work) {
    append_to_file("$scripts/$number.sql", $work[$number] x 200);
}

for my $crash (1 .. $crashes) {
    my @running = map {
        IPC::Run::start(
            [ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', "$scripts/$_.sql" ],
            '&>', "$scripts/$_.log")
    } 0 .. $#work;
    select undef, undef, undef, 0.4 + rand() * 1.2;
    if ($crash % 2) {
        $node->stop('immediate');
    } else {
        # One backend dies, the postmaster restarts all.
        my $victim = $node->safe_psql('postgres',
            q{SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()
                AND backend_type = 'client backend' ORDER BY random() LIMIT 1});
        kill 'KILL', $victim if $victim;
        select undef, undef, undef, 0.3;
        $node->stop('immediate');
    }
    $_->finish for @running;
    $node->start;
    my ($origin, $axis) = map { my $first = $_; "'[" . join(',', $first, (0.1) x 23) . "]'" } 0, 1;
    is(read_to_the_end($node, 't', '<->', $origin), 't', "crash $crash: a tree of lists is whole");
    is(read_to_the_end($node, 't', '<#>', $axis), 't', "crash $crash: so is the other one");
    is(read_to_the_end($node, 'flat', '<=>', $axis), 't', "crash $crash: so is a single list");
    is(read_to_the_end($node, 'growing', '<->', "'[0" . ',0' x 15 . "]'"), 't', "crash $crash: so is one that grows");
    is(($node->psql('postgres', q{SELECT faiss_index_check('growing_d'), faiss_index_check('t_d')}))[2], '',
        "crash $crash: indexes are sound");
    is($node->safe_psql('postgres', 'SELECT count(*) FROM fleeting'), '0',
        "crash $crash: the unlogged table is empty");
    is(read_to_the_end($node, 'fleeting', '<->', "'[1,1,1,1,1,1,1,1]'"), 't',
        "crash $crash: and so is its index");
    $node->safe_psql('postgres', q{VACUUM t; VACUUM flat; VACUUM fleeting;
        INSERT INTO fleeting (d) SELECT made_up(i, 8) FROM generate_series(1, 20) AS i});
    is(read_to_the_end($node, 't', '<->', $origin), 't', "crash $crash: and after VACUUM");
    is(read_to_the_end($node, 'fleeting', '<->', "'[1,1,1,1,1,1,1,1]'"), 't',
        "crash $crash: the unlogged index takes rows");
    # Every row is its own nearest neighbour.
    is( $node->safe_psql('postgres', by_index(q{
            SET lookalike.recall = 1;
            SELECT count(*) FROM (SELECT d FROM t WHERE d IS NOT NULL ORDER BY random() LIMIT 300) AS q,
                LATERAL (SELECT t.d <-> q.d AS dist FROM t ORDER BY t.d <-> q.d LIMIT 1) AS nearest
             WHERE dist > 0})), '0', "crash $crash: every row is found by its own descriptor");
}
cmp_ok($node->safe_psql('postgres', q{SELECT lists FROM faiss_index_info('growing_d')}), '>', 1, 'lists were split');
ok(no_worker_left($node), 'no worker is left');
$node->stop;
done_testing();
