# Search by text: who may register networks for texts, pairs, dumps, workers that die, preloaded networks; and with
# LOOKALIKE_TEXT_MODELS a real pair, whose folder it names (text.onnx, image.onnx, bpe_merges.txt, test_vectors.json).
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ImageTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('text_features');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lookalike'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE source');

sub sql { my ($statements, $database) = @_;
    return $node->safe_psql($database // 'source', $statements) }
sub error_of { my ($statements, $database) = @_;
    return verbose_error($node, $database // 'source', $statements) }

my $rows = text_onnx(0);
my $vocabulary = unpack 'H*', "[PAD]\n[UNK]\n[CLS]\n[SEP]\nblue\nrose\n";
my $files = "'\\x$rows', '\\x$vocabulary', 'wordpiece', 8, normalized => false";
my $blue = q{SELECT text_features('blue', 'net:rows@1')};

sql('CREATE EXTENSION lookalike; CREATE ROLE visitor');

# Rights.
like(error_of("SET ROLE visitor; SELECT register_text_model('rows', 1, $files)"), qr/42501/,
    'a visitor may register nothing');
like(error_of("SET ROLE visitor; SELECT check_text_model('rows', 1, '', 0, 'clip', 8, true, 'end', '', true)"),
    qr/42501/, '... and load nothing');
like(error_of("SET ROLE visitor; SELECT drop_text_model('rows', 1)"), qr/42501/, '... and drop nothing');
is(sql("SELECT register_text_model('rows', 1, $files)"), '3', 'the owner may');
is(sql("SET ROLE visitor; $blue"), '[3,1,9]', 'everybody may use it');
like(error_of('SET ROLE visitor; SELECT data FROM lookalike_models'), qr/42501/, '... but not read it');

# A pair: both halves have the same number of dimensions, whichever comes first.
my $means = onnx(0);
my $plain = q{8, 8, '{0,0,0}', '{255,255,255}', normalized => false};
is(sql("SELECT register_image_model('rows', 1, '\\x$means', $plain)"), '3', 'a pair');
is( sql("CREATE FUNCTION ppm(color text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        \$\$SELECT convert_to(E'P6\\n8 8\\n255\\n', 'LATIN1') || decode(repeat(color, 64), 'hex')\$\$;
        SELECT image_features(ppm('ff0000'), 'net:rows\@1'); $blue"),
    "[1,0,0]\n[3,1,9]", '... whose halves are told apart');
is(sql("SELECT drop_text_model('rows', 1)"), 't', 'one half can go');
my $two = unpack 'H*', do {
    # The same with rows of two numbers: as many bytes as it takes for 9 rows of 2.
    my $file = pack 'H*', $rows;
    $file =~ s/\x08\x06\x08\x03\x10\x01/\x08\x09\x08\x02\x10\x01/ or die;
    $file;
};
like(error_of("SELECT register_text_model('rows', 1, '\\x$two', '\\x$vocabulary', 'wordpiece', 8)"),
    qr/22023: networks of "rows\@1" give 2 and 3 dimensions/, 'a half that does not fit is refused');
is(sql("SELECT register_text_model('two', 1, '\\x$two', '\\x$vocabulary', 'wordpiece', 8)"), '2',
    '... but not without the other');
like(error_of("SELECT register_image_model('two', 1, '\\x$means', $plain)"),
    qr/22023: networks of "two\@1" give 3 and 2 dimensions/, '... in either order');
is(sql("SELECT register_text_model('rows', 1, $files)"), '3', 'a half that fits');

# Hostile files and texts: an error each time, and the session goes on.
srand($ENV{LOOKALIKE_SEED} // 7);
my $damaged = join ";\n", map {
    my ($network, $words) = map { pack 'H*', $_ } $rows, $vocabulary;
    my $which = $_ % 2 ? \$network : \$words;
    substr($$which, rand length $$which, 1) = chr rand 256 for 1 .. 3;
    sprintf "SELECT check_text_model('x', 1, '\\x%s', %d, '%s', 8, true, 'mean', '', true)",
        unpack('H*', $network . $words), length $words, $_ % 3 ? 'wordpiece' : 'clip'
} 1 .. 60;
my ($out, $err);
$node->psql('source', "$damaged; $blue", stdout => \$out, stderr => \$err, on_error_stop => 0, on_error_die => 0);
like($out, qr/\[3,1,9\]$/, 'damaged files leave the session as it was');
unlike($err, qr/signal|server closed/, '... and end no process');
like(error_of("SELECT text_features(repeat('a', 70000), 'net:rows\@1')"), qr/54000: text of 70000 bytes is too long/,
    'a text that is too long');

# Killed in the middle, cancelled, too slow.
my $slow = text_onnx(90_000);
sql("SELECT register_text_model('slow', 1, '\\x$slow', '\\x$vocabulary', 'wordpiece', 8)");
like(sql("$blue; SELECT networks FROM image_worker_stats()"), qr/\ntext:rows\@1: lookalike$/, 'the session says what ran it');
my $many = q{SELECT count(text_features(i::text, 'net:slow@1')) FROM generate_series(1, 100000) AS i};
my $uncached = 'SET lookalike.image_cache_size = 0';
like(error_of("$uncached; SET statement_timeout = '2s'; $many"), qr/57014/, 'a cancel in the middle');
{
    my ($session_out, $session_err) = ('', '');
    my $harness = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('source'), '-f', '-' ],
        '<', \"$uncached;\n$many;\n$blue;\n", '>', \$session_out, '2>', \$session_err);
    # Between two requests nobody would notice.
    wait_until(sub {
        my $parent = warm_parent_of($node) // return 0;
        kill 'KILL', grep { $_ != $parent } worker_processes($node);
        usleep(300_000);
        $harness->pump_nb;
        return $session_err =~ /ERROR/;
    }, 60) or $harness->kill_kill;
    $harness->finish;
    like($session_err, qr/worker process.*(died|killed|ended|signal)/s, 'kill -9 in the middle is an error');
    like($session_out, qr/\[3,1,9\]/, '... and the next statement has another worker');
}

# Dump and restore.
sql(q{CREATE TABLE titles (title text, features descriptor(3));
    INSERT INTO titles SELECT t, text_features(t, 'net:rows@1') FROM (VALUES ('blue'), ('rose')) AS v (t)});
sql("SELECT drop_text_model('slow', 1)");
my $dump = $node->backup_dir;
mkdir $dump;
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dump/texts", 'source' ], 'dump');
sql('CREATE DATABASE restored', 'postgres');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'restored', "$dump/texts" ], 'restore');
is(sql(q{SELECT bool_and(features = text_features(title, 'net:rows@1')) FROM titles}, 'restored'), 't',
    'a restored network gives the same');

# Preloaded: both halves.
is(sql("SELECT image_model_preload('rows', 1) > 0"), 't', 'preload');
is(sql("$uncached; $blue; SELECT models_loaded, models_preloaded, warm FROM image_worker_stats()"), "[3,1,9]\n0|1|t",
    'a session finds it in the warm parent');

SKIP: {
    my $folder = $ENV{LOOKALIKE_TEXT_MODELS};
    skip 'LOOKALIKE_TEXT_MODELS names no folder with a real pair', 4 if !defined $folder;
    my $read = sub { my ($file) = @_; return "pg_read_binary_file('$folder/$file')" };
    my $mean = q{'{127.5,127.5,127.5}'};
    is( sql("SELECT register_image_model('tiny', 1, " . $read->('image.onnx') . ", 224, 224, $mean, $mean)"),
        '128', 'the half for pictures');
    is( sql("SELECT register_text_model('tiny', 1, " . $read->('text.onnx') . ', '
              . $read->('bpe_merges.txt') . ')'), '128', 'the half for texts');
    my $vectors = decode_json(slurp_or_empty("$folder/test_vectors.json"));
    my $least = 1;
    for my $text (@{ $vectors->{texts} }) {
        (my $quoted = $text->{text}) =~ s/'/''/g;
        my $similarity = sql("SELECT 1 - (text_features('$quoted', 'net:tiny\@1') <=> '["
              . join(',', @{ $text->{embed} }) . "]')");
        $least = $similarity if $similarity < $least;
    }
    cmp_ok($least, '>=', 0.9999, "the texts' vectors");
    my $nearest = sql(q{SELECT id FROM (VALUES } . join(', ',
            map { my $i = $_; "($i, image_features(" . $read->($vectors->{pictures}[$i]{file}) . q{, 'net:tiny@1'))} }
              0 .. $#{ $vectors->{pictures} }) . q{) AS p (id, features)
        ORDER BY features <=> (SELECT text_features('soccer ball', 'net:tiny@1')) LIMIT 1});
    is($vectors->{pictures}[$nearest]{file}, 'pictures/soccer.png', 'a text finds its picture');
}

$node->stop;
done_testing();
