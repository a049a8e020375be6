# COPY BINARY: every kind comes back as it was, and the bytes of a real descriptor are those of
# pgvector's "vector", which existing clients read and write.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('binary');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike');

my $header  = "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0);
my $trailer = pack('n', 0xffff);

# One row for each value; undef is NULL.
sub copy_file
{
    my @fields = @_;
    return $header
      . join('',
        map { pack('n', 1) . (defined $_ ? pack('N/a*', $_) : pack('N', 0xffffffff)) } @fields)
      . $trailer;
}

sub write_file
{
    my ($path, $bytes) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $bytes;
    close $file;
}

sub reals  { return pack('nn', scalar @_, 0) . pack('f>*', @_) }
sub halves { return pack('nn', scalar @_, 1) . pack('n*',  @_) }
sub bits   { my ($digits) = @_; return pack('nn', length $digits, 2) . pack('B*', $digits) }

my $path    = $node->basedir . '/values';
my %written = (
    'anything descriptor' => [
        reals(1, 2.5, -3),
        halves(0x3c00, 0xc000),
        bits('10110'),
        undef,
        reals((0.5) x 16000),
        halves((0x3800) x 16000),
        bits('01' x 32000)
    ],
    'reals descriptor(3)'        => [ reals(1, 2.5, -3), undef, reals(0, -1e-45, 3.4e38) ],
    'halves descriptor(2, half)' =>
      [ halves(0x3c00, 0x2e66), halves(0x8000, 0x0001), halves(0x7bff, 0xfbff) ],
    'bits descriptor(12, bit)' => [ bits('000011110011'), undef, bits('111111111111') ],
    'any_halves descriptor(half)' => [ halves(0x3c00), undef, halves(0x2e66, 0x8000, 0x0001) ],
    'any_bits descriptor(bit)' => [ bits('1'), undef, bits('000011110011'), bits('1' x 64000) ],
);

foreach my $column (sort keys %written)
{
    $node->safe_psql('postgres', "DROP TABLE IF EXISTS items; CREATE TABLE items ($column)");
    my $bytes = copy_file(@{ $written{$column} });
    write_file($path, $bytes);
    $node->safe_psql('postgres', "COPY items FROM '$path' (FORMAT binary)");
    $node->safe_psql('postgres', "COPY items TO '$path.back' (FORMAT binary)");
    ok(slurp_file("$path.back") eq $bytes, "$column: the same bytes come back");
}

# What the bytes mean.
$node->safe_psql('postgres', 'DROP TABLE items; CREATE TABLE items (v descriptor)');
write_file(
    $path,
    copy_file(
        "\0\3\0\0\x3f\x80\0\0\x40\x20\0\0\xc0\x40\0\0",
        "\0\2\0\1\x3c\0\x2e\x66", "\0\5\0\2\xb0"
    )
);
$node->safe_psql('postgres', "COPY items FROM '$path' (FORMAT binary)");
is(
    $node->safe_psql('postgres', 'SELECT v, descriptor_kind(v) FROM items'),
    "[1,2.5,-3]|real\n[1,0.1]|half\nb10110|bit",
    'elements are in network order'
);

# A column converts between real and half, as on assignment.
$node->safe_psql('postgres', 'DROP TABLE items; CREATE TABLE items (v descriptor(1, half))');
write_file($path, copy_file(reals(0.1)));
$node->safe_psql('postgres', "COPY items FROM '$path' (FORMAT binary)");
is($node->safe_psql('postgres', 'SELECT v, descriptor_kind(v) FROM items'),
    '[0.1]|half', 'real becomes half');

# The forms of others, where the type says which is meant: PostgreSQL's bit (its length in 32 bits),
# pgvector's halfvec (like its vector) and vector. Each next to our own.
sub bit_string { my ($digits) = @_; return pack('N', length $digits) . pack('B*', $digits) }
sub halfvec { return pack('nn', scalar @_, 0) . pack('n*', @_) }

