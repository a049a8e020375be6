# faiss_index_recall counts right, and sees what has become of an index whose table has changed;
# faiss_index_calibrate brings it back to what was asked for, beside readers and writers.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('calibrate', 'jit = off', 'wal_level = replica', 'max_wal_senders = 2',
    'hot_standby = on');

# Against the same counted in SQL, every row being a query. The index does not find all.
$node->safe_psql(
    'postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE counted (id serial, d descriptor(8));
    INSERT INTO counted (d) SELECT made_up(i, 8) FROM generate_series(1, 400) AS i;
    INSERT INTO counted (d) SELECT d FROM counted WHERE id <= 40;  -- equally near
    CREATE INDEX counted_d ON counted USING faiss (d) WITH (lists = 20)});
my $settings = 'SET lookalike.probes = 1; SET lookalike.recall = 0.5;';
my $expected = $node->safe_psql(
    'postgres', by_index(qq{
    $settings
    CREATE TEMP TABLE found AS
        SELECT q.id, q.d <-> f.d AS distance FROM counted AS q,
            LATERAL (SELECT id, d FROM counted AS t ORDER BY t.d <-> q.d LIMIT 8) AS f WHERE f.id <> q.id;
    SET enable_seqscan = on; SET enable_indexscan = off; SET enable_sort = on;
    WITH nearest AS (
        SELECT q.id, (SELECT max(distance) FROM (SELECT q.d <-> t.d AS distance FROM counted AS t
                       WHERE t.id <> q.id ORDER BY 1 LIMIT 7) AS s) AS farthest FROM counted AS q),
    hits AS (
        SELECT n.id, least(7, count(*) FILTER (WHERE f.distance <= n.farthest)) AS count
          FROM nearest AS n JOIN found AS f USING (id) GROUP BY n.id)
    SELECT round(sum(count) / (440 * 7.0), 6), round(min(count) / 7.0, 6) FROM hits}));
my $counted = $node->safe_psql(
    'postgres', qq{$settings
    SELECT round(recall::numeric, 6), round(recall_min::numeric, 6)
      FROM faiss_index_recall('counted_d', 440, 7)});
is($counted, $expected, "the recall is right: $counted");
cmp_ok((split /\|/, $counted)[0], '<', 0.95, '... and not of an index that finds all');

# Lists are learned from rows around sixty centres; then come three times as many without any.
my %classes = (
    cosine => q{(d descriptor_cosine_ops)},
    ip => q{(d descriptor_ip_ops) WITH (refine = 'half')},
    hamming => q{((binary_quantize(d)::descriptor(32, bit)) descriptor_hamming_ops)},
    jaccard => q{((binary_quantize(d)::descriptor(32, bit)) descriptor_jaccard_ops)},
    part => q{((subvector(d, 3, 24)::descriptor(24)) descriptor_cosine_ops) WITH (lists = 60)
              WHERE id % 2 = 0},
);
$node->safe_psql(
    'postgres', q{
    SELECT setseed(0.1);
    CREATE TABLE moved (id serial, d descriptor(32));
    INSERT INTO moved (d) SELECT made_up(i, 32, 60) FROM generate_series(1, 6000) AS i});
$node->safe_psql('postgres', "CREATE INDEX $_ ON moved USING faiss $classes{$_}")
    for sort keys %classes;
$node->safe_psql('postgres',
    q{SELECT setseed(0.2); INSERT INTO moved (d) SELECT made_up(i, 32) FROM generate_series(1, 18000) AS i});

# Further thousand queries meet the near lists, where those hold nearly all nearest rows.
my $counts = qr/^1?300$/;

# What is asked for is a mean: other queries scatter around it.
my $floor = 0.94;

sub recall
{
    my ($index, $of) = @_;
    return ($of // $node)->safe_psql('postgres',
        "SELECT round(recall::numeric, 3) FROM faiss_index_recall('$index', 150)");
}

# A session that has used the index before must see the new measurement.
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
    '<', \my $in, '>', \my $out, '2>', \my $errors);
