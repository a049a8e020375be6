# Thousands of damaged messages and texts: each is a value that comes back as it went in, or an
# error of the right class. The server never falls. A failure prints the seed that repeats it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed          = $ENV{LOOKALIKE_SEED}        // 20240615;
my $message_count = $ENV{LOOKALIKE_FUZZ_INPUTS} // 4000;
my $text_count    = 5 * $message_count;
srand($seed);
note("seed $seed");

my $node = PostgreSQL::Test::Cluster->new('input');
$node->init;
$node->append_conf('postgresql.conf', 'restart_after_crash = off');
$node->start;
$node->safe_psql(
    'postgres', q{
    CREATE EXTENSION lookalike;
    CREATE TABLE bare (v descriptor);
    CREATE TABLE typed_real (v descriptor(3));
    CREATE TABLE typed_half (v descriptor(3, half));
    CREATE TABLE typed_bit (v descriptor(12, bit));
    CREATE TABLE any_half (v descriptor(half));
    CREATE TABLE any_bit (v descriptor(bit));
    CREATE TABLE outcomes (code text, expected boolean, message text);
    -- Text read with the kind of the value gives the same value, and other functions can use it.
    CREATE FUNCTION is_sound(v descriptor) RETURNS boolean LANGUAGE sql AS $$
        SELECT v = descriptor_in(descriptor_out(v), 0,
                CASE descriptor_kind(v) WHEN 'half' THEN 65536 + descriptor_dims(v) ELSE -1 END)
            AND descriptor_hash(v) IS NOT NULL
            AND subvector(v || v, 1 + descriptor_dims(v), descriptor_dims(v)) = v $$;}
);

sub random_bytes
{
    return join '', map { chr int rand 256 } 1 .. shift;
}
sub one_of { return $_[ int rand @_ ] }

sub valid_message
{
    my $kind = int rand 5;
    my $dims = one_of(1, 2, 3, 3, 3, 7, 8, 9, 12, 12, 64, 300);
    return
      pack('nn', $dims, 0) . pack('f>*', map { (rand() - 0.5) * 10**int(rand(70) - 35) } 1 .. $dims)
      if $kind == 0;
    return
      pack('nn', $dims, 1) . pack('n*', map { int(rand 0x7c00) | one_of(0, 0x8000) } 1 .. $dims)
      if $kind == 1;
    return pack('nn', $dims, 0) . pack('n*', map { int(rand 0x7c00) | one_of(0, 0x8000) } 1 .. $dims)
      if $kind == 2;    # pgvector's halfvec
    return ($kind == 3 ? pack('nn', $dims, 2) : pack('N', $dims))
      . pack('B*', join '', map { int rand 2 } 1 .. $dims);
}

sub mutated
{
    my ($bytes, @alphabet) = @_;
    foreach (1 .. int rand 4)
    {
        my $at  = int rand(1 + length $bytes);
        my $new = @alphabet ? one_of(@alphabet) : one_of(chr int rand 256, "\0", "\xff", "\x7f");
        my $how = int rand 6;
        if    ($how == 0)                        { substr($bytes, $at) = '' }
        elsif ($how == 1)                        { $bytes .= $new x one_of(1, 2, 4, 50) }
        elsif ($how == 2)                        { substr($bytes, $at, 0) = $new }
        elsif ($how == 3 && $at < length $bytes) { substr($bytes, $at, 1) = '' }
        elsif ($how == 4 && $at < length $bytes) { substr($bytes, $at, 1) = $new }
        elsif (!@alphabet && length $bytes >= 4)
        {
            substr($bytes, one_of(0, 2), 2) = pack(
                'n',
                one_of(
                    0,      1,      2,      3,     4,     12,    255, 256,
                    0x7fff, 0x8000, 0xffff, 16000, 16001, 64000, 64001
                )
            );
        }
    }
    return $bytes;
}

