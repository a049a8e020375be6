# "lookalike load": the real program against a real server. Nothing comes twice, one broken file ends
# nothing, and names and values stay what they are.
use strict;
use warnings;

use File::Path qw(make_path);
use FindBin;
use IPC::Run;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('client_load');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike');
my $database = $node->connstr('postgres');
my $folder = $node->basedir . '/pictures';
make_path("$folder/below");

sub write_file { my ($name, $content) = @_;
    open my $file, '>:raw', $name =~ m{^/} ? $name : "$folder/$name" or die "$name: $!";
    print $file $content;
    close $file or die }
# Pictures of different sizes have different features and hashes.
sub picture { my ($width, $height) = @_; return pack 'H*', png($width, $height // 16, $height // 16) }

# Exit status, output, errors.
sub client { my (@arguments) = @_;
    my ($out, $err) = ('', '');
    IPC::Run::run([ 'lookalike', @arguments ], '<', \undef, '>', \$out, '2>', \$err);
    my $status = $?;
    # How far it has come, where that takes long.
    $err =~ s/^\d+ of \d+.*\n//mg;
    return ($status & 127 ? 128 + ($status & 127) : $status >> 8, $out, $err) }
sub loaded { my ($table, @arguments) = @_;
    return client('load', $folder, '--table', $table, '-d', $database, @arguments) }
sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement) }

write_file("$_.png", picture(16 + $_)) for 1 .. 20;
write_file('below/deep.JPG', picture(60));
write_file('notes.txt', 'no picture');