my @foreign = (
    [ 'descriptor(bit)', [ map { bit_string($_) } '1', '0', '10110', '00001111', '000011110', '01' x 32000 ],
        [ map { bits($_) } '1', '0', '10110', '00001111', '000011110', '01' x 32000 ] ],
    [ 'descriptor(5, bit)', [ bit_string('10110'), undef, bits('00001') ], [ bits('10110'), undef, bits('00001') ] ],
    [ 'descriptor(half)', [ halfvec(0x3c00), halfvec(0x2e66, 0x8000, 0x0001), reals(1, 2), halves(0x3c00), halfvec((0x3800) x 16000) ],
        [ halves(0x3c00), halves(0x2e66, 0x8000, 0x0001), halves(0x3c00, 0x4000), halves(0x3c00), halves((0x3800) x 16000) ] ],
    [ 'descriptor(2, half)', [ halfvec(0x3c00, 0x7bff), undef, reals(1, 2) ], [ halves(0x3c00, 0x7bff), undef, halves(0x3c00, 0x4000) ] ],
    [ 'descriptor(real)', [ reals(1), undef, halves(0x3c00) ], [ reals(1), undef, reals(1) ] ],
);
foreach my $case (@foreign)
{
    my ($type, $sent, $kept) = @$case;
    $node->safe_psql('postgres', "DROP TABLE items; CREATE TABLE items (v $type)");
    write_file($path, copy_file(@$sent));
    $node->safe_psql('postgres', "COPY items FROM '$path' (FORMAT binary)");
    $node->safe_psql('postgres', "COPY items TO '$path.back' (FORMAT binary)");
    ok(slurp_file("$path.back") eq copy_file(@$kept), "$type: the forms of others are read");
}

# What PostgreSQL itself writes for bit, and reads of a cast.
$node->safe_psql('postgres', qq{
    DROP TABLE items; CREATE TABLE items (v descriptor(bit));
    CREATE TABLE strings (b bit varying);
    INSERT INTO strings SELECT i::bit(11) FROM generate_series(0, 100) i;
    COPY strings TO '$path' (FORMAT binary); COPY items FROM '$path' (FORMAT binary);
    COPY strings TO '$path'; COPY items FROM '$path';
    COPY (SELECT v::bit varying FROM items) TO '$path' (FORMAT binary);
    COPY strings FROM '$path' (FORMAT binary)});
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT v), min(v::bit varying::text), max(v::bit varying::text) FROM items'),
    '202|101|00000000000|00001100100', 'bit strings come in, binary and as text');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT b) FROM strings'),
    '303|101', '... and go out');

