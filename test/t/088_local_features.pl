# Local features beyond SQL: binary COPY, damaged messages, dumps, the workers' cache, a search that
# is cancelled.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $seed = $ENV{LOOKALIKE_SEED} // 20261201;
srand($seed);
note("seed $seed");

my $node = PostgreSQL::Test::Cluster->new('local_features');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lookalike'\nrestart_after_crash = off");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION lookalike;
    CREATE TABLE items (l local_features);
    CREATE TABLE outcomes (code text, expected boolean, message text)});
sub sql { my ($statements, $database) = @_;
    return $node->safe_psql($database // 'postgres', $statements) }

# The binary form: kind, version, mirrored, zero, count, width, height, then columns.
sub header { my (%given) = @_;
    my %header = (kind => 1, version => 1, mirrored => 0, zero => 0, count => 0, width => 640, height => 480, %given);
    return pack('C4N3', @header{qw(kind version mirrored zero count width height)}) }
sub random_bytes { return join '', map { chr int rand 256 } 1 .. shift }
sub columns { my ($kind, $count) = @_;
    return random_bytes($count * ($kind == 1 ? 32 : 128)) . pack('n*', map { int rand 49152 } 1 .. 2 * $count)
      . random_bytes(2 * $count) . pack('C*', map { 255 - int(255 * $_ / ($count + 1)) } 1 .. $count) }
sub value { my ($kind, $count, %given) = @_;
    return header(kind => $kind, count => $count, %given) . columns($kind, $count) }

sub copy_file { return "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0)
      . join('', map { pack('n', 1) . (defined $_ ? pack('N/a*', $_) : pack('N', 0xffffffff)) } @_) . pack('n', 0xffff) }
sub write_file { my ($path, $bytes) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $bytes;
    close $file }

my $path = $node->basedir . '/values';
my $bytes = copy_file(header(), header(kind => 2, width => 1, height => 1 << 30), undef, value(1, 1), value(2, 1, mirrored => 1),
    value(1, 150), value(2, 150), value(1, 10000), value(2, 10000, mirrored => 1));
write_file($path, $bytes);
sql("COPY items FROM '$path' (FORMAT binary); COPY items TO '$path.back' (FORMAT binary)");
ok(slurp_file("$path.back") eq $bytes, 'the same bytes come back');
is(sql('SELECT count(*), count(l), sum(feature_count(l)) FROM items'), '9|8|20302', 'all features are there');
sql("COPY items TO '$path.text'; DELETE FROM items; COPY items FROM '$path.text'; COPY items TO '$path.back' (FORMAT binary)");
ok(slurp_file("$path.back") eq $bytes, '... also after they have been text');
write_file($path, copy_file(header(kind => 1, mirrored => 1, count => 2) . "\x0f" x 32 . "\xf0" x 32
          . pack('n4C6', 0x0102, 0x0304, 0x0506, 0x0708, 1, 2, 3, 4, 6, 5)));
is(sql("DELETE FROM items; COPY items FROM '$path' (FORMAT binary); SELECT l FROM items"),
    'orb@1 640x480 mirrored {(258,1286,1,3,6,' . '0f' x 32 . '),(772,1800,2,4,5,' . 'f0' x 32 . ')}', 'what the bytes mean');

my %refused = (
    'empty' => [ '', qr/insufficient data left in message|no data left in message/ ],
    'kind 0' => [ header(kind => 0), qr/unknown kind of local features\nDETAIL:  The kinds are 1 \(orb\) and 2 \(sift\)/ ],
    'kind 3' => [ header(kind => 3), qr/unknown kind of local features/ ],
    'another version' => [ header(version => 3), qr/unknown version of local features/ ],
    'flags' => [ header(mirrored => 2), qr/unknown flags/ ],
    'not zero' => [ header(zero => 1), qr/unknown flags/ ],
    'too many' => [ value(1, 10001), qr/too many local features\nDETAIL:  The limit is 10000/ ],
    'far too many' => [ header(count => 0xffffffff), qr/too many local features/ ],
    'no width' => [ header(width => 0), qr/size of the picture of local features is out of range/ ],
    'great height' => [ header(height => (1 << 30) + 1), qr/size of the picture of local features is out of range/ ],
    'outside' => [ value(1, 100, height => 1), qr/a local feature lies outside of its picture/ ],
    'order' => [ header(count => 2) . "\0" x 76 . "\1\2", qr/not in the order of their strength/ ],
    'too short' => [ substr(value(2, 3), 0, -1), qr/insufficient data left in message/ ],
    'too long' => [ value(2, 3) . "\0", qr/incorrect binary data format/ ],
);
for my $name (sort keys %refused) {
    my ($message, $error) = @{ $refused{$name} };
    write_file($path, copy_file($message));
    my ($status, undef, $stderr) = $node->psql('postgres', "COPY items FROM '$path' (FORMAT binary)");
    isnt($status, 0, "$name: refused");
    like($stderr, $error, "$name: told why");
}

# Cut at every byte, changed at every byte, and in many ways at random: an error of its class, or a
# value that comes back as it went in and that all functions take.
my $folder = $node->basedir . '/messages';
mkdir $folder or die "$folder: $!";
my @messages;
for my $whole (value(1, 3), value(2, 2, mirrored => 1)) {
    push @messages, map { substr $whole, 0, $_ } 0 .. length($whole);
    for my $at (0 .. length($whole) - 1) {
        for my $byte (chr(ord(substr $whole, $at, 1) ^ 1 << int rand 8), $at < 16 ? ("\0", "\1", "\xff") : random_bytes(1)) {
            push @messages, $whole;
            substr($messages[-1], $at, 1) = $byte;
        }
    }
}
write_file("$folder/$_", copy_file($messages[ $_ - 1 ])) for 1 .. @messages;
my $count = @messages;
note(sql(qq{
    CREATE FUNCTION is_sound(l local_features, sent bytea) RETURNS boolean LANGUAGE sql AS \$\$
        SELECT local_features_send(l) = sent AND l::text::local_features = l AND strongest(l, 1) IS NOT NULL
            AND (SELECT count(*) FROM features(l)) = feature_count(l) AND cut(l, '(0,0),(100,100)') IS NOT NULL
            AND l <-> l BETWEEN 0 AND 1 AND (match_local_features(l, l)).inliers <= feature_count(l) \$\$;
    DO \$\$
    DECLARE
        path text;
        body bytea;
        same boolean;
    BEGIN
        FOR i IN 1 .. $count LOOP
            path := '$folder/' || i;
            BEGIN
                DELETE FROM items;
                EXECUTE format('COPY items FROM %L (FORMAT binary)', path);
                body := pg_read_binary_file(path);
                -- The header takes 19 bytes, the field 2 + 4 more, the trailer 2.
                SELECT is_sound(l, substr(body, 26, octet_length(body) - 27)) INTO STRICT same FROM items;
                INSERT INTO outcomes VALUES ('fine', same, path);
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO outcomes VALUES (SQLSTATE, SQLSTATE IN ('08P01', '22P03'), path || ': ' || SQLERRM);
            END;
        END LOOP;
    END \$\$;
    SELECT code, count(*) FROM outcomes GROUP BY 1 ORDER BY 1}));
is(sql('SELECT code, message FROM outcomes WHERE expected IS NOT TRUE LIMIT 5'), '',
    'each message is a value that comes back, or an error of its class');
is(sql('SELECT count(*) FROM outcomes'), $count, 'none is left out');
cmp_ok(sql("SELECT count(*) FROM outcomes WHERE code = '$_'"), '>', 10, "some messages end in $_") for qw(fine 08P01 22P03);

# Dump and restore. A generated column is computed again, by a worker.
my $picture = q{
    CREATE FUNCTION squares(seed int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
        SELECT convert_to(E'P6\n240 240\n255\n', 'LATIN1') || string_agg(decode(
                (SELECT repeat(string_agg(repeat(substr(md5(seed || ' ' || c || ' ' || r), 1, 6), 8), '' ORDER BY c), 8)
                   FROM generate_series(1, 30) AS c), 'hex'), '' ORDER BY r) FROM generate_series(1, 30) AS r $$;};
sql('CREATE DATABASE source');
sql("CREATE EXTENSION lookalike; $picture" . q{
    CREATE TABLE pins (id int PRIMARY KEY, photo bytea,
        made local_features GENERATED ALWAYS AS (image_local_features(photo, 'orb', 50)) STORED,
        plain local_features DEFAULT 'sift@1 3x2000 {}',
        filled local_features,
        CONSTRAINT few CHECK (feature_count(plain) < 100));
    CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON pins
        FOR EACH ROW EXECUTE FUNCTION image_local_features_trigger('photo', 'filled', 'sift', '20', 'null');
    INSERT INTO pins (id, photo, plain) SELECT i, squares(i), image_local_features(squares(i), 'sift', 30, true) FROM generate_series(1, 4) AS i;
    INSERT INTO pins (id, photo) VALUES (5, NULL);
    CREATE INDEX ON pins USING hash (plain);}, 'source');
my $contents = q{SELECT id, md5(made::text), md5(plain::text), md5(filled::text), feature_count(made), feature_count(plain), feature_count(filled) FROM pins ORDER BY id};
my $expected = sql($contents, 'source');
like($expected, qr/^1\|\w{32}\|\w{32}\|\w{32}\|50\|30\|20$/m, 'a table to dump');
my %restore = (
    plain => sub { my ($file, $database) = @_;
        [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', $file ] },
    custom => sub { my ($file, $database) = @_;
        [ 'pg_restore', '--exit-on-error', '-d', $database, $file ] });
for my $format (sort keys %restore) {
    my ($file, $database) = ($node->basedir . "/$format.dump", "restored_$format");
    $node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, 'source' ], "$format: pg_dump");
    sql("CREATE DATABASE $database");
    $node->command_ok($restore{$format}->($file, $database), "$format: restore");
    is(sql($contents, $database), $expected, "$format: same values");
    is(sql('INSERT INTO pins (id, photo) VALUES (6, squares(1)) RETURNING plain, feature_count(filled)', $database), 'sift@1 3x2000 {}|20',
        "$format: the default and the trigger came along");
}

# The workers' cache: of the session and of all sessions.
sql($picture);
my $used = 'SELECT requests, cache_hits FROM image_worker_stats()';
sub asked { my (@arguments) = @_;
    return join '; ', map { "SELECT feature_count(image_local_features(squares(1)$_)) >= 0" } @arguments }
is(sql(asked('') . "; $used"), "t\n1|0", 'a new picture is looked at');
is(sql(asked('', '', ", 'orb', 150, false") . "; $used"), "t\nt\nt\n0|3", '... and known to another session that asks the same');
is(sql(asked(", 'orb', 149", ", 'sift'", ', mirrored => true') . "; $used"), "t\nt\nt\n3|0", '... not if it asks otherwise');
is(sql(asked(", 'orb', 149", ", 'sift'", ', mirrored => true') . "; $used"), "t\nt\nt\n0|3", '... once');
is(sql("SELECT image_features(squares(1)) IS NULL; $used"), "f\n1|0", '... nor if it asks for a descriptor');
is( sql("SELECT count(DISTINCT f::text) FROM (VALUES (image_local_features(squares(1))), (image_local_features(squares(1), 'orb', 149)),
        (image_local_features(squares(1), 'sift')), (image_local_features(squares(1), mirrored => true))) AS v (f); $used"), "4\n0|4",
    'what is known is what was asked');
is(sql("SET lookalike.image_cache_size = 0; " . asked('', '') . "; $used"), "t\nt\n2|0", 'who wants no cache has none');

# A search that takes long: it ends when it is cancelled, and the session goes on. It takes no more
# memory for more rows, and no thread.
sql(q{
    CREATE TABLE pins (id int PRIMARY KEY, l local_features);
    INSERT INTO pins SELECT i, ('orb@1 640x640 {' || (SELECT string_agg(format('(%s,%s,100,0,%s,%s)', hashint4(i * 1000 + f) & 65535,
            hashint4(i * 1000 - f) & 65535, 255 - f / 3, md5(i || ' ' || f) || md5(f || ' ' || i)), ',' ORDER BY f) FROM generate_series(1, 600) AS f)
        || '}')::local_features FROM generate_series(1, 60) AS i});
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()') + 0;
my $search = 'SELECT count(*) FROM pins, pins AS q, generate_series(1, %d) WHERE within(pins.l, q.l, 0.5)';
sub resident_kb { slurp_file("/proc/$pid/status") =~ /VmRSS:\s+(\d+) kB/ or die 'no VmRSS'; return $1 }
is($session->query_safe(sprintf $search, 1), '60', 'a search finds each row by itself');
my $before = resident_kb();
is($session->query_safe(sprintf $search, 3), '180', '... and again');
cmp_ok(resident_kb() - $before, '<', 4000, 'more comparisons take no more memory');
my $threads = () = glob("/proc/$pid/task/*");
is($threads, 1, '... and no thread');
$session->query_safe("SET statement_timeout = '300ms'");
for my $statement (sprintf($search, 1_000_000), 'SELECT id FROM pins, generate_series(1, 1000000) ORDER BY l <-> (SELECT l FROM pins WHERE id = 1) LIMIT 1') {
    my $start = time;
    $session->query($statement);
    like($session->{stderr}, qr/canceling statement due to statement timeout/, 'a long search is cancelled');
    cmp_ok(time - $start, '<', 5, '... soon');
    $session->{stderr} = '';
    is($session->query_safe('RESET statement_timeout; SELECT pg_backend_pid(), (SELECT id FROM pins ORDER BY l <-> (SELECT l FROM pins WHERE id = 7) LIMIT 1)'),
        "$pid|7", '... and the session goes on');
    $session->query_safe("SET statement_timeout = '300ms'");
}
$session->quit;

is(sql('SELECT 1'), '1', 'the server is up');
$node->stop;
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|server process .* exited/, 'no backend fell');
done_testing();