# A new table, then the same again.
my ($status, $out, $err) = loaded('pins', '--locals', 'orb', '--jobs', '3');
is("$status $err", '0 ', 'a folder is loaded');
like($out, qr/^21 added, 0 changed, 0 unchanged, 0 failed/m, 'and counted');
is(sql('SELECT count(*), count(DISTINCT path), bool_and(sha256 = sha256(photo)),
            bool_and(features = image_features(photo)), bool_and(locals = image_local_features(photo)) FROM pins'),
    '21|21|t|t|t', 'rows hold what the files hold');
is(sql("SELECT count(*) FROM pins WHERE path LIKE '/%/below/deep.JPG'"), '1', 'paths are absolute');
is(sql("SELECT string_agg(pg_get_indexdef(indexrelid), E'\\n' ORDER BY indexrelid) FROM pg_index
            WHERE indrelid = 'pins'::regclass") =~ s/.*USING //mgr,
    "btree (id)\nbtree (path)\nfaiss (features)\nfaiss (locals)", 'indexes are there');
my $before = sql('SELECT sum(hashtext(p::text)) FROM pins p');
($status, $out) = loaded('pins', '--locals', 'orb');
is($status, 0, 'again');
like($out, qr/^0 added, 0 changed, 21 unchanged, 0 failed/m, 'nothing comes twice');
is(sql('SELECT sum(hashtext(p::text)) FROM pins p'), $before, 'and no row changes');

# A changed file, broken ones of several kinds, and a folder that cannot be read is not there.
write_file('7.png', picture(99, 33));
write_file('broken.png', 'GIF89a and nothing more');
write_file('cut.png', substr picture(64, 64), 0, 60);
write_file('empty.png', '');
write_file("un\xffreadable.png", picture(70));
($status, $out, $err) = loaded('pins');
is($status, 1, 'some files failed');
like($out, qr/^0 added, 1 changed, 20 unchanged, 4 failed/m, 'a changed file is updated, others go on');
like($err, qr{^/.*/broken\.png: \S}m, 'a failure names file and reason');
like($err, qr{^/.*/un\\xffreadable\.png: invalid byte sequence}m, 'bytes that are no text are shown');
is(sql("SELECT count(*), bool_and(features = image_features(photo)) FROM pins"), '21|t',
    'the row of a changed file holds its new features');
is(sql("SELECT (image_info(photo)).width FROM pins WHERE path LIKE '%/7.png'"), '99', 'and photo');
write_file('7.png', 'now broken');
is((loaded('pins'))[0], 1, 'a file that breaks fails');
is(sql("SELECT (image_info(photo)).width FROM pins WHERE path LIKE '%/7.png'"), '99', 'its row stays');
unlink map { "$folder/$_" } '7.png', 'broken.png', 'cut.png', 'empty.png', "un\xffreadable.png";

# Metadata: types, names that clash or need quotes, values that are code elsewhere.
my $hostile = q{'; DROP TABLE pins; -- "<script>{\\\\,}};
my $quoted = $hostile =~ s/"/""/gr;
my $csv = $node->basedir . '/shop.csv';
write_file($csv, "File;ID;Price;Day;Seen;Sold;Code;Odd \"name\";empty\n"
      . "1.png;5;1.5;2024-02-29;2024-02-29 10:00;true;007;\"$quoted\";\n"
      . "2.png;6;2;2024-03-01;2024-03-01 10:00;false;8;\"two\nlines\";\n");
($status, $out, $err) = loaded('shop', '--metadata', $csv, '--filter', 'price', '--filter', 'code');
is("$status $err", '0 ', 'with metadata');
like($out, qr/^metadata: "File" names 2 of the pictures$/m, 'the key is found');
like($out, qr/^  price double precision  \(Price\)$/m, 'types are shown');
is(sql(q{SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = 'shop'::regclass AND attnum > 5}),
    'file text, id_2 bigint, price double precision, day date, seen timestamp without time zone, '
      . 'sold boolean, code text, odd__name_ text, empty text', 'guessed types');
is(sql('SELECT id_2, price, day, sold, code, odd__name_, empty IS NULL FROM shop WHERE price = 1.5'),
    "5|1.5|2024-02-29|t|007|$hostile|t", 'values come as they are');
is(sql('SELECT count(*) FROM shop WHERE price IS NULL'), '18', 'pictures without a row have NULL');
like(sql(q{SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'shop'::regclass AND
        NOT indisunique}), qr/USING faiss \(features, price, code\)/, 'the index has its filters');

# JSON, JSON by lines, and an object by names of files.
my $json = $node->basedir . '/shop.json';
write_file($json, '[{"name": "1", "tags": ["a", "b"], "count": 3}, {"name": "2", "tags": [], "late": "2024-01-01"}]');
is((loaded('by_json', '-m', $json))[0], 0, 'JSON');
is(sql(q{SELECT tags, count, late, pg_typeof(tags), pg_typeof(count), pg_typeof(late) FROM by_json
        WHERE name IS NOT NULL ORDER BY name}),
    "[\"a\", \"b\"]|3||jsonb|bigint|date\n[]||2024-01-01|jsonb|bigint|date", 'its types');
write_file("${json}l", qq({"image": "x/1.png", "n": 1.5}\n\n{"image": "x/2.png", "n": null}\n));
is((loaded('by_lines', '-m', "${json}l"))[0], 0, 'JSON by lines');
is(sql(q{SELECT image, n FROM by_lines WHERE image IS NOT NULL ORDER BY image}), "x/1.png|1.5\nx/2.png|",
    'the name of the file counts');
write_file($json, '{"1.png": {"season": "SS26"}, "2.png": {"season": "AW26"}}');
is((loaded('by_name', '-m', $json))[0], 0, 'an object by names');
is(sql('SELECT file, season FROM by_name WHERE season IS NOT NULL ORDER BY file'),
    "1.png|SS26\n2.png|AW26", 'has a column for them');

# Hostile names.
my @names = ("' OR 1=1; --.png", '"quoted" $1.png', '<script>alert(1)</script>.png' =~ s{/}{_}r,
    "new\nline.png", '-d.png', '{a,b\\}.png');
write_file($names[$_], picture(100 + $_)) for 0 .. $#names;
($status, $out, $err) = loaded('"Odd ""table""; DROP TABLE pins"', '-j', 1);
is("$status $err", '0 ', 'hostile names of files and of a table');
is(sql('SELECT count(*) FROM "Odd ""table""; DROP TABLE pins"'), 20 + @names, 'are names');
is(sql(q{SELECT count(*) FROM "Odd ""table""; DROP TABLE pins" WHERE path LIKE E'%/new\nline.png'}), '1',
    'and come as they are');
unlink map { "$folder/$_" } @names;

# Ended in the middle, by force and by Ctrl-C, and again.
write_file("many$_.png", picture(200 + $_ % 60, 200 + int($_ / 60))) for 1 .. 400;
for my $signal ('KILL', 'INT') {
    my ($out, $err) = ('', '');
    my $table = lc "ended_$signal";
    my $run = IPC::Run::start([ 'lookalike', 'load', $folder, '-t', $table, '-d', $database, '-j', 2 ],
        '<', \undef, '>', \$out, '2>', \$err);
    ok(wait_until(sub { sql("SELECT to_regclass('$table') IS NOT NULL") eq 't'
                  && sql("SELECT count(*) FROM $table") >= 20 }), "$signal: pictures come");
    $run->signal($signal);
    $run->finish;
    is($run->full_result(0) >> 8, 130, 'exit status of Ctrl-C') if $signal eq 'INT';
    ok(wait_until(sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%image_features%'
            AND pid <> pg_backend_pid() AND state = 'active'}) eq '0' }), 'the server stops, too');
    my $kept = sql("SELECT count(*) FROM $table");
    cmp_ok($kept, '<', 420, 'in the middle');
    my ($status, $again) = loaded($table);
    is($status, 0, 'again');
    like($again, qr/^@{[ 420 - $kept ]} added, 0 changed, $kept unchanged, 0 failed/m, 'goes on from there');
    is(sql("SELECT count(*), count(DISTINCT path), bool_and(sha256 = sha256(photo)) FROM $table"), '420|420|t',
        'nothing is lost, nothing is there twice');
}

