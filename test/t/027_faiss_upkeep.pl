# What keeps an index in shape: VACUUM gives places back, CONCURRENTLY misses no row, wide descriptors
# go through all of it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('upkeep');

# Size: all rows replaced, again and again.
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE t (id serial, d descriptor(32));
    INSERT INTO t (d) SELECT made_up(i, 32, 20) FROM generate_series(1, 4000) AS i;
    CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 20)});
my $size = $node->safe_psql('postgres', q{SELECT pg_relation_size('t_d')});
for my $round (1 .. 3) {
    $node->safe_psql('postgres', 'DELETE FROM t');
    $node->safe_psql('postgres', 'VACUUM t');
    $node->safe_psql('postgres', 'INSERT INTO t (d) SELECT made_up(i, 32, 20) FROM generate_series(1, 4000) AS i');
}
my $grown = $node->safe_psql('postgres', q{SELECT pg_relation_size('t_d')});
cmp_ok($grown, '<', $size * 1.3, "rows replaced three times: $size bytes, then $grown");
is(read_to_the_end($node, 't', '<->', '(SELECT d FROM t LIMIT 1)'), 't', '... and all are there');

# Wide descriptors: build, insert, delete, VACUUM, insert.
my %wide = (
    w1280 => [ 'made_up(i, 1280)', 'l2', '<->' ],
    w4096 => [ 'made_up(i, 4096)', 'cosine', '<=>' ],
    w16000 => [ 'made_up(i, 16000)', 'ip', '<#>' ],
    b64000 => [ 'made_up_bits(i, 64000)', 'hamming', '<~>' ]);
for my $table (sort keys %wide) {
    my ($made, $class, $operator) = @{ $wide{$table} };
    $node->safe_psql('postgres', qq{
        CREATE TABLE $table (id serial, d descriptor);
        INSERT INTO $table (d) SELECT $made FROM generate_series(1, 60) AS i;
        CREATE INDEX ON $table USING faiss (d descriptor_${class}_ops) WITH (lists = 2);
        INSERT INTO $table (d) SELECT $made FROM generate_series(1, 40) AS i;
        DELETE FROM $table WHERE id % 2 = 0});
    $node->safe_psql('postgres', "VACUUM $table");
    $node->safe_psql('postgres', "INSERT INTO $table (d) SELECT $made FROM generate_series(1, 30) AS i");
    is(read_to_the_end($node, $table, $operator, "(SELECT d FROM $table WHERE id = 101)"), 't',
        "$table: every row");
    is( $node->safe_psql('postgres', by_index(qq{SET lookalike.recall = 1;
            SELECT count(*) FROM $table AS q, LATERAL (SELECT id FROM $table
                ORDER BY $table.d $operator q.d LIMIT 1) AS nearest WHERE nearest.id = q.id})),
        '80', "$table: each is its own nearest") unless $class eq 'ip';
}

# CONCURRENTLY, while rows come and go; the first value of all may come between two passes.
my $folder = PostgreSQL::Test::Utils::tempdir();
append_to_file("$folder/write.sql", q{
    INSERT INTO t (d) SELECT made_up(i, 32, 20) FROM generate_series(1, 5) AS i;
    DELETE FROM t WHERE id = (SELECT min(id) FROM t);});
my $writers = IPC::Run::start([ 'pgbench', '-n', '-T', 4, '-c', 2, '-h', $node->host, '-p', $node->port,
        '-f', "$folder/write.sql", 'postgres' ], '&>', "$folder/log");
for my $statement ('CREATE INDEX CONCURRENTLY other ON t USING faiss (d descriptor_cosine_ops)',
    'REINDEX INDEX CONCURRENTLY t_d', 'DROP INDEX CONCURRENTLY other', 'REINDEX TABLE CONCURRENTLY t') {
    $node->safe_psql('postgres', $statement);
}
$node->safe_psql('postgres', 'CREATE INDEX CONCURRENTLY other ON t USING faiss (d descriptor_cosine_ops)');
$writers->finish;
is(read_to_the_end($node, 't', '<->', '(SELECT d FROM t LIMIT 1)'), 't', 'rebuilt while rows came');
is(read_to_the_end($node, 't', '<=>', '(SELECT d FROM t LIMIT 1)'), 't', 'created while rows came');

ok(no_worker_left($node), 'no worker is left');
done_testing();
