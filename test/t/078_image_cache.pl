# The cache of all sessions: it saves the work, and it gives nobody what is not his or not right.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('image_cache');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lookalike'");
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->start;

sub sql { my ($statements, $database) = @_;
    return $node->safe_psql($database // 'postgres', $statements) }
my $setup = q{
    CREATE EXTENSION lookalike;
    CREATE FUNCTION ppm(color text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$SELECT convert_to(E'P6\n8 8\n255\n', 'LATIN1') || decode(repeat(color, 64), 'hex')$$;
    CREATE FUNCTION ppm(color int) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$SELECT ppm(lpad(to_hex(color * 6007), 6, '0'))$$;
};
sql($setup);
my $used = 'SELECT requests, cache_hits FROM image_worker_stats()';

# A table whose generated column PostgreSQL computes again at every update, for a trigger.
sql(q{
    CREATE TABLE designs (id int PRIMARY KEY, price int, updated_at timestamptz, photo bytea,
        features descriptor GENERATED ALWAYS AS (image_features(photo)) STORED);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN NEW.updated_at := now(); RETURN NEW; END$$;
    CREATE TRIGGER touch BEFORE UPDATE ON designs FOR EACH ROW EXECUTE FUNCTION touch();
});
is(sql("INSERT INTO designs (id, photo) SELECT i, ppm(i) FROM generate_series(1, 40) AS i; $used"), '40|0',
    'new pictures are looked at');
is(sql("UPDATE designs SET price = 1; $used"), '0|40', 'another session that touches the rows asks no worker');
sql("UPDATE designs SET photo = ppm(id + 1000) WHERE id = 7");
is( sql(q{SET lookalike.image_cache_size = 0;
        SELECT count(*) FROM designs WHERE features = image_features(photo)}),
    '40', '... and the features are right');
is(sql("SET lookalike.image_cache_size = 0; UPDATE designs SET price = 2; $used"), '40|0',
    'who wants no cache has none');

# What is whose.
my $one = q{SELECT descriptor_dims(image_features(ppm('102030'), 'color'))};
sql('CREATE ROLE visitor; CREATE ROLE other; CREATE DATABASE elsewhere');
sql($setup, 'elsewhere');
is(sql("$one; $used"), "240\n1|0", 'a picture');
is(sql("$one; $used"), "240\n0|1", '... in another session');
is(sql("SET ROLE visitor; $one; $used"), "240\n1|0", '... of another user, who learns nothing of it');
is(sql("SET ROLE visitor; $one; $used"), "240\n0|1", '... and has his own');
is(sql("$one; $used", 'elsewhere'), "240\n1|0", '... and in another database');
is(sql("SELECT descriptor_dims(image_features(ppm('102030'), 'pattern')); $used"), "319\n1|0",
    '... by another extractor');

# A limit holds for what was seen before it, in the session and in others.
sub error_of { return verbose_error($node, 'postgres', @_) }
my $lower = 'SET lookalike.max_image_pixels = 63';
like(error_of("$one; $lower; $one"), qr/54000: PNM image of 8 x 8 pixels is too large/,
    'a lower limit of pixels holds for pictures that the session has cached');
like(error_of("$lower; $one"), qr/54000/, '... and for those that others have');
is(sql("$one; $lower; SELECT image_features_or_null(ppm('102030'), 'color') IS NULL"), "240\nt",
    '... which give NULL');

# Networks: what one was computed with is not another one's, whatever it is called.
my $plain = q{8, 8, '{0,0,0}', '{255,255,255}', normalized => false};
my ($means, $doubled) = (onnx(0), onnx(1));
my $red = q{SELECT array(SELECT round(x::numeric, 3) FROM unnest(
    image_features(ppm('ff8000'), 'net:means@1')::real[]) AS x)};
sql("SELECT register_image_model('means', 1, '\\x$means', $plain)");
is(sql("$red; $red; $used"), "{1.000,0.502,0.000}\n{1.000,0.502,0.000}\n4|1",
    'what a session computes with a network that it has loaded for it');
is(sql("$red; $used"), "{1.000,0.502,0.000}\n0|1", '... is there for others, who do not load it');
is( sql("BEGIN; SELECT drop_image_model('means', 1);
        SELECT register_image_model('means', 1, '\\x$doubled', $plain); $red; $red; ROLLBACK; $red"),
    "t\n3\n{2.000,1.004,0.000}\n{2.000,1.004,0.000}\n{1.000,0.502,0.000}",
    'a network that was registered for a transaction');
is(sql($red), '{1.000,0.502,0.000}', '... left nothing behind');
sql("SELECT drop_image_model('means', 1); SELECT register_image_model('means', 1, '\\x$doubled', $plain)");
is(sql($red), '{2.000,1.004,0.000}', 'another network of that name');
sql(q{UPDATE lookalike_models SET options = options || '{"std":[510,510,510]}'});
is(sql($red), '{1.000,0.502,0.000}', '... with other settings');
sql("SELECT drop_image_model('means', 1)");
like(error_of($red), qr/42704: image model "means\@1" is not registered/, 'one that is gone');
sql("SELECT register_image_model('means', 1, '\\x$means', $plain)", 'elsewhere');
is(sql($red, 'elsewhere'), '{1.000,0.502,0.000}', 'the network of that name of another database');

# A small one: the oldest go, and sessions that drop and find them at once get what is right.
$node->append_conf('postgresql.conf', "lookalike.shared_image_cache_size = '64kB'");
$node->restart;
my $dims = sub { my ($first, $last) = @_;
    return "SELECT sum(descriptor_dims(image_features(ppm(i), 'color'))) FROM generate_series($first, $last) AS i" };
sql($dims->(1, 200));
is(sql($dims->(196, 200) . "; $used"), "1200\n0|5", 'the last ones are kept');
is(sql($dims->(1, 5) . "; $used"), "1200\n5|0", '... the first ones are not');
sql(q{CREATE TABLE truth AS SELECT i, e, image_features(ppm(i), e) AS features
        FROM generate_series(1, 60) AS i, unnest('{color,pattern,phash,color+pattern}'::text[]) AS e});
my @sessions = map {
    my $seed = $_ / 10;
    my $output = '';
    my $session = { output => \$output };
    $session->{harness} = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', '-d', $node->connstr('postgres'),
            '-c', "SET lookalike.image_cache_size = '1kB'", '-c', "SELECT setseed($seed)", '-c',
            q{SELECT count(*) FROM (SELECT * FROM truth, generate_series(1, 5) ORDER BY random() OFFSET 0) AS t
                WHERE features <> image_features(ppm(i), e)},
            '-c', 'SELECT cache_hits > 0 AND cache_misses > 0 FROM image_worker_stats()' ],
        '>', \$output, '2>&1');
    $session;
} 1 .. 4;
for my $session (@sessions) {
    $session->{harness}->finish;
    is(${ $session->{output} }, "\n0\nt\n", 'a session beside others in a cache that is too small');
}

# A backend that dies takes the shared memory with it; the server starts with an empty cache.
{
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    my $backend = $session->query_safe('SELECT pg_backend_pid()') + 0;
    kill 'KILL', $backend;
    eval { $session->quit };
    wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0
          && slurp_file($node->logfile) =~ /all server processes terminated; reinitializing/ });
    wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 });
    is(sql($dims->(196, 200) . "; $used"), "1200\n5|0", 'after a crash it is empty');
    is(sql($dims->(196, 200) . "; $used"), "1200\n0|5", '... and fills again');
}
$node->append_conf('postgresql.conf', 'lookalike.shared_image_cache_size = 0');
$node->restart;
sql($one);
is(sql("$one; $used"), "240\n1|0", 'a size of 0 turns it off');
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\nlookalike.shared_image_cache_size = '1MB'");
$node->restart;
sql($one);
is(sql("$one; $one; $used"), "240\n240\n1|1", 'without shared_preload_libraries each session has its own');

$node->stop;
done_testing();
