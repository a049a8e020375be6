# "lookalike search": what it finds out of a table, what it finds in it, and that nothing is code that is
# a name, a value or a condition.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use JSON::PP;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('client_search');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
my $database = $node->connstr('postgres');
my $folder = $node->basedir;

# The extension lies where no search_path leads.
$node->safe_psql('postgres', 'CREATE SCHEMA aside; CREATE EXTENSION lookalike SCHEMA aside');
sub sql { my ($statement) = @_;
    return $node->safe_psql('postgres', "SET search_path = public, aside; $statement") }

# Forty colours.
my @pictures = map { png_file(32, 32, 32, 8, 2, pack 'C3', 6 * $_, 255 - 5 * $_, 37 * $_ % 256) } 1 .. 40;
my $script = '<script>alert("1")</script>';
sql(q{CREATE TABLE pins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, season text, price int,
        digest bytea, photo bytea, features descriptor GENERATED ALWAYS AS (image_features(photo)) STORED,
        hash descriptor GENERATED ALWAYS AS (image_features_or_null(photo, 'phash'::text)) STORED,
        locals local_features GENERATED ALWAYS AS (image_local_features(photo)) STORED)});
sql(sprintf q{INSERT INTO pins (name, season, price, photo) VALUES ('%s', '%s', %d, '\x%s')},
    $_ == 3 ? $script : "pin $_", $_ % 2 ? 'SS26' : "it''s", $_, $pictures[ $_ - 1 ]) for 1 .. 40;
sql('CREATE INDEX ON pins USING faiss (features, season)');

sub client { my (@arguments) = @_;
    my ($out, $err) = ('', '');
    IPC::Run::run([ 'lookalike', @arguments ], '<', \undef, '>', \$out, '2>', \$err);
    return ($? >> 8, $out, $err) }
sub search { my (@arguments) = @_; return client('search', '-d', $database, @arguments) }
sub found { my (@arguments) = @_;
    my ($status, $out, $err) = search(@arguments, '--json');
    is("$status $err", '0 ', "search @arguments" =~ s{\S+/}{}gr);
    return decode_json($out) }
sub keys_of { return join ',', map { $_->{key} } @{ $_[0] } }
sub expected { my ($order, $where, $limit) = @_;
    return sql("SELECT string_agg(id::text, ',') FROM (SELECT id FROM pins WHERE $where ORDER BY $order LIMIT $limit) AS x") }
my $seven = 'features <-> (SELECT features FROM pins WHERE id = 7)';

# A file, a row.
open my $file, '>:raw', "$folder/query.png" or die;
print $file pack 'H*', $pictures[6];
close $file;
my $answer = found("$folder/query.png", '-t', 'pins', '-k', 6);
is(keys_of($answer), expected($seven, 'true', 6), 'the nearest of a file');
is($answer->[0]{distance}, 0, 'its copy first');
cmp_ok($answer->[0]{match}, '>', 99, 'which is a match');
is(keys_of(found('--row', 7, '-t', 'pins', '-k', 6)), expected($seven, 'id <> 7', 6), 'of a row, without itself');
is(keys_of(found('--row', 7, '-t', 'public.pins', '--within', '0.3', '-k', 100)),
    expected($seven, "id <> 7 AND within(features, (SELECT features FROM pins WHERE id = 7), 0.3)", 100), 'within');
is(keys_of(found('--row', 7, '-t', 'pins', '--where', "season = 'it''s' -- and so on", '-k', 4)),
    expected($seven, "season = 'it''s'", 4), 'where');
