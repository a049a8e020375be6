# Damaged images of every format against a running server: each call ends in a result or an ERROR,
# the backend stays, and neither it nor its worker grows. LOOKALIKE_MUTATIONS is the number of images.
use strict;
use warnings;

use Compress::Zlib qw(compress crc32);
use FindBin;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $count = $ENV{LOOKALIKE_MUTATIONS} // 3000;

my ($name, %seed);
while (my $line = <DATA>) {
    chomp $line;
    if ($line =~ /^\s+([0-9a-f]+)$/) { $seed{$name} .= $1 }
    else { $name = $line }
}
$seed{$_} = unpack 'H*', slurp_file(corpus($_)) for qw(gif heic heic_alpha avif avif_grid);

my $node = PostgreSQL::Test::Cluster->new('image_mutations');
$node->init;
$node->append_conf('postgresql.conf', "lookalike.worker_memory = '256MB'\n"
      . "lookalike.worker_timeout = '20s'\nsession_preload_libraries = 'lookalike'\n"
      . "log_min_error_statement = panic\nlog_min_messages = fatal\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike;
    CREATE TABLE seeds (number serial PRIMARY KEY, name text, image bytea)');
$node->safe_psql('postgres', "INSERT INTO seeds (name, image) VALUES ('$_', '\\x$seed{$_}')")
  for sort keys %seed;

my $intact = $node->safe_psql('postgres', q{
    SELECT name, (image_info(image)).format, descriptor_dims(image_features(image)),
           (image_info(image_thumbnail(image, 5))).width FROM seeds ORDER BY name});
is( $intact, join("\n",
        'avif|AVIF|559|5', 'avif_grid|AVIF|559|5', 'bmp|BMP|559|5', 'gif|GIF|559|5',
        'heic|HEIC|559|5', 'heic_alpha|HEIC|559|5', 'jp2|JPEG 2000|559|5', 'jpeg|JPEG|559|5', 'png|PNG|559|5',
        'pnm|PNM|559|5', 'progressive|JPEG|559|5', 'tiff|TIFF|559|5', 'webp|WebP|559|5',
        'webp_lossless|WebP|559|5'),
    'the images that are going to be damaged');

$node->safe_psql('postgres', q{
    CREATE FUNCTION mutated(image bytea) RETURNS bytea LANGUAGE plpgsql AS $$
    DECLARE
        size int := length(image);
        -- Headers are short and decide most: half of the changes fall there.
        reach int := CASE WHEN random() < 0.5 THEN least(size, 64) ELSE size END;
        special int[] := '{0, 1, 127, 128, 255, 254}';
        place int;
    BEGIN
        FOR i IN 0 .. floor(random() * random() * 12)::int LOOP
            place := floor(random() * reach);
            image := set_byte(image, place, CASE floor(random() * 3)
                WHEN 0 THEN floor(random() * 256)::int
                WHEN 1 THEN special[1 + floor(random() * 6)]
                ELSE get_byte(image, place) # (1 << floor(random() * 8)::int) END);
        END LOOP;
        IF random() < 0.2 THEN image := substr(image, 1, floor(random() * size)::int); END IF;
        IF random() < 0.1 THEN
            place := floor(random() * size);
            image := substr(image, 1, place) || substr(image, floor(random() * size)::int + 1);
        END IF;
        RETURN image;
    END $$;
    CREATE FUNCTION state_of(call text, image bytea) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        CASE call
            WHEN 'features' THEN PERFORM image_features(image, 'color+pattern');
            WHEN 'phash' THEN PERFORM image_features(image, 'phash');
            WHEN 'thumbnail' THEN PERFORM image_thumbnail(image, 8);
            WHEN 'info' THEN PERFORM image_info(image);
        END CASE;
        RETURN 'result';
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLSTATE;
    END $$;
    CREATE FUNCTION resident_mb(process text) RETURNS numeric LANGUAGE sql VOLATILE AS $$
        SELECT round(substring(pg_read_file('/proc/' || process || '/status', 0, 5000)
            FROM 'VmRSS:\s+(\d+)')::numeric / 1024, 1) $$;
    CREATE TABLE answers (call text, state text, format text, count bigint);
});

# A PNG's checksums would stop nearly all of its damages, so these have right ones.
srand 7;
sub chunk { my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data . pack('N', crc32($type . $data)) }
sub noise { my ($count, $values) = @_;
    return join "", map { chr(rand() < 0.5 ? 0 : rand($values // 256)) } 1 .. $count }
sub odd_png {
    my ($depth, $color) = ((8, 8, 8, 16, 1, 2, 4, 3)[ rand 8 ], (2, 2, 6, 0, 3, 4, 5)[ rand 7 ]);
    # Rows begin with the number of a filter, of which there are five.
    my $data = compress(noise(1000 + rand 12000, rand() < 0.7 ? 5 : 256));
    substr($data, rand length $data, 1) = noise(1) if rand() < 0.3;
    my $extra = '';
    $extra .= chunk('PLTE', noise(3 * rand 260)) if $color == 3 || rand() < 0.1;
    $extra .= chunk('tRNS', noise(rand 10)) if rand() < 0.3;
    $extra .= chunk((qw(gAMA cHRM sBIT iCCP eXIf acTL))[ rand 6 ], noise(rand 40)) if rand() < 0.3;
    return unpack 'H*', "\x89PNG\r\n\x1a\n"
      . chunk('IHDR', pack('NNCCCCC', 1 + rand 40, 1 + rand 40, $depth, $color, 0, 0, rand 2))
      . $extra . chunk('IDAT', $data) . chunk('IEND', '');
}
my $odd_count = $count < 20_000 ? int($count / 10) : 2000;
$node->safe_psql('postgres', 'CREATE TABLE odd (image bytea)');
$node->safe_psql('postgres', 'INSERT INTO odd VALUES '
      . join(',', map { "('\\x" . odd_png() . "')" } 1 .. 100)) for 1 .. $odd_count / 100;

# One session: a backend that restarts would end it.
my $half = int($count / 2);
my $work = sub { my ($first, $last) = @_;
    return "INSERT INTO answers
        SELECT call, state_of(call, image), name, count(*)
          FROM (SELECT name, mutated(image) AS image, i FROM generate_series($first, $last) AS i
                  JOIN seeds ON number = 1 + i % (SELECT count(*) FROM seeds) OFFSET 0) AS m,
               unnest('{features,phash,thumbnail,info}'::text[]) AS call
         GROUP BY 1, 2, 3" };
my $memory = q{SELECT resident_mb('self'), resident_mb((SELECT worker_pid::text
    FROM image_worker_stats())), (SELECT worker_starts FROM image_worker_stats())};
my $output = $node->safe_psql('postgres', join(";\n", 'SET lookalike.image_cache_size = 0',
    'SELECT setseed(0.25)',
    q{INSERT INTO answers SELECT call, state_of(call, image), 'png', count(*)
        FROM odd, unnest('{features,phash,thumbnail,info}'::text[]) AS call GROUP BY 1, 2},
    $work->(1, $half), $memory, $work->($half + 1, $count), $memory));
my (undef, $middle, $end) = split /\n/, $output;
my ($backend_middle, $worker_middle) = split /\|/, $middle;
my ($backend_end, $worker_end, $starts) = split /\|/, $end;

diag $node->safe_psql('postgres',
    q{SELECT format, state, sum(count) FROM answers WHERE call = 'phash' GROUP BY 1, 2 ORDER BY 1, 2});
diag "resident MB at half and end: backend $backend_middle $backend_end, "
  . "worker $worker_middle $worker_end; workers started: $starts";
is($node->safe_psql('postgres', 'SELECT sum(count) FROM answers'), 4 * ($count + $odd_count),
    "$count images gave an answer to every call");
# Unreadable, unsupported, too large: of a damaged file; out of memory: of a large one.
is( $node->safe_psql('postgres', q{SELECT string_agg(DISTINCT state, ' ') FROM answers
        WHERE state NOT IN ('result', '22P03', '0A000', '54000', '53200')}),
    '', 'every answer is a result or an expected error');
is( $node->safe_psql('postgres', q{SELECT count(DISTINCT format) FILTER (WHERE state = 'result'),
           count(DISTINCT state) > 3
      FROM answers WHERE call = 'phash'}),
    '14|t', 'results and errors of several kinds');
cmp_ok($backend_end, '<', $backend_middle + 8, 'the backend does not grow');
cmp_ok($worker_end, '<', 450, 'the worker stays within its limits');

$node->stop;
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'the server saw no crash');
done_testing();

__DATA__
jpeg
    ffd8ffe000104a46494600010100000100010000ffdb0043000d090a0b0a080d0b0a0b0e0e0d0f13201513121213
    271c1e17202e2931302e292d2c333a4a3e333646372c2d405741464c4e525352323e5a615a50604a51524fffdb00
    43010e0e0e131113261515264f352d354f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
    4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4fffc00011080018002003012200021101031101ffc4001f000001
    0501010101010100000000000000000102030405060708090a0bffc400b510000201030302040305050404000001
    7d01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25
    262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a8384
    85868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5
    d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffc4001f0100030101010101010101010000000000
    000102030405060708090a0bffc400b5110002010204040304070504040001027700010203110405213106124151
    0761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a43
    4445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a929394959697
    98999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8
    e9eaf2f3f4f5f6f7f8f9faffda000c03010002110311003f00e456d3fb2fb79be6ff00c0718fcfd6a55b4fecbede
    6f9bff0001c63f3f5ad85b4fecbede6f9bff0001c63f3f5a956d3fb2fb79be6ffc0718fcfd6b0c2e26fe77fc7fca
    c744b17c9fdde5f9f25fff004ae6fc0c65b4fecbede6f9bff01c63f3f5a956d3fb2fb79be6ff00c0718fcfd6b616
    d3fb2fb79be6ff00c0718fcfd6a55b4fecbede6f9bff0001c63f3f5afa5c2e26fe77fc7fcac632c5f27f7797e7c9
    7ffd2b9bf02fada7f65f6f37cdff0080e31f9fad48b69fd97dbcdf37fe038c7e7eb4515f03839ca5cb7ebbfc8f16
    bd4951f69c9a7b3b72f9736feb7f3255b4fecbede6f9bff01c63f3f5a956d3fb2fb79be6ff00c0718fcfd68a2be9
    307394b96fd77f918d7a92a3ed3934f676e5f2e6dfd6fe67ffd9
progressive
    ffd8ffe000104a46494600010100000100010000ffdb0043000d090a0b0a080d0b0a0b0e0e0d0f13201513121213
    271c1e17202e2931302e292d2c333a4a3e333646372c2d405741464c4e525352323e5a615a50604a51524fffdb00
    43010e0e0e131113261515264f352d354f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f
    4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4fffc20011080018002003012200021101031101ffc40017000101
    010100000000000000000000000002000405ffc40017010003010000000000000000000000000002030504ffda00
    0c03010002100310000001e42d8d6cc4f62a61a1540c49d520ffc400161000030000000000000000000000000000
    001213ffda0008010100010502590b21642c8590b21642c8590b21642c8fffc4001f110001030305000000000000
    000000000011000102031231426181a1d1ffda0008010301013f017aa361d7a53d51b0ebd2a72785c34e395393c2
    e1a71cafffc40017110003010000000000000000000000000000010311ffda0008010201013f019509508b6f08b6
    f0ffc400161000030000000000000000000000000000001151ffda0008010100063f02acacacacacacacacacacac
    acffc4001610010101000000000000000000000000000100f0ffda0008010100013f213411a08d046823411a08d0
    46823411a08d04682fffda000c030100020003000000106a4020ffc4001b11000007010000000000000000000000
    00000121416171f011ffda0008010301013f10cc35e20661af101a1451d7d90d0a28ebec8fffc4001c1100020007
    00000000000000000000000000112131416181a1d1ffda0008010201013f106ddef886ddef888a2b3c11456783ff
    c40018100002030000000000000000000000000000511191b1ffda0008010100013f104b345b12cd16c4b345b12c
    d16c4b345b12cd16c4b345b12cd16c4b345b12cd16c4b345b12cd16cffd9
png
    89504e470d0a1a0a0000000d49484452000000200000001808060000009b53ff34000000514944415448c7636460
    60f8cfc0c0c100c32790d8206c81c6a7b63c0b0317c380825107b09c407380059a82130cb4951f8d828177800517
    7de3fcc468148c9603a351305a0e8c46c16839301a0583cd01008df81b031a9383000000000049454e44ae426082
webp
    524946461601000057454250565038200a0100003009009d012a200018003ed15aa54d282523bfb0180803f01a09
    6c013a03f807e206e007f00a43444abff8edb876826a37dc07680db01cfffd201ffffce037983fe67f95f7fff4ff
    a201f800135f98db77b800feebfa59fe6a71bc36afcc10ae7136d674c64a35ebf3a67d088103f535f4a756dfbd07
    6cafd8138e238b540a367ed046e6fdaf771202435d5b2d0d9da5f4935221f3555f04ac9d912a5af8561fa690ae0a
    6a373baa416c99dd283f38132b0080ddc0b2d20b91d906d4dcc28051cff46efd7685b1ca758d2350101e1abba937
    e8b130d3fecc3ffceffffcfabffe7d52f377fff3ec262a769858ce1c929b16bc14713d19cb3b32ef86c05d207738
    adaa00e6819f5a000000
webp_lossless
    524946465e000000574542505650384c520000002f1fc0050009802006fc276b88e87fea022008ffe11a22fa9f0a
    b56ddb48acbdffd0c9fdd79149db64aee6ffaaac4108b56ddb30f65652cf004925e9cb0302ba9c8f04800120e501
    ebcbb9568500f8debf03
bmp
    424dc600000000000000360000002800000008000000060000000100180000000000000000000000000000000000
    00000000000000000cd7c82cd7004cd7c86cd7008cd7c8acd700ccd7c8ecd7000caf002cafc84caf006cafc88caf
    00acafc8ccaf00ecafc80c87c82c87004c87c86c87008c87c8ac8700cc87c8ec87000c5f002c5fc84c5f006c5fc8
    8c5f00ac5fc8cc5f00ec5fc80c37c82c37004c37c86c37008c37c8ac3700cc37c8ec37000c0f002c0fc84c0f006c
    0fc88c0f00ac0fc8cc0f00ec0fc8
tiff
    49492a00460100008000205020441208c8004161306848e2170f850221111860221d148844e2b048bc6e131a8841
    815038c44a43108ec9e4d258e4aa0f2e86cc2571e8285249159049653259cc567738994fe33320007a6f43964c69
    3339550a233d944caa14f1451e234e97d2eb11fa0d4abb4b640caad2db057e6953b259ecd2a640f2c74ab556abd7
    2b2dd2ce46b7c5ae734add32757ba6d10a179b45c2d96b9e622814b0016b098aa45f3017fbacd00064c7ddb0f9ac
    4e731796376672595c0e932971b39e2f37dc2deb4d3ec9ec2c082d5ec6a3afdbea34b67466d77157db7037f69b62
    5b7dbad3e6f47c8d965941a2ddf2ba39de5f4a58aae8727a9d3cff73232e5a7679bd6f1f6fb5dd962fbc5b9f27b3
    cde5f44e211d5f7fbbe3f6eff9e32d2e3fb784e63f0a7b20a79b8febeaffbfce240f052707340cfbc1105b0d0935
    c9a202000c000001030001000000200000000101030001000000180000000201030003000000dc01000003010300
    01000000050000000601030001000000020000001101040001000000080000001501030001000000030000001601
    0300010000001800000017010400010000003d0100001c01030001000000010000003d0103000100000002000000
    5301030003000000e201000000000000080008000800010001000100
pnm
    50360a3820360a3235350a000f0cc80f2c000f4cc80f6c000f8cc80fac000fccc80fecc8370c00372cc8374c0037
    6cc8378c0037acc837cc0037ec005f0cc85f2c005f4cc85f6c005f8cc85fac005fccc85fecc8870c00872cc8874c
    00876cc8878c0087acc887cc0087ec00af0cc8af2c00af4cc8af6c00af8cc8afac00afccc8afecc8d70c00d72cc8
    d74c00d76cc8d78c00d7acc8d7cc00d7ec
jp2
    0000000c6a5020200d0a870a00000014667479706a703220000000006a7032200000002d6a703268000000166968
    647200000030000000400003070700000000000f636f6c7201000000000010000002a36a703263ff4fff51002f00
    0000000040000000300000000000000000000000400000003000000000000000000003070101070101070101ff52
    000c00000001000504040001ff5c00134040484850484850484850484850484850ff640025000143726561746564
    206279204f70656e4a5045472076657273696f6e20322e352e30ff90000a00000000021c0001ff93c7d21407a3a5
    cbefdf602806915ee507df78180956f1c1f00707cc0e070404bfbf03801f069ea03820085fc7d608000d020501c7
    cc223e8111f188041c697f76e6538c03f6d2cc4044631c079d6c966ece0adfa1f184000cbf32ebc3e00c1bf4a5cf
    98a4f98ac7c65c12b8a8bc34697cef7a9261cab6465c72ae8581af10bbc705865b5edbbbf10a9c43b2266322b7eb
    3be015a0964e8e1f7051b264dc89d1bc7ac70d4a385be276d8a08c408e01c1f00800369d281fc7c5498f8a930f82
    b8170519b985c36107c2f117ed37bfd8e5734de2463f72bb7237b64901c4489c75277153dac9ed40420398ac3710
    b6a8315928e4d8064a3251a9f8cd1d20eda3b5ed8be6169f40c462de0c1a15e2824b129f121d69f720a297ae5822
    be37527063f997a21961ac316af3fd0f72e60c3c8d7af6cba6022f96e978e06e303d81f1e3fdb4429bb424295c27
    9c8d2d7ebffb2d50da15d8a93d54d3d78b5707ed043f846306f9401e7d0fd4d263e49a7aa3eddec7b01b7db140d6
    92acdb08cadc8a6f2ca0488ca4293f80c1b7906e8a21647d518cadc95f2c485d60d8573600db2fa8bbd3deb59652
    33a14076c48008b4b4b4b60f256d2d2d2d2d604b9696969696d3d2d7db4ee9324924f300c81ca3ecdf857a9a44eb
    1bf00ec6b364ef873545bdeafbdbcb16daa3ee8f967392591b5bcb33995a19a7d8eae474b0af398b97e765fc3860
    fab8df393ead0c4296d4f0018080ffd9
