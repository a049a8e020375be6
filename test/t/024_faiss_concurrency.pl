# Inserts, deletes, VACUUM, REINDEX CONCURRENTLY and scans at the same time, on few lists: no error,
# no row lost, none twice.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{LOOKALIKE_SECONDS} // 8;
my $node = start_node('concurrency');
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE t (id bigserial PRIMARY KEY, d descriptor(12));
    INSERT INTO t (d) SELECT made_up(i, 12, 10) FROM generate_series(1, 3000) AS i;
    CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 6);
    CREATE TABLE wide (id bigserial PRIMARY KEY, d descriptor);
    CREATE INDEX wide_d ON wide USING faiss (d descriptor_cosine_ops);
});
my $folder = PostgreSQL::Test::Utils::tempdir();
my %scripts = (
    insert => q{
        INSERT INTO t (d) SELECT made_up(i, 12, 10) FROM generate_series(1, 10) AS i;
        INSERT INTO wide (d) SELECT made_up(i, 2000) FROM generate_series(1, 1) AS i;},
    delete => q{
        DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY random() LIMIT 8 FOR UPDATE SKIP LOCKED);
        UPDATE t SET d = made_up(id::int, 12, 10) WHERE id = (SELECT max(id) FROM t);
        DELETE FROM wide WHERE random() < 0.05;},
    # In one snapshot the index and the table hold the same rows.
    scan => q{
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        SET LOCAL enable_sort = off;
        SET LOCAL enable_seqscan = off;
        SET LOCAL work_mem = '64kB';
        SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) = (SELECT count(*) FROM t AS all_rows))::int
          FROM (SELECT id FROM t ORDER BY d <-> '[0,0,0,0,0,0,0,0,0,0,0,0]') AS x;
        SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) = (SELECT count(*) FROM wide AS all_rows))::int
          FROM (SELECT id FROM wide ORDER BY d <=> NULL) AS x;
        COMMIT;},
    vacuum => q{
        VACUUM t;
        VACUUM wide;
        \sleep 100 ms},
);
my @running;
for my $name (sort keys %scripts) {
    append_to_file("$folder/$name.sql", $scripts{$name});
    my $clients = $name eq 'vacuum' ? 1 : 2;
    push @running, [ $name, IPC::Run::start(
        [ 'pgbench', '-n', '-T', $seconds, '-c', $clients, '-h', $node->host, '-p', $node->port,
            '-f', "$folder/$name.sql", 'postgres' ], '&>', "$folder/$name.log") ];
}
my $rebuilds = 0;
my $end = time + $seconds - 2;
while ($rebuilds < 2 || time < $end) {
    $node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY t_d');
    ++$rebuilds;
    select undef, undef, undef, 0.5;
}
for (@running) {
    my ($name, $run) = @$_;
    $run->finish;
    my $log = slurp_file("$folder/$name.log");
    my ($count) = $log =~ /transactions actually processed: (\d+)/;
    ok($run->result(0) == 0 && ($count // 0) > 0 && $log !~ /ERROR|aborted/, "$name ran without an error")
      or diag $log;
}
cmp_ok($rebuilds, '>', 1, 'the index was rebuilt meanwhile');
is(read_to_the_end($node, 't', '<->', "'[0,0,0,0,0,0,0,0,0,0,0,0]'"), 't', 'the tree is whole');
is(read_to_the_end($node, 'wide', '<=>', '(SELECT d FROM wide LIMIT 1)'), 't', 'so is the wide list');
is( $node->safe_psql('postgres', by_index(q{
        SET lookalike.recall = 1;
        SELECT count(*) FROM (SELECT d FROM t ORDER BY random() LIMIT 300) AS q,
            LATERAL (SELECT t.d <-> q.d AS dist FROM t ORDER BY t.d <-> q.d LIMIT 1) AS nearest
         WHERE dist > 0})), '0', 'every row is found by its own descriptor');
unlike(slurp_file($node->logfile), qr/was terminated by signal|PANIC/, 'no process crashed');
done_testing();
