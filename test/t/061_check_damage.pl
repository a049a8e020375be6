# faiss_index_check raises for every kind of damage: each index here has one byte or link wrong. It
# does so with a lock against writers, without one, and on a standby.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

use constant { PAGE => 8192, BODY => 24, TRAILER => 8176, LIST => 3, CODE => 4, REFINE => 5 };

my $node = start_node('damage');
without_checksums($node);
$node->safe_psql(
    'postgres', q{
    CREATE TABLE t AS SELECT i AS id, CASE WHEN i % 50 <> 0 THEN made(i, 16) END AS f
        FROM generate_series(1, 1200) AS i;
    ALTER TABLE t ALTER f TYPE descriptor(16);
    CREATE TABLE wide AS SELECT made(i, 4096)::descriptor(4096) AS f
        FROM generate_series(1, 40) AS i;
    CREATE TABLE bits AS SELECT binary_quantize(made(i, 100))::descriptor(100, bit) AS f
        FROM generate_series(1, 400) AS i;
});

# A page read and written while the server is down.
sub get_page { my ($file, $block) = @_; return substr($file, $block * PAGE, PAGE); }
sub kind { my ($file, $block) = @_; return ord substr($file, $block * PAGE + TRAILER + 12, 1); }
sub list_of { my ($file, $block) = @_; return unpack 'V', substr $file, $block * PAGE + TRAILER, 4; }
sub level { my ($file, $block) = @_; return unpack 'v', substr $file, $block * PAGE + BODY + 4, 2; }

# The first block of a kind, for lists at this level and with entries; not the lists without
# distances.
sub first_page
{
    my ($file, $wanted_kind, $wanted_level, $number) = @_;
    my ($null_list, $nan_list) = unpack 'V2', substr $file, BODY + 40, 8;
    for my $block (1 .. length($file) / PAGE - 1)
    {
        my $list = list_of($file, $block);
        next if kind($file, $block) != $wanted_kind || $list == $null_list || $list == $nan_list;
        next if level($file, $list) != $wanted_level;
        return $block if $number-- == 0;
    }
    die 'no such page';
}

sub put
{
    my ($file, $block, $offset, $bytes) = @_;
    substr($$file, $block * PAGE + $offset, length $bytes) = $bytes;
    return;
}

