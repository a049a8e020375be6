# Equal rows and settings give the same index, byte by byte, whatever the statistics say of the table.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('equal_builds');

# The pages of an index, without what WAL leaves in them: pd_lsn and pd_checksum.
sub pages_of {
    my ($index) = @_;
    $node->safe_psql('postgres', 'CHECKPOINT');
    my $path = $node->safe_psql('postgres', "SELECT pg_relation_filepath('$index')");
    my @pages = unpack '(a8192)*', slurp_file($node->data_dir . "/$path");
    return [ map { substr $_, 10 } @pages ];
}

sub different_pages {
    my ($one, $other) = @_;
    return 'not as many pages' if @$one != @$other;
    return join ' ', grep { $one->[$_] ne $other->[$_] } 0 .. $#$one;
}

# 20,000 rows are more than the sample takes.
my %columns = (
    l2 => 'd descriptor(16)',
    cosine => 'd descriptor(16)',
    hamming => 'd descriptor(64, bit)');
for my $class (sort keys %columns) {
    my $made = $class eq 'hamming' ? 'made_up_bits(i, 64)' : 'made_up(i, 16)';
    $node->safe_psql('postgres', qq{
        CREATE TABLE $class (id serial, season int, $columns{$class}) WITH (autovacuum_enabled = off);
        INSERT INTO $class (season, d) SELECT i % 7, $made FROM generate_series(1, 20000) AS i});
    my $create = sub {
        my ($name) = @_;
        $node->safe_psql('postgres',
            "CREATE INDEX $name ON $class USING faiss (d descriptor_${class}_ops, season)");
        return pages_of($name);
    };
    my $first = $create->("${class}_first");
    cmp_ok(scalar @$first, '>', 100, "$class: an index of many pages");
    is(different_pages($first, $create->("${class}_again")), '', "$class: built again");
    $node->safe_psql('postgres', "ANALYZE $class");
    is(different_pages($first, $create->("${class}_analyzed")), '', "$class: built after ANALYZE");
    for my $rows (1, 100_000_000) {
        $node->safe_psql('postgres',
            "UPDATE pg_class SET reltuples = $rows WHERE oid = '$class'::regclass");
        is(different_pages($first, $create->("${class}_$rows")), '',
            "$class: built with statistics of $rows rows");
    }
    $node->safe_psql('postgres', "REINDEX INDEX ${class}_first");
    is(different_pages($first, pages_of("${class}_first")), '', "$class: REINDEX");
}

done_testing();
