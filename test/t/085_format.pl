# Indexes that earlier versions of the library made are read by this one. test/format/N/ holds index
# files of format version N, which that version wrote to the folder that "LOOKALIKE_MAKE_FORMAT=FOLDER
# make test TAP=t/085_format.pl" names. A file is put under the same table, whose rows lie at the same
# places: it is sound, every scan gives every row, and it goes on growing.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use IO::Compress::Gzip qw(gzip);
use IO::Uncompress::Gunzip qw(gunzip);
use PostgreSQL::Test::Utils;
use Test::More;

my $page_bytes = 8192;
my $format_dir = "$FindBin::RealBin/../format";
my $node = without_checksums(start_node('format'));

# Elements are small whole numbers, so that every machine computes the same codes.
$node->safe_psql('postgres', q{
    CREATE FUNCTION whole(i int, dims int) RETURNS descriptor LANGUAGE sql IMMUTABLE AS $$
        SELECT array_agg(((i % 29) * j * 7 + i * 3) % 23 - 11)::real[]::descriptor
          FROM generate_series(1, dims) AS j $$;
    CREATE FUNCTION pattern(i int) RETURNS descriptor LANGUAGE sql IMMUTABLE AS $$
        SELECT ('b' || substr(repeat((i % 97)::bit(7)::text, 10), 1, 64))::descriptor $$;
    CREATE FUNCTION spots(i int, count int) RETURNS local_features LANGUAGE sql IMMUTABLE AS $$
        SELECT ('orb@1 512x512 {' || coalesce(string_agg(format('(%s,%s,%s,%s,%s,%s)', (i * 37 + j * 1237) % 32768,
                   (i * 91 + j * 733) % 32768, 100 + j, j * 10 % 256, 255 - j,
                   repeat(lpad(to_hex((i * j * 7 + j * 31) % 256), 2, '0'), 32)), ',' ORDER BY j), '') || '}')::local_features
          FROM generate_series(1, count) AS j $$;
});

# How the index comes about: "built" on the full table, or "grown" by rows that split its lists.
my %indexes = (
    built => {
        table => 'CREATE TABLE built (id int, d descriptor(5), season int, price float8)',
        index => 'CREATE INDEX built_d ON built USING faiss (d, season, price) WITH (lists = 3)',
        rows => 'INSERT INTO built SELECT i, CASE WHEN i % 50 > 0 THEN whole(i, 5) END, i % 4, i / 8.0
                   FROM generate_series(%d, %d) AS i',
        from => 1, to => 300, operator => '<->', built_last => 1 },
    cosine => {
        table => 'CREATE TABLE cosine (id int, d descriptor)',
        index => q{CREATE INDEX cosine_d ON cosine USING faiss (d descriptor_cosine_ops)
                     WITH (lists = 2, refine = 'half')},
        rows => 'INSERT INTO cosine SELECT i, CASE WHEN i % 40 > 0 THEN whole(i, 40)
                     ELSE array_fill(0, ARRAY[40])::real[]::descriptor END FROM generate_series(%d, %d) AS i',
        from => 1, to => 120, operator => '<=>', built_last => 1 },
    grown => {
        table => 'CREATE TABLE grown (id int, d descriptor(64, bit), season int)',
        index => 'CREATE INDEX grown_d ON grown USING faiss (d descriptor_hamming_ops, season)',
        rows => 'INSERT INTO grown SELECT i, pattern(i), i % 4 FROM generate_series(%d, %d) AS i',
        from => 1, to => 5200, operator => '<~>' },
    locals => {
        table => 'CREATE TABLE locals (id int, d local_features, season int)',
        index => 'CREATE INDEX locals_d ON locals USING faiss (d, season) WITH (lists = 3)',
        rows => 'INSERT INTO locals SELECT i, CASE WHEN i % 50 > 0 THEN spots(i, i % 11) END, i % 4
                   FROM generate_series(%d, %d) AS i',
        from => 1, to => 150, operator => '<->', built_last => 1 });