my %refused = (
    'no dimensions'  => [ pack('nn', 0, 0), qr/descriptor must have at least 1 dimension/ ],
    'too many reals' =>
      [ reals((0) x 16001), qr/real descriptor cannot have more than 16000 dimensions/ ],
    'too many halves' =>
      [ halves((0) x 16001), qr/half descriptor cannot have more than 16000 dimensions/ ],
    'too many bits' =>
      [ bits('1' x 64001), qr/bit descriptor cannot have more than 64000 dimensions/ ],
    'unknown kind'  => [ pack('nnN', 1, 3, 0),          qr/unrecognized descriptor kind 3/ ],
    'great kind'    => [ pack('nnN', 1, 256, 0),        qr/unrecognized descriptor kind 256/ ],
    'NaN'           => [ pack('nnN', 1, 0, 0x7fc00000), qr/NaN is not allowed/ ],
    'infinity'      => [ pack('nnN', 1, 0, 0xff800000), qr/infinite value is not allowed/ ],
    'half NaN'      => [ halves(0x7e00),                qr/NaN is not allowed/ ],
    'half infinity' => [ halves(0x7c00),                qr/infinite value is not allowed/ ],
    'unused bits'  => [ pack('nnC', 5, 2, 0xb1), qr/unused bits of a bit descriptor must be zero/ ],
    'too short'    => [ pack('nnN', 2, 0, 0),    qr/insufficient data left in message/ ],
    'too few bits' => [ pack('nnC', 9, 2, 0),    qr/insufficient data left in message/ ],
    'header only'  => [ pack('n', 1),            qr/insufficient data left in message/ ],
    'empty'        => [ '',                      qr/insufficient data left in message/ ],
    'too long'     => [ reals(1) . "\0",         qr/incorrect binary data format/ ],
    'wrong dimensions' => [ reals(1, 2), qr/expected 1 dimensions, not 2/, 'descriptor(1)' ],
    'wrong kind' => [ bits('1'), qr/cannot convert a bit descriptor to real/, 'descriptor(1)' ],
    'bits for any kind' => [ bit_string('10110'),
        qr/at least 1 dimension.*HINT:  The binary form of bit is read where the type says bit/s ],
    'bits for real' => [ bit_string('10110'),
        qr/at least 1 dimension.*HINT:  The binary form of bit is read/s, 'descriptor(5)' ],
    'halfvec for any kind' => [ halfvec(0x3c00, 0),
        qr/insufficient data.*HINT:  The binary form of halfvec is read where the type says half/s ],
    'halfvec for real' => [ halfvec(0x3c00, 0),
        qr/insufficient data.*HINT:  The binary form of halfvec/s, 'descriptor(2)' ],
    'halfvec for bit' => [ halfvec(0x3c00, 0),
        qr/insufficient data.*HINT:  The binary form of halfvec/s, 'descriptor(2, bit)' ],
    'bit string without bits' => [ bit_string(''), qr/at least 1 dimension/, 'descriptor(bit)' ],
    'bit string too short' =>
      [ pack('NC', 9, 0), qr/insufficient data left in message/, 'descriptor(bit)' ],
    'bit string too long' =>
      [ pack('NC*', 8, 0, 0), qr/incorrect binary data format/, 'descriptor(bit)' ],
    'bit string of other length' =>
      [ bit_string('101'), qr/expected 4 dimensions, not 3/, 'descriptor(4, bit)' ],
    'bit string with unused bits' =>
      [ pack('NC', 3, 0xb1), qr/unused bits of a bit descriptor must be zero/, 'descriptor(bit)' ],
    'bit string above the limit' => [ bit_string('1' x 64001),
        qr/bit descriptor cannot have more than 64000 dimensions/, 'descriptor(bit)' ],
    'bit string beyond 16 bits' =>
      [ bit_string('1' x 65541), qr/unrecognized descriptor kind 5/, 'descriptor(bit)' ],
    'halfvec with NaN' => [ halfvec(0x7e00), qr/NaN is not allowed/, 'descriptor(half)' ],
    'halfvec of other length' =>
      [ halfvec(0x3c00), qr/expected 2 dimensions, not 1/, 'descriptor(2, half)' ],
    'halfvec too short' =>
      [ pack('nnn', 2, 0, 0), qr/insufficient data left in message/, 'descriptor(half)' ],
    'halfvec too long' =>
      [ pack('nnn3', 2, 0, 0, 0, 0), qr/insufficient data left in message/, 'descriptor(half)' ],
    'halfvec above the limit' => [ halfvec((0) x 16001),
        qr/half descriptor cannot have more than 16000 dimensions/, 'descriptor(half)' ],
    'too large for half' =>
      [ reals(65520), qr/"65520" is out of range for a half descriptor/, 'descriptor(1, half)' ],
);

foreach my $name (sort keys %refused)
{
    my ($bytes, $message, $type) = @{ $refused{$name} };
    $type //= 'descriptor';
    write_file($path, copy_file($bytes));
    my ($status, $out, $error) = $node->psql('postgres',
        "DROP TABLE items; CREATE TABLE items (v $type); COPY items FROM '$path' (FORMAT binary)");
    isnt($status, 0, "$name: refused");
    like($error, $message, "$name: told why");
}

$node->stop;
done_testing();