sub ask
{
    my ($statement) = @_;
    $out = '';
    $in = "$statement;\n\\echo done\n";
    $session->pump until $out =~ /^done$/m;
    return $out =~ s/\n?done\n//r;
}
sub probed
{
    my ($id, $recall) = @_;
    return by_index(qq{
        SET lookalike.recall = $recall;
        DO \$\$ BEGIN PERFORM 1 FROM moved ORDER BY d <=> (SELECT d FROM moved WHERE id = $id) LIMIT 10; END \$\$;
        SELECT lists_probed FROM faiss_scan_stats();});
}
# At several recalls: one may open as many lists as before by chance.
my $probed = join ' ', map { probed(7000, $_) } qw(0.8 0.85 0.9 0.95 0.97 0.99);
my $probed_before = ask($probed);

for my $index (sort keys %classes)
{
    my $before = recall($index);
    # Beside the inserts it was measured, too, by fewer queries.
    cmp_ok($before, '>=', $floor - 0.02, "$index: recall $before after the table has changed");
    my $built = $node->safe_psql('postgres', "SELECT built_rows FROM faiss_index_info('$index')");
    my $queries = $node->safe_psql('postgres', "SELECT faiss_index_calibrate('$index')");
    like($queries, $counts, "$index: measured by $queries queries");
    my $after = recall($index);
    cmp_ok($after, '>=', $floor, "$index: recall $after after it was measured anew");
    is($node->safe_psql('postgres', "SELECT built_rows FROM faiss_index_info('$index')"),
        $built, "$index: the rows it was built from stay known");
    is($node->safe_psql('postgres', "SELECT faiss_index_check('$index') IS NULL"),
        'f', "$index: sound");
}
isnt(ask($probed), $probed_before, 'a session that knew the index opens another number of lists');

my (undef, undef, $read_only) = $node->psql('postgres',
    q{BEGIN READ ONLY; SELECT faiss_index_calibrate('cosine')});
like(
    $read_only,
    qr/cannot execute faiss_index_calibrate\(\) in a read-only transaction/,
    'not in a read-only transaction');

# Little memory: fewer queries, and where the table is read a sort on disk. Then too little.
$node->safe_psql('postgres',
    q{CREATE INDEX bare_codes ON moved USING faiss (d) WITH (refine = 'none')});
for my $index (qw(cosine bare_codes)) {
    my $fitting = $node->safe_psql('postgres',
        qq{SET maintenance_work_mem = '1MB'; SELECT faiss_index_calibrate('$index')});
    cmp_ok($fitting, '<', 300, "$index: as many queries as fit: $fitting");
    cmp_ok($fitting, '>', 10, '... are some');
}
$node->safe_psql('postgres', 'DROP INDEX bare_codes');
$node->safe_psql(
    'postgres', q{
    CREATE TABLE wide AS SELECT made_up(i, 1024) AS d FROM generate_series(1, 800) AS i;
    CREATE INDEX wide_d ON wide USING faiss (d) WITH (lists = 100)});
my (undef, undef, $error) = $node->psql('postgres',
    q{SET maintenance_work_mem = '1MB'; SELECT faiss_index_calibrate('wide_d')});
like(
    $error,
    qr/do not fit a quarter of maintenance_work_mem.*Raise maintenance_work_mem to 2 MB/s,
    'too little memory for the centroids');
is( $node->safe_psql(
        'postgres', q{SET maintenance_work_mem = '2MB'; SELECT faiss_index_calibrate('wide_d') > 0}),
    't',
    '... and as much as the hint says');

# Fewer rows than before: the probes go down again.
$node->safe_psql('postgres', 'DELETE FROM moved WHERE id > 6000; VACUUM moved');
$node->safe_psql('postgres', q{SELECT faiss_index_calibrate('cosine')});
cmp_ok(ask(probed(1000, 0.95)), '<', 45, 'after the new rows have gone, fewer lists');
my $again = recall('cosine');
cmp_ok($again, '>=', $floor, "... at a recall of $again");

# What has nothing to measure.
$node->safe_psql(
    'postgres', q{
    CREATE TABLE bare (d descriptor);
    CREATE INDEX bare_d ON bare USING faiss (d);
    CREATE TABLE emptied AS SELECT d FROM counted;
    CREATE INDEX emptied_d ON emptied USING faiss (d) WITH (lists = 4);
    DELETE FROM emptied});