sub insert_rows {
    my ($index, $from, $to) = @_;
    return sprintf "$index->{rows};", $from, $to;
}

sub make_index {
    my ($index) = @_;
    my @steps = ($index->{index}, insert_rows($index, $index->{from}, $index->{to}));
    @steps = reverse @steps if $index->{built_last};
    $node->safe_psql('postgres', join ';', $index->{table}, @steps);
}

sub index_file {
    my ($name) = @_;
    return $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('${name}_d')");
}

# Without the places in the log that its pages were written to, which another server has not.
sub save_index {
    my ($file, $stored) = @_;
    my $pages = slurp_file($file);
    for (my $at = 0; $at < length $pages; $at += $page_bytes) {
        substr($pages, $at, 8) = "\0" x 8;
    }
    gzip(\$pages => $stored, -Level => 9, Time => 0) or die "cannot write $stored";
}

sub check_index {
    my ($name, $index, $when) = @_;
    is($node->safe_psql('postgres', "SELECT faiss_index_check('${name}_d')"), '', "$name: sound $when");
    my $query = "(SELECT d FROM $name WHERE id = 7)";
    my $search = "SELECT id FROM $name ORDER BY d $index->{operator} $query";
    is( $node->safe_psql('postgres', by_index("SELECT string_agg(id::text, ' ' ORDER BY id) FROM ($search) AS x")),
        $node->safe_psql('postgres', "SELECT string_agg(id::text, ' ' ORDER BY id) FROM $name"),
        "$name: a scan gives every row once $when");
    my $distances = "SELECT string_agg(round((d $index->{operator} $query)::numeric, 6)::text, ' ') FROM (%s) AS x";
    my $nearest = "SELECT d FROM $name ORDER BY d $index->{operator} $query LIMIT 20";
    is( $node->safe_psql('postgres', by_index('SET lookalike.recall = 1; ' . sprintf $distances, $nearest)),
        $node->safe_psql('postgres', 'SET enable_indexscan = off; ' . sprintf $distances, $nearest),
        "$name: the nearest rows are found $when");
}

my ($version) = $node->safe_psql('postgres', q{
    CREATE TABLE probe (d descriptor(1)); CREATE INDEX probe_d ON probe USING faiss (d);
    SELECT version FROM faiss_index_info('probe_d')}) =~ /(\d+)/;
my %files;
for my $name (sort keys %indexes) {
    make_index($indexes{$name});
    $node->safe_psql('postgres', 'CHECKPOINT');
    $files{$name} = index_file($name);
    check_index($name, $indexes{$name}, 'as it was made');
}
if ($ENV{LOOKALIKE_MAKE_FORMAT}) {
    $node->stop;
    save_index($files{$_}, "$ENV{LOOKALIKE_MAKE_FORMAT}/$_.gz") for sort keys %indexes;
    $node->start;
}

my @versions = sort { $a <=> $b } map { m{(\d+)$} } glob "$format_dir/*";
is($versions[-1], $version, "there are files of this format, $version");
my $next_row = 10000;
for my $old (@versions) {
    $node->stop;
    for my $name (sort keys %indexes) {
        next unless -e "$format_dir/$old/$name.gz";
        gunzip("$format_dir/$old/$name.gz" => $files{$name}) or die "cannot read the stored $name";
    }
    $node->start;
    for my $name (sort keys %indexes) {
        my $index = $indexes{$name};
        check_index($name, $index, "as version $old left it");
        is($node->safe_psql('postgres', "SELECT version FROM faiss_index_info('${name}_d')"), $old,
            "$name: it says what it is");
        $node->safe_psql('postgres', insert_rows($index, $next_row, $next_row + 700)
              . "DELETE FROM $name WHERE id % 7 = 3;");
        $node->safe_psql('postgres', "VACUUM $name");
        check_index($name, $index, "after version $old, with rows of today");
        # For the next version the table is as it was.
        $node->safe_psql('postgres', "DROP TABLE $name");
        make_index($index);
        $node->safe_psql('postgres', 'CHECKPOINT');
        $files{$name} = index_file($name);
    }
}

done_testing();
