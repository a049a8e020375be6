# Scans on a standby while the primary inserts, deletes and vacuums, so that replay recycles pages of
# the very lists that are read: no error, no row lost, none twice.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{LOOKALIKE_SECONDS} // 8;
my $primary = start_node('primary', 'max_wal_size = 2GB', 'hot_standby_feedback = on',
    'wal_receiver_status_interval = 1', 'max_standby_streaming_delay = -1');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
# Few entries a page, so that pages come and go; codes inside and outside of list pages.
my %tables = (near => [ 1000, 1500 ], wide => [ 2000, 60 ]);
$primary->safe_psql('postgres', 'SELECT setseed(0.5)');
for my $table (sort keys %tables) {
    my ($dims, $rows) = @{ $tables{$table} };
    $primary->safe_psql('postgres', qq{
        CREATE TABLE $table (id bigserial PRIMARY KEY, d descriptor);
        INSERT INTO $table (d) SELECT made_up(i, $dims) FROM generate_series(1, $rows) AS i;
        CREATE INDEX ON $table USING faiss (d)});
}
$primary->wait_for_catchup($standby);

my $folder = PostgreSQL::Test::Utils::tempdir();
my %scripts = (
    write => [ $primary, q{
        DELETE FROM near WHERE id < (SELECT max(id) FROM near) - 1400;
        INSERT INTO near (d) SELECT d FROM near ORDER BY id DESC LIMIT 200;
        DELETE FROM wide WHERE id < (SELECT max(id) FROM wide) - 50;
        INSERT INTO wide (d) SELECT d FROM wide ORDER BY id DESC LIMIT 20;} ],
    vacuum => [ $primary, q{
        VACUUM near;
        VACUUM wide;} ],
    scan => [ $standby, join '', 'BEGIN ISOLATION LEVEL REPEATABLE READ;',
        'SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;',
        (map { qq{
        SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) = (SELECT count(*) FROM $_ AS all_rows))::int
          FROM (SELECT id FROM $_ ORDER BY d <-> (SELECT d FROM $_ AS q ORDER BY id LIMIT 1)) AS x;} }
          sort keys %tables), 'COMMIT;' ]);
my @running;
for my $name (sort keys %scripts) {
    my ($node, $script) = @{ $scripts{$name} };
    append_to_file("$folder/$name.sql", $script);
    my $clients = $name eq 'scan' ? 2 : 1;
    push @running, [ $name, IPC::Run::start(
        [ 'pgbench', '-n', '-T', $seconds, '-c', $clients, '-h', $node->host, '-p', $node->port,
            '-f', "$folder/$name.sql", 'postgres' ], '&>', "$folder/$name.log") ];
}
for (@running) {
    my ($name, $run) = @$_;
    $run->finish;
    my $log = slurp_file("$folder/$name.log");
    my ($count) = $log =~ /transactions actually processed: (\d+)/;
    ok($run->result(0) == 0 && ($count // 0) > 3 && $log !~ /ERROR|aborted/, "$name: " . ($count // 0)
          . ' times without an error') or diag $log;
}
$primary->wait_for_catchup($standby);
for my $table (sort keys %tables) {
    is(read_to_the_end($primary, $table, '<->', "(SELECT d FROM $table LIMIT 1)"), 't', "$table is whole");
}
done_testing();