$node->safe_psql('postgres', 'VACUUM emptied');
is($node->safe_psql('postgres', "SELECT faiss_index_calibrate('$_')"), 0, "$_: nothing to measure")
    for qw(bare_d emptied_d);
is($node->safe_psql('postgres', q{SELECT faiss_index_calibrate('counted_d') > 0}),
    't', 'rows that are equal');

# Who may.
$node->safe_psql('postgres', 'CREATE ROLE reader; GRANT pg_stat_scan_tables TO reader');
(undef, undef, $error) =
    $node->psql('postgres', q{SET ROLE reader; SELECT faiss_index_calibrate('cosine')});
like($error, qr/must be owner of index cosine/, 'only the owner');

# Beside readers and writers, not beside VACUUM.
ask('BEGIN');
ask(q{SELECT faiss_index_calibrate('cosine')});
my $beside = q{SET lock_timeout = '5s'; INSERT INTO moved (d) SELECT made_up(1, 32, 60);
    DELETE FROM moved WHERE id = 5; };
is($node->psql('postgres', $beside . by_index(q{SELECT 1 FROM moved ORDER BY d <=> (SELECT d FROM moved LIMIT 1) LIMIT 1})),
    0, 'others read and write meanwhile');
isnt($node->psql('postgres', q{SET lock_timeout = '100ms'; VACUUM moved}), 0, '... but do not vacuum');
ask('COMMIT');
my $script = $node->basedir . '/write.sql';
append_to_file($script, q{
INSERT INTO moved (d) SELECT made_up(1, 32, 60);
UPDATE moved SET d = made_up(2, 32) WHERE id = (random() * 6000)::int;
DELETE FROM moved WHERE id = (random() * 6000)::int;
});
my $writers = IPC::Run::start(
    [   'pgbench', '-n', '-c', '3', '-T', '4', '-f', $script,
        '-h', $node->host, '-p', $node->port, 'postgres' ],
    '>', '/dev/null', '2>', \my $writer_errors);
for (1 .. 4) {
    like($node->safe_psql('postgres', q{SELECT faiss_index_calibrate('cosine')}), $counts,
        'while others write');
}
$writers->finish;
unlike($writer_errors, qr/ERROR|aborted/, 'the writers met no error');

# Cancelled, it leaves the measurement and the session as they were.
my $figures = q{SELECT round(recall::numeric, 3) FROM faiss_index_recall('ip', 60)};
my $kept = ask($figures);
ask(q{SET statement_timeout = '30ms'; SELECT faiss_index_calibrate('ip'); RESET statement_timeout});
like($errors, qr/canceling statement due to statement timeout/, 'cancelled');
is(ask($figures), $kept, '... and as before');
ask(q{SET statement_timeout = '30ms'; SELECT faiss_index_recall('ip', 1000); RESET statement_timeout});
is(ask($figures), $kept, 'a recall cancelled too');
like(
    ask(by_index(q{EXPLAIN (costs off) SELECT 1 FROM moved ORDER BY d <#> '[0,0]' LIMIT 1})),
    qr/Index Scan using ip/, '... and the planner sees its indexes again');
$in = "\\q\n";
$session->finish;

# The measurement is in the WAL.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql(
    'postgres', q{
    INSERT INTO moved (d) SELECT made_up(i, 32) FROM generate_series(1, 12000) AS i;
    SELECT faiss_index_calibrate('cosine')});
$node->wait_for_catchup($standby);
my $measured = recall('cosine');
is(recall('cosine', $standby), $measured, 'a standby searches by it');
(undef, undef, $error) = $standby->psql('postgres', q{SELECT faiss_index_calibrate('cosine')});
like($error, qr/cannot execute faiss_index_calibrate\(\) during recovery/, '... and cannot measure');
$standby->stop;
$node->stop('immediate');
$node->start;
is(recall('cosine'), $measured, 'it outlives a crash');

$node->stop;
done_testing();
