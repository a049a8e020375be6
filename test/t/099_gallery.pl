# "lookalike gallery" over HTTP: what it finds, what it refuses, and that nothing stops it.
use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use IPC::Run;
use JSON::PP;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('gallery');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none");
$node->start;
my $database = $node->connstr('postgres');
$node->safe_psql('postgres', 'CREATE SCHEMA aside; CREATE EXTENSION lookalike SCHEMA aside');
sub sql { my ($statement) = @_;
    return $node->safe_psql('postgres', "SET search_path = public, aside; $statement") }

# Forty colours, of different shapes; the last three are copies.
sub colour { my ($n) = @_; $n = 37 if $n > 37;
    return png_file(32, 20 + $n, 20 + $n, 8, 2, pack 'C3', 6 * $n, 255 - 5 * $n, 37 * $n % 256) }
my $script = q{<script>alert("1")</script>'; DROP TABLE pins; --};
sql('CREATE TABLE pins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, season text, price int, day date,
        photo bytea, features descriptor GENERATED ALWAYS AS (image_features(photo)) STORED)');
sql(join '', map { sprintf q{INSERT INTO pins (name, season, price, day, photo) VALUES ($$%s$$, %s, %d, date '2026-01-01' + %d, '\x%s');},
    $_ == 3 ? $script : "pin $_", $_ == 5 ? 'NULL' : $_ % 2 ? q{'SS26'} : q{$$it's "so"$$}, $_, $_, colour($_) } 1 .. 40);
sql('CREATE INDEX ON pins USING faiss (features, season)');

# A gallery of its own port. None outlives a test that dies.
my @started;
END { local $?; $_->{run}->kill_kill(grace => 1) for grep { !$_->{ended} } @started }
sub gallery { my (@arguments) = @_;
    my %gallery = (out => '', err => '');
    my $listens = grep { $_ eq '-l' } @arguments;
    $gallery{run} = IPC::Run::start([ 'lookalike', 'gallery', '-d', $database, $listens ? () : ('-l', '127.0.0.1:0'), @arguments ],
        '<', \undef, '>', \$gallery{out}, '2>', \$gallery{err});
    wait_until(sub { $gallery{run}->pump_nb; $gallery{out} =~ /Ctrl-C ends it/ || !$gallery{run}->pumpable });
    push @started, \%gallery;
    ($gallery{port}) = $gallery{out} =~ m{http://[^/]*:(\d+)/};
    return \%gallery }
sub finish { my ($gallery) = @_;
    $gallery->{run}->signal('INT');
    $gallery->{run}->finish;
    $gallery->{ended} = 1;
    return $gallery->{run}->full_result(0) >> 8 }

sub escaped { my ($text) = @_; utf8::encode($text); return $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ger }
# Status, headers, body. Options: method, headers, body, host.
sub http { my ($gallery, $path, %options) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gallery->{port}, Timeout => 30) or return (0, '', '');
    my $host = $options{host} // "127.0.0.1:$gallery->{port}";
    my %headers = (Host => $host, Connection => 'close', %{ $options{headers} // {} });
    my $method = $options{method} // (defined $options{body} ? 'POST' : 'GET');
    $headers{'Content-Length'} = length $options{body} if defined $options{body} && !$headers{'Transfer-Encoding'};
    $headers{Origin} //= "http://$host" if $method eq 'POST' && !exists $headers{Origin};
    local $SIG{PIPE} = 'IGNORE';
    print $socket "$method $path HTTP/1.1\r\n", (map { defined $headers{$_} ? "$_: $headers{$_}\r\n" : () } sort keys %headers), "\r\n", $options{body} // '';
    local $/;
    my $answer = <$socket> // '';
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;
    my ($status) = ($head // '') =~ m{^HTTP/1.1 (\d+)};
    return ($status // 0, $head // '', $body // '') }
sub api { my ($gallery, $path, %options) = @_;
    my ($status, $head, $body) = http($gallery, "/api/$path", %options);
    my $json = eval { decode_json($body) } // {};
    return ($status, $json) }
sub keys_of { return join ',', map { $_->{key} } @{ $_[0]{rows} } }
sub expected { my ($order, $where, $limit) = @_;
    return sql("SELECT string_agg(id::text, ',') FROM (SELECT id FROM pins WHERE $where ORDER BY $order LIMIT $limit) AS x") }

my $gallery = gallery('-t', 'pins', '--timeout', 1500);
like($gallery->{out}, qr/^gallery of pins: http:\/\/127\.0\.0\.1:\d+\/$/m, 'it says where it is');
like($gallery->{out}, qr/^marks are kept in public\.pins_marks/m, 'and what it keeps');
unlike($gallery->{out}, qr/beyond this machine/, 'on loopback');

# The page asks nobody else.
for my $path ('/', '/gallery.js', '/gallery.css', '/icon.svg') {
    my ($status, $head, $body) = http($gallery, $path);
    is($status, 200, $path);
    like($head, qr/^Content-Security-Policy: default-src 'none';/m, 'with a policy');
    unlike($body =~ s{http://www\.w3\.org/2000/svg}{}gr, qr{https?://|//[a-z]+\.[a-z]}, 'names no other host');
    unlike($body, qr/\bon\w+="|style="|<script>|innerHTML|\beval\b/, 'and has no code in its text');
}
is((http($gallery, $_))[0], 404, "not $_") for '/../../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/gallery.cpp', '/picture/row?row=99';

# The table.
my ($status, $json) = api($gallery, 'table');
is($json->{key}, 'id', 'key');
is_deeply($json->{columns}, [qw(season name price day)], 'columns, those of the index first');
is($json->{measures}[0]{extractor}, 'color+pattern', 'extractor');

# Searches.
my $seven = 'features <-> (SELECT features FROM pins WHERE id = 7)';
($status, $json) = api($gallery, 'search?row=7&count=6');
is("$status " . keys_of($json), '200 ' . expected($seven, 'id <> 7', 6), 'nearest of a row');
is($json->{rows}[0]{width} . ' ' . ($json->{rows}[0]{height} - 20), "32 $json->{rows}[0]{key}", 'sizes of pictures');
like($json->{sql}, qr/ORDER BY distance\n LIMIT 6$/, 'the SQL');
is(sql("SELECT string_agg(id::text, ',') FROM ($json->{sql}) AS x"), keys_of($json), 'which can be copied');
is(keys_of((api($gallery, 'search?row=7&count=6&from=6'))[1]), expected($seven, 'id <> 7', '6 OFFSET 6'), 'the next page');
is((api($gallery, 'search?row=99'))[0], 404, 'a row that is not there');
is(keys_of((api($gallery, 'search?count=5'))[1]), '1,2,3,4,5', 'without a query, all');
my $season = q{season = $$it's "so"$$};
is(keys_of((api($gallery, 'search?row=7&count=9&f.season=' . escaped(q{it's "so"})))[1]), expected($seven, $season, 9), 'a filter');
is(keys_of((api($gallery, 'search?row=7&count=9&f.season=SS26&f.season=' . escaped(q{it's "so"})))[1]), expected($seven, 'id NOT IN (5, 7)', 9), 'two values');
is(keys_of((api($gallery, 'search?row=7&count=9&null.season=1'))[1]), '5', 'NULL');
is(keys_of((api($gallery, 'search?row=7&count=9&null.season=1&f.season=SS26'))[1]), expected($seven, "id <> 7 AND (season IS NULL OR season = 'SS26')", 9), 'NULL or a value');
is(keys_of((api($gallery, 'search?row=7&count=9&min.price=10&max.price=15&min.day=2026-01-13'))[1]), expected($seven, 'id BETWEEN 12 AND 15', 9), 'bounds');
is(keys_of((api($gallery, 'search?row=7&count=99&within=0.4'))[1]), expected($seven, "id <> 7 AND within(features, (SELECT features FROM pins WHERE id = 7), 0.4)", 99), 'within');
is(keys_of((api($gallery, 'search?row=7&count=9&good=12&good=13&bad=30'))[1]),
    expected('features <-> (SELECT rocchio((SELECT features FROM pins WHERE id = 7), ARRAY(SELECT features FROM pins WHERE id IN (12, 13)),
        ARRAY(SELECT features FROM pins WHERE id = 30)))', 'id <> 7', 9), 'marks');
($status, $json) = api($gallery, 'filters?f.season=SS26');
is($json->{total}, 19, 'how many pass');
is_deeply($json->{filters}[0]{values}, [ [ q{it's "so"}, 20 ], [ 'SS26', 19 ], [ undef, 1 ] ], 'counts, NULL among them');
is_deeply([ map { $_->{range} } @{ $json->{filters} }[ 2, 3 ] ], [ 'number', 'time' ], 'bounds of what has many values');
is($json->{filters}[0]{column}, 'season', 'those of the index first');

# A picture that is sent.
my $png = pack 'H*', colour(7);
($status, $json) = api($gallery, 'pictures', body => $png);
is($status, 200, 'a picture is taken');
my $digest = $json->{picture};
($status, $json) = api($gallery, "search?picture=$digest&count=5");
is(keys_of($json), expected($seven, 'true', 5), 'and searched for');
is($json->{rows}[0]{distance}, 0, 'its copy first');
like((http($gallery, "/picture/sent?picture=$digest&size=1200"))[2], qr/^(?:\x89PNG|\xff\xd8)/, 'and shown');
is((api($gallery, 'search?picture=' . '0' x 64))[0], 404, 'one that nobody sent is not there');

# Bombs, and what is no picture.
my $begin = time;
for my $case ([ 'a huge PNG', png_file(30000, 30000, 10, 8, 2, "\1\2\3") ], [ 'a huge WebP', webp_header(16383) ],
    [ 'a huge JPEG 2000', jpeg2000_header(60000) ], [ 'a huge TIFF', tiff_of_one_strip(60000, 8) ], [ 'text', unpack('H*', 'hello') ], [ 'nothing', '' ],
    [ 'half a picture', substr(colour(7), 0, 80) ]) {
    my ($status, $json) = api($gallery, 'pictures', body => pack 'H*', $case->[1]);
    is($status, 400, "$case->[0] is refused");
    ok(length($json->{error} // ''), $json->{error} // 'and why');
}
cmp_ok(time - $begin, '<', 15, 'in time');
is((http($gallery, '/api/pictures', body => 'x' x (21 << 20)))[0], 413, 'more than 20 MB are refused');
my $chunks = sprintf("%x\r\n%s\r\n", 1 << 20, 'x' x (1 << 20)) x 22 . "0\r\n\r\n";
isnt((http($gallery, '/api/pictures', body => $chunks, headers => { 'Transfer-Encoding' => 'chunked' }))[0], 200, 'also without a length');
my $zipped = Compress::Zlib::memGzip('x' x (60 << 20));
isnt((http($gallery, '/api/pictures', body => $zipped, headers => { 'Content-Encoding' => 'gzip' }))[0], 200, 'and packed');
is((api($gallery, 'search?row=7&count=1'))[0], 200, 'others search on');

# Names and values are no code.
my ($code, $head, $body) = http($gallery, '/api/search?count=3');
like($head, qr/^Content-Type: application\/json/m, 'JSON');
unlike($body, qr/<script/, 'no tag');
is(decode_json($body)->{rows}[2]{values}[1], $script, 'the value as it is');
for my $bad ('f.name=' . escaped("x'; DROP TABLE pins; --"), 'row=' . escaped("7'; DROP TABLE pins"), 'f.season=%00', 'f.season=%ff',
    'by=' . escaped('features; DROP TABLE pins'), 'within=nan', 'within=' . escaped('1); DROP TABLE pins'), 'count=100000', 'from=-1',
    'min.price=' . escaped('1 OR true'), 'good=' . escaped("1}'; DROP TABLE pins; --") . '&row=7') {
    my ($status, $json) = api($gallery, "search?$bad");
    ok($status == 400 || ($status == 200 && ref $json->{rows}), "$bad: $status");
}
is(sql('SELECT count(*) FROM pins'), 40, 'the table is there');

# Who may ask.
is((http($gallery, '/api/table', host => $_))[0], 403, "Host: $_")
  for 'evil.example', "evil.example:$gallery->{port}", "localhost.evil.example:$gallery->{port}", '127.0.0.1:1', '';
is((http($gallery, '/api/table', host => "localhost:$gallery->{port}"))[0], 200, 'localhost is the same');
is((http($gallery, '/api/table', headers => { Origin => 'http://evil.example' }))[0], 403, 'a page of another site may not read');
is((http($gallery, '/api/pictures', body => $png, headers => { Origin => $_ }))[0], 403, 'nor send: ' . ($_ // 'no origin'))
  for 'http://evil.example', 'null', undef;
unlike((http($gallery, '/api/table'))[1], qr/Access-Control/i, 'no other site is let in');
isnt((http($gallery, '/api/table', method => $_, headers => { Origin => "http://127.0.0.1:$gallery->{port}" }))[0], 200, $_) for 'PUT', 'DELETE', 'OPTIONS';

# Pictures of rows are kept by the browser until they change.
($status, $head, $body) = http($gallery, '/picture/row?row=7&size=400');
is($status, 200, 'a picture of a row');
like($head, qr/^Content-Type: image\/(?:png|jpeg)/m, 'of its type');
my ($etag) = $head =~ /^ETag: (\S+)\r/m;
is((http($gallery, '/picture/row?row=7&size=400', headers => { 'If-None-Match' => $etag }))[0], 304, 'is known');
sql("UPDATE pins SET photo = '\\x" . png(64, 30, 30) . "' WHERE id = 7");
is((http($gallery, '/picture/row?row=7&size=400', headers => { 'If-None-Match' => $etag }))[0], 200, 'until it changes');
is((http($gallery, '/picture/row?row=7&size=5000'))[0], 400, 'not in any size');
sql("UPDATE pins SET photo = '\\x" . colour(7) . "' WHERE id = 7");

# Duplicates.
($status, $json) = api($gallery, 'duplicates?within=0.001');
is_deeply([ map { join ',', sort map { $_->{key} } @{ $_->{rows} } } @{ $json->{groups} } ], ['37,38,39,40'], 'copies are a group');
like($json->{sql}, qr/faiss_duplicates/, 'with its SQL');
is((api($gallery, 'duplicates?within=' . escaped('1) --')))[0], 400, 'a radius is a number');

# Marks.
is(sql('SELECT to_regclass($$pins_marks$$) IS NULL'), 't', 'no table without marks');
my $mark = sub { my ($g, $query, $answer, $kind) = @_; return api($g, "marks?$query&answer=$answer&mark=$kind", body => '') };
is(($mark->($gallery, q{row=7}, $_->[0], $_->[1]))[0], 200, "mark @$_") for [ 12, 'good' ], [ 13, 'good' ], [ 30, 'bad' ], [ 12, 'bad' ], [ 13, 'none' ];
$mark->($gallery, "picture=$digest", 14, 'good');
is(sql('SELECT query, compared_by, answer, good, query_features = (SELECT features FROM pins WHERE id = 7) FROM pins_marks ORDER BY answer DESC'),
    "7|features|30|f|t\n|features|14|t|t\n7|features|12|f|t", 'marks are kept, the last of each');
is(($mark->($gallery, 'row=7', '12', 'great'))[0], 400, 'of two kinds');
is(($mark->($gallery, 'row=7', escaped("12'; DROP TABLE pins"), 'good'))[0], 400, 'of rows');

# A statement that takes long is ended, and nobody waits for it.
{
    my ($in, $out, $timer) = ("BEGIN; LOCK TABLE pins IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n", '', IPC::Run::timeout(60));
    my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $database ], '<', \$in, '>', \$out, $timer);
    IPC::Run::pump($session) until $out =~ /locked/;
    my $begin = time;
    my @children = map { my $child = fork // die; if (!$child) { require POSIX; POSIX::_exit((http($gallery, '/api/search?row=7'))[0] == 504 ? 0 : 1) } $child } 1 .. 3;
    is((http($gallery, '/api/table'))[0], 200, 'while three wait, the next does not');
    is((http($gallery, "/picture/sent?picture=$digest&size=200"))[0], 200, 'nor who needs the database');
    cmp_ok(time - $begin, '<', 1.4, 'for them');
    for my $child (@children) { waitpid $child, 0; is($?, 0, 'which ends') }
    cmp_ok(time - $begin, '<', 6, 'soon');
    $in .= "ROLLBACK;\n";
    $session->finish;
}
is((api($gallery, 'search?row=7'))[0], 200, 'and then it works again');

# The server goes and comes.
$node->stop('immediate');
($status, $json) = api($gallery, 'search?row=7');
is("$status $json->{error}", '503 the database does not answer', 'without a server it says so');
is((http($gallery, '/'))[0], 200, 'the page is there');
$node->start;
is((api($gallery, 'search?row=7'))[0], 200, 'with the server it works again');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lookalike gallery'});
is((api($gallery, 'search?row=7'))[0], 200, 'a lost connection is not noticed');
is(sql(q{SELECT bool_and(state = 'idle') FROM pg_stat_activity WHERE application_name = 'lookalike gallery'}), 't', 'nothing is left open');

# Somebody else's table may have triggers.
sql('CREATE ROLE mallory; ALTER TABLE pins_marks OWNER TO mallory');
is(($mark->($gallery, 'row=7', 13, 'good'))[0], 400, 'a table of somebody else gets no marks');
is(sql('SELECT count(*) FROM pins_marks WHERE answer::text = $$13$$'), 0, '... none');
is((http($gallery, '/gallery.js', headers => { Range => 'bytes=0-,0-' }))[0], 400, 'no ranges');
sql('ALTER TABLE pins_marks OWNER TO current_user; DROP ROLE mallory');

# Another one on the same port, and the end.
my $second = gallery('-t', 'pins', '-l', "127.0.0.1:$gallery->{port}");
$second->{run}->finish;
$second->{ended} = 1;
is($second->{run}->full_result(0) >> 8, 2, 'two do not share a port');
like($second->{err}, qr/another program may do so already/, 'and it says why');
is(finish($gallery), 0, 'Ctrl-C ends it');
ok(wait_until(sub { sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lookalike gallery'}) eq '0' }), 'and its sessions');

# Read-only.
sql('DROP TABLE pins_marks');
$gallery = gallery('-t', 'pins', '--read-only', '-l', '0.0.0.0:0');
like($gallery->{out}, qr/^read-only: marks are not kept$/m, 'read-only');
like($gallery->{out}, qr/^it listens beyond this machine/m, 'beyond loopback it warns');
is(($mark->($gallery, 'row=7', 12, 'good'))[1]{kept}, JSON::PP::false, 'keeps no mark');
is(sql('SELECT to_regclass($$pins_marks$$) IS NULL'), 't', 'makes no table');
is((http($gallery, '/api/table', host => "evil.example:$gallery->{port}"))[0], 403, 'names are still checked');
is((http($gallery, '/api/table', host => "192.168.1.1:$gallery->{port}"))[0], 200, 'numbers are not');
is(finish($gallery), 0, 'ends');

# A damaged picture, names that need quotes, a key that is text.
sql(q{CREATE TABLE "Odd ""table""; --" ("the ""key""" text PRIMARY KEY, "select" bytea, "Or<i>der" text, "fea'tures" descriptor)});
sql(q{INSERT INTO "Odd ""table""; --" SELECT $$<b>'"&$$ || id, photo, name, features FROM pins});
sql(q{INSERT INTO "Odd ""table""; --" VALUES ('broken', 'no picture', '', (SELECT features FROM pins WHERE id = 9))});
sql(q{CREATE INDEX "an ""index""'" ON "Odd ""table""; --" USING faiss ("fea'tures", "Or<i>der")});
sql(q{COMMENT ON COLUMN "Odd ""table""; --"."fea'tures" IS 'image_features by color+pattern'});
$gallery = gallery('-t', '"Odd ""table""; --"');
my $key = escaped(q{<b>'"&9});
($status, $json) = api($gallery, "search?row=$key&count=3");
is($status, 200, 'a table of odd names');
is($json->{rows}[0]{key}, 'broken', 'a row with a damaged picture is found');
is($json->{rows}[0]{width}, 0, 'of no size');
is((http($gallery, '/picture/row?row=broken'))[0], 400, 'it cannot be shown');
is((http($gallery, "/picture/row?row=$key"))[0], 200, 'others can');
($status, $json) = api($gallery, 'search?' . escaped('f.Or<i>der') . "=pin+9&row=$key&good=" . escaped(q{<b>'"&9}));
is($status, 200, 'filters and marks, too');
($status, $json) = api($gallery, 'duplicates?within=0.001');
is(scalar @{ $json->{groups} }, 2, 'and duplicates');
is(($mark->($gallery, "row=$key", escaped(q{<b>'"&3}), 'good'))[1]{kept}, JSON::PP::true, 'and marks that are kept');
is(sql(q{SELECT count(*) FROM "Odd ""table""; --_marks"}), '1', 'in a table beside');
is((api($gallery, 'pictures', body => $png))[0], 200, 'a comment names the extractor');
is(finish($gallery), 0, 'ends');

# Wrong use.
for my $case ([ 2, qr/--listen takes/, '-t', 'pins', '-l', 'nonsense' ], [ 2, qr/there is no table/, '-t', 'nothing' ],
    [ 2, qr/no column of pictures/, '-t', 'bare' ], [ 2, qr/--table is required/ ], [ 2, qr/excludes/, '-t', 'pins', '--read-only', '--marks', 'm' ]) {
    my ($expected, $message, @arguments) = @$case;
    sql('CREATE TABLE IF NOT EXISTS bare (id int PRIMARY KEY, features descriptor)');
    my ($out, $err) = ('', '');
    IPC::Run::run([ 'lookalike', 'gallery', '-d', $database, @arguments ], '<', \undef, '>', \$out, '2>', \$err);
    is($? >> 8, $expected, "exit status: $message");
    like($err, $message, 'and what to do');
}
my ($out, $err) = ('', '');
IPC::Run::run([ 'lookalike', 'gallery', '-t', 'pins', '-d', 'host=/nowhere' ], '<', \undef, '>', \$out, '2>', \$err);
is($? >> 8, 3, 'no database');
IPC::Run::run([ 'lookalike', 'gallery', '--help' ], '<', \undef, '>', \$out, '2>', \$err);
like($out, qr/Example:\n  lookalike gallery /, '--help has an example');

$node->stop;
done_testing();