sub flip
{
    my ($file, $block, $offset, $bits) = @_;
    my $byte = ord substr $$file, $block * PAGE + $offset, 1;
    put($file, $block, $offset, chr($byte ^ ($bits // 0x10)));
    return;
}

# A change of the meta page whose checksum follows: what it says is wrong, but was written.
sub put_meta
{
    my ($file, $offset, $bytes) = @_;
    put($file, 0, BODY + $offset, $bytes);
    use integer;
    my $sum = 1;
    $sum += $_ for unpack 'q*', substr($$file, BODY, 2244) . pack 'V', 0;
    put($file, 0, BODY + 2244, pack 'V', $sum * -0x61c8864680b583eb >> 32);
    return;
}

# The list pages of t's indexes have four links to refine pages, a summary of 8 bytes, then 7 blocks of
# 32 entries: 512 bytes of codes, 384 of factors, 4 of flags; then row addresses.
my $summary = BODY + 16 + 4 * 4;
my $codes = $summary + 8;
my $factors = $codes + 512;
my $flags = $factors + 384;
my $rows = $codes + 7 * 900;
# Lists without descriptors have 41 blocks of flags before their row addresses.
my $null_rows = BODY + 16 + 41 * 4;
# Of a slot: 8 bytes of row address, then the refine code.

my @cases = (
    [ 'depth', qr/the meta page is damaged/, sub { put($_[0], 0, BODY + 12, pack 'V', 3) } ],
    [ 'sealed_depth', qr/impossible values/, sub { put_meta($_[0], 12, pack 'V', 3) } ],
    [ 'sealed_build', qr/impossible values/, sub { put_meta($_[0], 24, pack 'Q', 0) } ],
    [ 'sealed_dims', qr/impossible values/, sub { put_meta($_[0], 8, pack 'V', 0) } ],
    [ 'sealed_leaves', qr/impossible values/, sub { put_meta($_[0], 32, pack 'V', 0) } ],
    [ 'sealed_attributes', qr/impossible values/, sub { put_meta($_[0], 52, pack 'V', 1000) } ],
    [ 'calibration', qr/the meta page is damaged/, sub { flip($_[0], 0, BODY + 192 + 30, 1) } ],
    [ 'leaf_count', qr/fewer lists/, sub { put_meta($_[0], 32, pack 'V', 5) } ],
    [ 'fewer_leaves', qr/more lists/, sub { put_meta($_[0], 32, pack 'V', 3) } ],
    [ 'format', qr/another format version/, sub { put($_[0], $_[1], TRAILER + 13, chr 77) } ],
    [ 'kind', qr/of another kind/, sub { put($_[0], $_[1], TRAILER + 12, chr CODE) } ],
    [ 'circle', qr/two links lead/, sub { put($_[0], $_[1], TRAILER + 4, pack 'V', $_[1]) } ],
    [   'foreign_next',
        qr/another list/,
        sub { put($_[0], $_[1], TRAILER + 4, pack 'V', first_page(${ $_[0] }, LIST, 0, 3)) } ],
    [ 'next_beyond', qr/beyond the end/, sub { put($_[0], $_[1], TRAILER + 4, pack 'V', 99999) } ],
    [ 'level', qr/another level/, sub { put($_[0], $_[1], BODY + 4, pack 'v', 1) } ],
    [ 'owner', qr/another level/, sub { put($_[0], $_[1], TRAILER + 8, pack 'V', 1) } ],
    [ 'hint', qr/page for new entries/, sub { put($_[0], $_[1], BODY, pack 'V', 99999) } ],
    [ 'blocks', qr/too many blocks/, sub { put($_[0], $_[1], BODY + 6, pack 'v', 300) } ],
    [ 'hole', qr/has a hole/, sub { put($_[0], $_[1], 12, pack 'v', 24) } ],
    [   'foreign_refine',
        qr/another list page/,
        sub {
            my $other = first_page(${ $_[0] }, REFINE, 0, 4);
            put($_[0], $_[1], BODY + 16, pack 'V', $other);
        } ],
    [ 'no_refine', qr/refine page is missing/, sub { put($_[0], $_[1], BODY + 16, pack 'V', 0) } ],
    [   'refine_owner',
        qr/another list page/,
        sub { put($_[0], $_[2], TRAILER + 8, pack 'V', $_[2]) } ],
    [ 'lost_row', qr/has no entry/, sub { flip($_[0], $_[1], $flags) } ],
    [   'row_beyond',
        qr/beyond the end of the table/,
        sub { put($_[0], $_[1], $rows, pack 'v3', 0, 5000, 1) } ],
    [   'no_such_row',
        qr/row that does not exist/,
        sub { put($_[0], $_[1], $rows + 4, pack 'v', 290) } ],
    [   'row_twice',
        qr/Two entries point/,
        sub { put($_[0], $_[1], $rows, substr get_page(${ $_[0] }, $_[1]), $rows + 6, 6) } ],
    [ 'summary', qr/does not cover/, sub { put($_[0], $_[1], $summary, pack 'f', 0) } ],
    [ 'scan_code', qr/scan code/, sub { flip($_[0], $_[1], $codes) } ],
    [ 'factor', qr/factors/, sub { flip($_[0], $_[1], $factors + 128) } ],
    [ 'refine_code', qr/refine code/, sub { flip($_[0], $_[2], BODY + 8 + 20) } ],
    [ 'refine_error', qr/refine code/, sub { flip($_[0], $_[2], BODY + 8 + 4) } ],
    [ 'refine_slot', qr/belongs to another one/, sub { flip($_[0], $_[2], BODY + 2) } ],
    [   'centroid',
        qr/(?:scan code|factors|refine code) of an entry/,
        sub { flip($_[0], first_page(${ $_[0] }, REFINE, 1, 0), BODY + 8 + 12 + 2) } ],
    [   'centroid_code',
        qr/scan code/,
        sub { flip($_[0], first_page(${ $_[0] }, LIST, 1, 0), BODY + 16 + root_links(), 1) } ],
    [   'mean',
        qr/the mean is damaged/,
        sub { flip($_[0], unpack('V', substr ${ $_[0] }, BODY + 48, 4), BODY + 3) } ],
    [   'null_for_number',
        qr/says that it has|without a distance/,
        sub {
            # The first row without a descriptor changes places with one that has one.
            my ($null_list) = unpack 'V', substr ${ $_[0] }, BODY + 40, 4;
            my $null_row = substr get_page(${ $_[0] }, $null_list), $null_rows, 6;
            put($_[0], $null_list, $null_rows, substr get_page(${ $_[0] }, $_[1]), $rows, 6);
            put($_[0], $_[1], $rows, $null_row);
        } ],
    [   'garbage',
        qr/does not belong to a faiss index/,
        sub { ${ $_[0] } .= pack('a24', get_page(${ $_[0] }, 1)) . "\xa5" x (PAGE - 24) } ],
    [ 'cut_off', qr/beyond the end/, sub { substr(${ $_[0] }, -PAGE) = '' } ],
    # No faults: pages that a crash may leave behind.
    [ 'new_page', undef, sub { ${ $_[0] } .= "\0" x PAGE } ],
    [ 'leaked', undef, sub { ${ $_[0] } .= get_page(${ $_[0] }, $_[1]) } ],
    [ 'untouched', undef, sub { } ],
);

# Links of a page of the root: it keeps floats, 532 bytes a slot, 15 a page.
sub root_links { return 4 * 10; }

my %damage;
for my $case (@cases)
{
    my ($name, $expected, $edit) = @$case;
    $node->safe_psql('postgres', "CREATE INDEX $name ON t USING faiss (f) WITH (lists = 4)");
    $damage{$name} = [ $expected, $edit ];
}
my %others = (
    wide_code => [
        'wide', 'f', qr/scan code/,
        sub { flip($_[0], first_page(${ $_[0] }, CODE, 0, 0), BODY) } ],
    wide_refine => [
        'wide', 'f', qr/refine code/,
        sub { flip($_[0], first_page(${ $_[0] }, REFINE, 0, 0), BODY + 3000) } ],
    bit_row => [
        'bits', 'f descriptor_hamming_ops',
        qr/scan code/,
        sub { flip($_[0], first_page(${ $_[0] }, LIST, 0, 0), BODY + 16 + 8) } ],
);
for my $name (keys %others)
{
    my ($table, $column, $expected, $edit) = @{ $others{$name} };
    $node->safe_psql('postgres', "CREATE INDEX $name ON $table USING faiss ($column)");
    $damage{$name} = [ $expected, $edit ];
}
for my $name (sort keys %damage)
{
    my ($status, $output, $error) = $node->psql('postgres', "SELECT faiss_index_check('$name')");
    is($status, 0, "$name: sound before it is damaged") or diag $error;
    $damage{$name}[2] = $node->data_dir . '/'
      . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$name')");
}

$node->backup('sound');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'sound', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
$standby->stop;
$node->stop;
do_damage($_, @{ $damage{$_} }[1, 2]) for keys %damage;
do_damage($_, $damage{$_}[1], $damage{$_}[2] =~ s/^\Q${\ $node->data_dir}\E/$standby->data_dir/er)
  for keys %damage;
$node->start;
$standby->start;

sub do_damage
{
    my ($name, $edit, $path) = @_;
    my $file = slurp_file($path);
    my $before = $file;
    my ($list, $refine);
    if (!$others{$name})
    {
        $list = first_page($file, LIST, 0, 0);
        $refine = unpack 'V', substr get_page($file, $list), BODY + 16, 4;
        die 'pages lie elsewhere' if kind($file, $refine) != REFINE;
    }
    $edit->(\$file, $list, $refine);
    die "$name: nothing has changed" if $file eq $before && $name ne 'untouched';
    open my $handle, '>:raw', $path or die "$path: $!";
    print $handle $file;
    close $handle or die "$path: $!";
    return;
}

# What the check says without a lock against writers, where that is not the same. A circle takes longer
# to be noticed, and an entry that leads nowhere is missing elsewhere.
my %beside = (
    circle => qr/runs in a circle/,
    no_such_row => qr/has no entry/,
    row_twice => qr/has no entry/,
);
sub check_damage
{
    my ($checked, $name, $arguments, $expected, $how) = @_;
    my ($status, $output, $error) =
      $checked->psql('postgres', "\\set VERBOSITY verbose\nSELECT faiss_index_check('$name'$arguments)");
    if (defined $expected)
    {
        isnt($status, 0, "$name: the check fails $how");
        like($error, qr/ERROR:  XX002: index "$name".*HINT:  REINDEX it/s, '... as it should');
        like($error, $expected, '... and says why');
    }
    else
    {
        is($status, 0, "$name: the check passes $how") or diag $error;
    }
    return;
}
for my $name (sort keys %damage)
{
    my ($expected) = @{ $damage{$name} };
    my $beside = $beside{$name} // $expected;
    check_damage($node, $name, '', $expected, 'with a lock');
    check_damage($node, $name, ', lock_writers => false', $beside, 'without one');
    check_damage($standby, $name, '', $beside, 'on a standby');
}
like(
    ($node->psql('postgres',
        "SET client_min_messages = debug1; SELECT faiss_index_check('leaked')"))[2],
    qr/pages, 1 of them leaked/,
    'leaked pages are counted');
for my $name (qw(scan_code kind cut_off))
{
    $node->safe_psql('postgres', "REINDEX INDEX $name");
    is($node->safe_psql('postgres', "SELECT faiss_index_check('$name') IS NOT NULL"),
        't', "$name: REINDEX repairs it");
}

# A page of an older format is no damage.
$node->stop;
my $path = $damage{untouched}[2];
my $file = slurp_file($path);
put_meta(\$file, 4, chr 4);
put(\$file, 0, TRAILER + 13, chr 4);
open my $handle, '>:raw', $path or die "$path: $!";
print $handle $file;
close $handle or die "$path: $!";
$node->start;
like(
    ($node->psql('postgres', "\\set VERBOSITY verbose\nSELECT faiss_index_check('untouched')"))[2],
    qr/ERROR:  0A000: index "untouched" has format version 4, this library reads \d+\s+HINT:  REINDEX it/,
    'an older format is named');
$node->safe_psql('postgres', 'REINDEX INDEX untouched');
is($node->safe_psql('postgres', "SELECT faiss_index_check('untouched') IS NOT NULL"),
    't', 'REINDEX writes the format of now');

$standby->stop;
$node->stop;
done_testing();