is(join(',', map { $_->{distance} } @{ found('--row', 7, '-t', 'pins', '--by', 'hash', '-k', 4) }),
    sql('SELECT string_agg(d::text, $$,$$) FROM (SELECT hash <~> (SELECT hash FROM pins WHERE id = 7) AS d
        FROM pins WHERE id <> 7 ORDER BY d LIMIT 4) AS x'), 'by a column of bits');
is(scalar @{ found("$folder/query.png", '-t', 'pins', '--by', 'locals', '-k', 4) }, 4, 'by local features');
my ($status, $out) = search('--row', 7, '-t', 'pins', '-k', 2);
like($out, qr/^id\s+distance\s+match\s+season\s+name\s+price$/m, 'a table for people, columns of the index first');
unlike($out, qr/digest|photo/, 'without bytes');
($status, $out) = search('--row', 2, '-t', 'pins', '--where', 'id = 3', '--csv');
is($out =~ s/,[0-9.]+,[0-9.]*,/,-,-,/r, qq(id,distance,match,season,name,price\r\n3,-,-,SS26,"<script>alert(""1"")</script>",3\r\n),
    'CSV');

# The contact sheet.
my $sheet = "$folder/sheet.html";
is((search("$folder/query.png", '-t', 'pins', '-k', 40, '--html', $sheet))[0], 0, 'a contact sheet');
my $html = slurp_file($sheet);
is(() = $html =~ /<img [^>]*src="data:image\/(?:png|jpeg);base64,/g, 41, 'with its pictures inside');
unlike($html, qr/<script/i, 'names are no code');
like($html, qr/&lt;script&gt;alert\(&quot;1&quot;\)/, 'but shown');
unlike($html, qr/(?:src|href)\s*=\s*"(?!data:)|url\(|\@import/, 'it asks for nothing');

# Another table: odd names, a trigger, a key that is text.
sql(q{CREATE TABLE "Odd ""table""; DROP TABLE pins" ("the ""key""" text UNIQUE NOT NULL, "select" bytea, "Order" text,
        "fea'tures" descriptor)});
sql(q{CREATE TRIGGER t BEFORE INSERT ON "Odd ""table""; DROP TABLE pins" FOR EACH ROW
        EXECUTE FUNCTION image_features_trigger('select', 'fea''tures', 'color')});
sql(q{INSERT INTO "Odd ""table""; DROP TABLE pins" SELECT $$'; DROP TABLE pins; -- $$ || id, photo, name FROM pins});
$answer = found("$folder/query.png", '-t', '"Odd ""table""; DROP TABLE pins"', '-k', 3);
is($answer->[0]{distance}, 0, 'a table of odd names');
is($answer->[0]{row}{Order}, 'pin 7', 'whose columns need quotes');
is($answer->[0]{match}, undef, 'without an index no match');
is(scalar @{ found('--row', "'; DROP TABLE pins; -- 7", '-t', '"Odd ""table""; DROP TABLE pins"') }, 10, 'and a key that is code');

# Features whose extractor is not known, and a comment that tells.
sql('CREATE TABLE plain AS SELECT id, features, photo FROM pins');
my @plain = ('-t', 'plain', '--key', 'id');
is(scalar @{ found('--row', 7, @plain) }, 10, 'rows can be asked');
like((search("$folder/query.png", @plain))[2], qr/image_features by NAME/, 'pictures not');
sql(q{COMMENT ON COLUMN plain.features IS 'image_features by color+pattern'});
is(keys_of(found("$folder/query.png", @plain, '-k', 5)), expected($seven, 'true', 5), 'but with a comment');

# Conditions cannot write, nor end the statement.
sql('CREATE SEQUENCE counter');
for my $where ("nextval('counter') > 0", "true); DROP TABLE plain; --", "set_config('default_transaction_read_only', 'off', false) = 'off' AND nextval('counter') > 0") {
    is((search('--row', 7, '-t', 'pins', '--where', $where))[0], 2, "refused: $where");
}
is(sql(q{SELECT is_called FROM counter}), 'f', 'nothing was written');
is(sql(q{SELECT to_regclass('plain') IS NOT NULL}), 't', 'nothing is gone');

# Wrong use.
sql('CREATE TABLE no_key (features descriptor, photo bytea); CREATE TABLE no_features (id int PRIMARY KEY)');
for my $case (
    [ 2, qr/one of a picture, --row and --text/, '-t', 'pins' ],
    [ 2, qr/one of a picture, --row and --text/, '--row', 1, '--text', 'a', '-t', 'pins' ],
    [ 2, qr/there is no table/, '--row', 1, '-t', 'nothing' ],
    [ 2, qr/no primary key of one column/, '--row', 1, '-t', 'no_key' ],
    [ 2, qr/no column of type descriptor/, '--row', 1, '-t', 'no_features' ],
    [ 2, qr/no row with id = 99/, '--row', 99, '-t', 'pins' ],
    [ 2, qr/--by: /, '--row', 1, '-t', 'pins', '--by', 'name' ],
    [ 2, qr/--photo: /, '--row', 1, '-t', 'pins', '--photo', 'name' ],
    [ 2, qr/--text: /, '--text', 'blue', '-t', 'pins' ],
    [ 2, qr/cannot read the picture.*No such file or directory/, "$folder/none.png", '-t', 'pins' ],
    [ 2, qr/is not recognized/, "$folder/sheet.html", '-t', 'pins' ],
    [ 2, qr/cannot write/, '--row', 1, '-t', 'pins', '--html', '/nowhere/sheet.html' ],
    [ 2, qr/excludes/, '--row', 1, '-t', 'pins', '--json', '--csv' ],
) {
    my ($expected, $message, @arguments) = @$case;
    my ($status, $out, $err) = search(@arguments);
    is($status, $expected, "exit status: $message");
    like($err, $message, 'and what to do');
}
is((client('search', '--row', 1, '-t', 'pins', '-d', 'host=/nowhere'))[0], 3, 'no database');
like((client('search', '--help'))[1], qr/Example:\n  lookalike search /, '--help has an example');

$node->stop;
done_testing();