# One statement loads one message into one column; what went in must be what comes out.
my $folder = $node->basedir . '/messages';
mkdir $folder or die "$folder: $!";
foreach my $i (1 .. $message_count)
{
    my $body = $i % 10 == 0 ? random_bytes(int rand 40) : mutated(valid_message());
    open my $file, '>:raw', "$folder/$i" or die "$folder/$i: $!";
    print $file "PGCOPY\n\xff\r\n\0", pack('NNn', 0, 0, 1), pack('N/a*', $body), pack('n', 0xffff);
    close $file;
}
my $result = $node->safe_psql(
    'postgres', qq{
    DO \$\$
    DECLARE
        path text;
        target text;
        body bytea;
        same boolean;
        answer text;
        allowed text[] := '{22000,22003,22P03,08P01,54000,42804}';
    BEGIN
        FOR i IN 1 .. $message_count LOOP
            path := '$folder/' || i;
            FOREACH target IN ARRAY '{bare,typed_real,typed_half,typed_bit,any_half,any_bit}'::text[] LOOP
                BEGIN
                    EXECUTE 'DELETE FROM ' || target;
                    EXECUTE format('COPY %I FROM %L (FORMAT binary)', target, path);
                    body := pg_read_binary_file(path);
                    -- The header takes 19 bytes, the field 2 + 4 more, the trailer 2.
                    body := substr(body, 26, octet_length(body) - 27);
                    EXECUTE format('SELECT (descriptor_send(v) = \$1 OR %L) AND is_sound(v) FROM %I',
                            target <> 'bare', target)
                        INTO STRICT same USING body;
                    INSERT INTO outcomes VALUES ('fine', same, path || ' in ' || target);
                EXCEPTION WHEN OTHERS THEN
                    INSERT INTO outcomes VALUES (SQLSTATE, SQLSTATE = ANY (allowed),
                        path || ' in ' || target || ': ' || SQLERRM);
                END;
            END LOOP;
        END LOOP;
    END \$\$;
    SELECT code, count(*) FROM outcomes GROUP BY 1 ORDER BY 1;}
);
note($result);
is(
    $node->safe_psql(
        'postgres', 'SELECT code, message FROM outcomes WHERE expected IS NOT TRUE LIMIT 5'
    ),
    '',
    'each message is a value that comes back, or an error of its class'
);
is(
    $node->safe_psql('postgres', 'SELECT count(*) FROM outcomes'),
    6 * $message_count,
    'none is left out'
);
foreach my $code ('fine', '22000', '22P03', '08P01', '54000', '42804')
{
    cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM outcomes WHERE code = '$code'"),
        '>', 10, "some messages end in $code");
}

# Text, without and with a modifier that the input function sees.
my @words = (
    '[', ']',  ',', ' ', '-',   '+',   '.',    'e',      '0',     '1',
    '9', 'x',  'b', 'f', 'nan', 'inf', '1e39', '1e-400', '65520', "\t",
    "'", '\\', '"', '{', 'é'
);

sub valid_text
{
    my $dims = one_of(1, 2, 3, 3, 3, 8, 12, 100);
    return 'x' . join '', map { one_of(0 .. 9, 'a' .. 'f', 'A' .. 'F') } 1 .. $dims if rand() < 0.2;
    return one_of('', 'b') . join '', map { int rand 2 } 1 .. $dims                 if rand() < 0.2;
    return '[' . join(
        ',',
        map {
            one_of(
                int rand 100,
                rand(), -rand(),
                10**int(rand(60) - 30),
                '1e' . int(rand(500) - 250)
            )
        } 1 .. $dims
    ) . ']';
}
my $texts = $node->basedir . '/texts';
open my $file, '>:raw', $texts or die "$texts: $!";
print $file unpack(
    'H*',
    $_ % 10 == 0 ? join('', map { one_of(@words) } 1 .. int rand 20) : mutated(valid_text(), @words)
  ),
  "\n"
  foreach 1 .. $text_count;
close $file;
$result = $node->safe_psql(
    'postgres', qq{
    TRUNCATE outcomes;
    CREATE TABLE hex (line text);
    COPY hex FROM '$texts';
    DO \$\$
    DECLARE
        input text;
        modifier integer;
        value descriptor;
        back descriptor;
        allowed text[] := '{22000,22003,22P02,54000,42804}';
    BEGIN
        -- Bytes above 127 become characters of two bytes.
        FOR input IN SELECT convert_from(decode(line, 'hex'), 'LATIN1') FROM hex LOOP
            FOREACH modifier IN ARRAY ARRAY[-1, 3, 65536 + 3, 2 * 65536 + 12, 65536, 2 * 65536] LOOP
                BEGIN
                    value := descriptor_in(input::cstring, 0, modifier);
                    back := descriptor_in(value::text::cstring, 0, modifier);
                    INSERT INTO outcomes VALUES ('fine', value = back
                        AND descriptor_send(value) = descriptor_send(back), input);
                EXCEPTION WHEN OTHERS THEN
                    INSERT INTO outcomes VALUES (SQLSTATE, SQLSTATE = ANY (allowed),
                        input || ': ' || SQLERRM);
                END;
            END LOOP;
        END LOOP;
    END \$\$;
    SELECT code, count(*) FROM outcomes GROUP BY 1 ORDER BY 1;}
);
note($result);
is(
    $node->safe_psql(
        'postgres', 'SELECT code, message FROM outcomes WHERE expected IS NOT TRUE LIMIT 5'
    ),
    '',
    'each text is a value that comes back, or an error of its class'
);
is(
    $node->safe_psql('postgres', 'SELECT count(*) FROM outcomes'),
    6 * $text_count,
    'none is left out'
);
foreach my $code ('fine', '22000', '22003', '22P02', '42804')
{
    cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM outcomes WHERE code = '$code'"),
        '>', 10, "some texts end in $code");
}

unlike(
    slurp_file($node->logfile),
    qr/terminated by signal|PANIC|server process .* exited/,
    'no backend fell'
);
$node->stop;
done_testing();
