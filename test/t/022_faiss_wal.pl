# A standby answers as its primary does, after every kind of change, and replay gives the very pages
# that the primary has.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = start_node('primary', "wal_consistency_checking = 'generic'", 'max_wal_size = 2GB');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE l2 (id serial, d descriptor(20));
    INSERT INTO l2 (d) SELECT made_up(i, 20, 25) FROM generate_series(1, 2000) AS i;
    CREATE INDEX ON l2 USING faiss (d) WITH (lists = 20);
    CREATE TABLE ip (id serial, d descriptor);
    CREATE INDEX ON ip USING faiss (d descriptor_ip_ops) WITH (refine = 'half');
    CREATE TABLE cosine (id serial, d descriptor(2100, half));
    INSERT INTO cosine (d) SELECT made_up(i, 2100) FROM generate_series(1, 60) AS i;
    CREATE INDEX ON cosine USING faiss (d descriptor_cosine_ops) WITH (lists = 2);
    CREATE TABLE hamming (id serial, d descriptor(3000, bit));
    INSERT INTO hamming (d) SELECT made_up_bits(i, 3000) FROM generate_series(1, 40) AS i;
    CREATE INDEX ON hamming USING faiss (d descriptor_hamming_ops);
    CREATE TABLE jaccard (id serial, d descriptor(70, bit));
    CREATE INDEX ON jaccard USING faiss (d descriptor_jaccard_ops);
});
my %tables = (
    l2 => [ '<->', 'made_up(i, 20, 25)' ],
    ip => [ '<#>', 'made_up(i, 20)' ],
    cosine => [ '<=>', 'made_up(i, 2100)' ],
    hamming => [ '<~>', 'made_up_bits(i, 3000)' ],
    jaccard => [ '<%>', 'made_up_bits(i, 70)' ]);

sub compare {
    my ($what) = @_;
    $primary->wait_for_catchup($standby);
    for my $table (sort keys %tables) {
        my ($operator) = @{ $tables{$table} };
        my $query = by_index(qq{
            SELECT md5(string_agg(id::text, ',')), count(*) FROM (SELECT id FROM $table ORDER BY
                d $operator (SELECT d FROM $table WHERE d IS NOT NULL ORDER BY id LIMIT 1)) AS x;
            SELECT string_agg(id::text, ',') FROM (SELECT id FROM $table ORDER BY
                d $operator (SELECT d FROM $table WHERE d IS NOT NULL ORDER BY id DESC LIMIT 1) LIMIT 9) AS x});
        my $expected = $primary->safe_psql('postgres', $query);
        is($standby->safe_psql('postgres', $query), $expected, "$what: $table answers the same");
    }
}

sub change_all {
    my ($statement) = @_;
    for my $table (sort keys %tables) {
        my $made = $tables{$table}[1];
        (my $of_table = $statement) =~ s/TABLE/$table/g;
        $of_table =~ s/MADE/$made/g;
        $primary->safe_psql('postgres', $of_table);
    }
}

change_all('INSERT INTO TABLE (d) SELECT MADE FROM generate_series(1, 70) AS i');
compare('after inserts');
my $before = $primary->safe_psql('postgres', 'SELECT count(*) FROM l2');
change_all('INSERT INTO TABLE (d) VALUES (NULL); UPDATE TABLE SET d = (SELECT MADE FROM (VALUES (3)) AS v (i)) WHERE id % 5 = 0');
$primary->safe_psql('postgres',
    'INSERT INTO cosine (d) VALUES (array_fill(0, ARRAY[2100])::real[]::descriptor)');
compare('after updates');
change_all('DELETE FROM TABLE WHERE id % 3 = 0; VACUUM TABLE');
compare('after VACUUM');
change_all('INSERT INTO TABLE (d) SELECT MADE FROM generate_series(1, 50) AS i');
compare('after reuse of places');
change_all('DELETE FROM TABLE; VACUUM TABLE; INSERT INTO TABLE (d) SELECT MADE FROM generate_series(1, 30) AS i');
compare('after all was replaced');
change_all('REINDEX INDEX TABLE_d_idx');
compare('after REINDEX');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM l2'), 30, 'the changes were made');

$standby->promote;
$standby->safe_psql('postgres', 'INSERT INTO l2 (d) SELECT made_up(i, 20, 25) FROM generate_series(1, 30) AS i');
is(read_to_the_end($standby, 'l2', '<->', '(SELECT d FROM l2 LIMIT 1)'), 't', 'promoted, it takes rows');
unlike(slurp_file($standby->logfile), qr/inconsistent page|PANIC/, 'replay gave the same pages');
done_testing();
