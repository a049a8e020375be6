# faiss_index_check without a lock against writers: nothing wrong is found beside inserts, updates,
# deletes, VACUUM and replay. What it finds: 061_check_damage.pl.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{LOOKALIKE_SECONDS} // 8;
my $primary = start_node('primary', 'max_wal_size = 2GB', 'max_connections = 30',
    'hot_standby_feedback = on', 'wal_receiver_status_interval = 1', 'max_standby_streaming_delay = -1');

# Few entries a page, so that pages come and go and serve one list after another; codes inside and
# outside of list pages; attributes; rows without a descriptor or a direction; an index without rows.
my %tables = (
    near => [ 'made(i, 1000)', 1000, 'descriptor_l2_ops', '(f, id)' ],
    wide => [ 'made(i, 2000)', 60, 'descriptor_ip_ops', '(f)' ],
    plain => [ q{CASE WHEN i % 7 > 1 THEN made(i, 8) WHEN i % 7 = 1 THEN '[0,0,0,0,0,0,0,0]' END},
        900, 'descriptor_cosine_ops', '(f)' ],
    bits => [ 'binary_quantize(made(i, 2000))', 400, 'descriptor_jaccard_ops', '(f)' ],
);
for my $table (sort keys %tables)
{
    my ($value, $rows, $class, $columns) = @{ $tables{$table} };
    $columns =~ s/f/f $class/;
    $primary->safe_psql('postgres', qq{
        CREATE TABLE $table (id bigserial PRIMARY KEY, f descriptor, note text) WITH (fillfactor = 60);
        INSERT INTO $table (f) SELECT $value FROM generate_series(1, $rows) AS i;
        CREATE INDEX ${table}_f ON $table USING faiss $columns WITH (lists = 3);
        CREATE INDEX ${table}_one ON $table USING faiss $columns});
}
# One that has still to learn its dimensions.
$primary->safe_psql('postgres',
    'CREATE TABLE fresh (id int, f descriptor); CREATE INDEX fresh_f ON fresh USING faiss (f)');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

my $folder = PostgreSQL::Test::Utils::tempdir();
my ($insert, $change, $vacuum, $check) = ('', "\\sleep 400 ms\n\\set part random(1, 40)", "\\sleep 20 ms\n", '');
for my $table (sort keys %tables)
{
    my $rows = $tables{$table}[1];
    my $more = "INSERT INTO $table (f) SELECT f FROM $table ORDER BY id DESC LIMIT";
    $insert .= sprintf "$more %d; BEGIN; $more %d; ROLLBACK;\n", $rows / 2, $rows / 10;
    # Most rows may go, so that pages become empty.
    $change .= qq{
        DELETE FROM $table WHERE id < (SELECT max(id) FROM $table) - $rows * :part / 100;
        UPDATE $table SET note = 'x' WHERE id % 3 = 0;
        UPDATE $table SET f = f, id = id WHERE id % 5 = 0;};
    $vacuum .= "VACUUM $table;\n";
    $check .= "SELECT faiss_index_check('${table}_$_', lock_writers => false);\n" for qw(f one);
}
$change .= 'TRUNCATE fresh; INSERT INTO fresh SELECT i, made(i, 8) FROM generate_series(1, 50) AS i;';
my %scripts = (
    insert => [ $primary, $insert ],
    change => [ $primary, $change ],
    vacuum => [ $primary, $vacuum ],
    check => [ $primary, "$check SELECT faiss_index_check('fresh_f', lock_writers => false);" ],
    check_standby => [ $standby, $check =~ s/, lock_writers => false//gr ],
);
my @running;
for my $name (sort keys %scripts)
{
    my ($node, $script) = @{ $scripts{$name} };
    append_to_file("$folder/$name.sql", $script);
    push @running, [ $name, IPC::Run::start(
        [ 'pgbench', '-n', '-T', $seconds, '-h', $node->host, '-p', $node->port,
            '-f', "$folder/$name.sql", 'postgres' ], '&>', "$folder/$name.log") ];
}
for (@running)
{
    my ($name, $run) = @$_;
    $run->finish;
    my $log = slurp_file("$folder/$name.log");
    my ($count) = $log =~ /transactions actually processed: (\d+)/;
    ok($run->result(0) == 0 && ($count // 0) > 1 && $log !~ /ERROR|aborted/,
        "$name: " . ($count // 0) . ' times without an error') or diag $log;
}
my @indexes = map { ("${_}_f", "${_}_one") } sort keys %tables;
for my $index (@indexes, 'fresh_f')
{
    my (undef, undef, $error) = $primary->psql('postgres', "SELECT faiss_index_check('$index')");
    is($error, '', "$index is sound");
}

# Who asks for the lock on a standby is told that there is none.
$primary->wait_for_catchup($standby);
like(($standby->psql('postgres', q{SELECT faiss_index_check('near_f', lock_writers => true)}))[2],
    qr/cannot acquire lock mode ShareLock/, 'a standby cannot lock out writers');

# Without it nobody waits.
my $writer = IPC::Run::start(
    [ 'psql', '-XAtq', '-h', $primary->host, '-p', $primary->port, '-c',
        'INSERT INTO plain (f) VALUES (NULL); SELECT pg_sleep(3)', 'postgres' ], '>', \my $slept);
$primary->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')})
  or die 'the writer does not write';
is( $primary->safe_psql('postgres', q{
        SET lock_timeout = '1s'; SELECT faiss_index_check('plain_f', lock_writers => false) IS NULL}),
    'f', 'it does not wait for who has written');
like(($primary->psql('postgres', q{SET lock_timeout = '1s'; SELECT faiss_index_check('plain_f')}))[2],
    qr/lock timeout/, '... as the check that locks does');
$writer->finish;

$standby->stop;
$primary->stop;
done_testing();