# Wrong use says what to do.
for my $case (
    [ 2, qr/--table is required/, 'load', $folder ],
    [ 2, qr/cannot read the folder/, 'load', "$folder/none", '-t', 'x', '-d', $database ],
    [ 2, qr/no pictures in/, 'load', $node->basedir . '/archives', '-t', 'x', '-d', $database ],
    [ 2, qr/takes a name as in SQL/, 'load', $folder, '-t', 'a b', '-d', $database ],
    [ 2, qr/extractor "nonsense"/, 'load', $folder, '-t', 'x', '-d', $database, '-e', 'nonsense' ],
    [ 2, qr/are by the extractor "color\+pattern"/, 'load', $folder, '-t', 'pins', '-d', $database, '-e', 'color' ],
    [ 2, qr/ALTER TABLE "shop" ADD COLUMN "season" text;/, 'load', $folder, '-t', 'shop', '-d', $database, '-m', $json ],
    [ 2, qr/has no column "path"/, 'load', $folder, '-t', 'pg_class', '-d', $database ],
    [ 2, qr/no such column, but .*file/, 'load', $folder, '-t', 'x', '-d', $database, '-m', $json, '--filter', 'nothing' ],
    [ 2, qr/have no column "nothing"/, 'load', $folder, '-t', 'x', '-d', $database, '-m', $json, '--key', 'nothing' ],
    [ 2, qr/CREATE EXTENSION lookalike/, 'load', $folder, '-t', 'x', '-d', $node->connstr('template1') ],
    [ 3, qr/lookalike: /, 'load', $folder, '-t', 'x', '-d', 'host=/nowhere' ],
) {
    my ($expected, $message, @arguments) = @$case;
    my ($status, $out, $err) = client(@arguments);
    is($status, $expected, "exit status: $message");
    like($err, $message, 'and what to do');
}
is(sql(q{SELECT to_regclass('x') IS NULL}), 't', 'wrong use leaves no table');
($status, $out) = client('load', '--help');
is($status, 0, '--help is fine');
like($out, qr/Example:\n  lookalike load /, 'and has an example');

$node->stop;
done_testing();
