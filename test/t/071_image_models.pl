# Networks in the database: registered, used, dropped, dumped and restored; and how descriptors of
# images survive a dump, as a generated column and filled by a trigger.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# ONNX by hand. A field is its number, wire type and content.
sub varint { my ($n) = @_;
    return $n < 128 ? chr $n : chr($n % 128 + 128) . varint(int($n / 128)) }
sub number { my ($field, $value) = @_; return varint($field * 8) . varint($value) }
sub bytes { my ($field, $value) = @_;
    return varint($field * 8 + 2) . varint(length $value) . $value }
sub tensor { my ($name, @dims) = @_;
    my $shape = join '', map { bytes(1, number(1, $_)) } @dims;
    return bytes(1, $name) . bytes(2, bytes(1, number(1, 1) . bytes(2, $shape))) }

# The mean of each channel: 3 dimensions. With `$twice` it is added to itself.
sub onnx {
    my ($twice) = @_;
    my $node = sub { my ($op, $inputs, $output) = @_;
        return bytes(1, join('', map { bytes(1, $_) } @$inputs) . bytes(2, $output)
              . bytes(3, $output) . bytes(4, $op)) };
    my $nodes = $node->('GlobalAveragePool', ['input'], 'pooled')
      . ($twice
        ? $node->('Flatten', ['pooled'], 'flat') . $node->('Add', [ 'flat', 'flat' ], 'output')
        : $node->('Flatten', ['pooled'], 'output'));
    my $graph = $nodes . bytes(2, 'means') . bytes(11, tensor('input', 1, 3, 8, 8))
      . bytes(12, tensor('output', 1, 3));
    return unpack 'H*', number(1, 7) . bytes(7, $graph) . bytes(8, number(2, 11));
}

my $node = PostgreSQL::Test::Cluster->new('image_models');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE source');

sub sql { my ($statements, $database) = @_;
    return $node->safe_psql($database // 'source', $statements) }
sub error_of {
    my ($statements, $database) = @_;
    my ($out, $err);
    $node->psql($database // 'source', $statements, stdout => \$out, stderr => \$err,
        extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    return $err;
}

sql(q{
    CREATE EXTENSION lookalike;
    CREATE FUNCTION ppm(color text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$SELECT convert_to(E'P6\n8 8\n255\n', 'LATIN1') || decode(repeat(color, 64), 'hex')$$;
    CREATE ROLE visitor;
});
my $means = onnx(0);
my $plain = q{8, 8, '{0,0,0}', '{255,255,255}', normalized => false};
my $red = q{SELECT array(SELECT round(x::numeric, 3) FROM unnest(
    image_features(ppm('ff8000'), 'net:means@1')::real[]) AS x)};

like(error_of($red), qr/42704: image model "means\@1" is not registered.*register_image_model/s,
    'a network that is not registered');
is(sql("SELECT register_image_model('means', 1, '\\x$means', $plain)"), '3',
    'register_image_model() gives the dimensions');
is(sql($red), '{1.000,0.502,0.000}', 'the network computes, red first');
is(sql("SET ROLE visitor; $red"), '{1.000,0.502,0.000}', 'everybody may use it');
is(sql(q{SELECT name, version, dimensions FROM image_extractors() WHERE name LIKE 'net:%'}),
    'net:means|1|3', 'image_extractors() lists it');
is( sql(q{SELECT descriptor_dims(f) FROM image_features_batch(
        ARRAY[ppm('ff8000'), ppm('0000ff'), NULL, ppm('ff8000')], 'net:means@1') AS f}),
    "3\n3\n\n3", 'batches');
is( sql(q{SELECT image_features(ppm('0000ff'), 'net:means@1') = f FROM image_features_batch(
        ARRAY[ppm('ff8000'), ppm('0000ff')], 'net:means@1') WITH ORDINALITY AS b (f, i) WHERE i = 2}),
    't', '... in their order');
is(sql(q{SELECT descriptor_dims(image_features(ppm('ff8000'), 'color+net:means@1:2'))}), '243',
    'a combination with it');
is( sql("$red; SELECT count(image_features(ppm(lpad(to_hex(i), 6, '0')), 'net:means\@1'))
        FROM generate_series(1, 50) AS i; SELECT models_loaded FROM image_worker_stats()"),
    "{1.000,0.502,0.000}\n50\n1", 'a session loads it once');

# What is refused.
my $register = sub { error_of("SELECT register_image_model(@_)") };
like($register->("'means', 1, '\\x$means', $plain"), qr/23505/, 'a version is there only once');
like($register->("'junk', 1, 'junk', $plain"), qr/ERROR:  22000: could not load image model/, 'no network');
like($register->("'x', 1, '\\x" . substr($means, 0, 60) . "', $plain"), qr/ERROR:  22000/,
    'half a network');
like($register->("'Net Work', 1, '\\x$means', $plain"), qr/23514/, 'a name that no text can say');
like($register->("'x', 0, '\\x$means', $plain"), qr/23514/, 'version 0');
like($register->("'x', 1, '\\x$means', 8, 8, '{1,2}'"), qr/22023: mean of an image model/,
    'a mean of two channels');
like($register->("'x', 1, '\\x$means', 8, 8, layer => repeat('x', 500)"), qr/22023/,
    'a long name of a layer');
is(sql('SELECT count(*) FROM image_models'), '1', 'none of them was kept');
is(sql($red), '{1.000,0.502,0.000}', '... and the good one works');

# Another network under the same name reaches sessions that have loaded the first.
is( sql("$red; SELECT drop_image_model('means', 1);
        SELECT register_image_model('means', 1, '\\x" . onnx(1) . "', $plain); $red"),
    "{1.000,0.502,0.000}\nt\n3\n{2.000,1.004,0.000}", 'a session forgets a replaced network');
like(error_of("BEGIN; SELECT drop_image_model('means', 1); $red"), qr/42704/,
    'a dropped network is gone');
is(sql(q{SELECT drop_image_model('nothing', 1)}), 'f', 'dropping what is not there');

# Dumps. A column that a trigger fills, one that is generated by a built-in extractor.
sql(q{
    CREATE TABLE filled (id int PRIMARY KEY, photo bytea, features descriptor(3));
    CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON filled FOR EACH ROW
        EXECUTE FUNCTION image_features_trigger('photo', 'features', 'net:means@1');
    CREATE TABLE generated (id int PRIMARY KEY, photo bytea,
        features descriptor(240) GENERATED ALWAYS AS (image_features(photo, 'color')) STORED);
    INSERT INTO filled SELECT i, ppm(lpad(to_hex(i * 1000), 6, '0')) FROM generate_series(1, 100) AS i;
    INSERT INTO generated SELECT id, photo FROM filled;
    CREATE INDEX ON filled USING faiss (features);
    CREATE INDEX ON generated USING faiss (features);
});
my $contents = q{SELECT id, md5(photo), f.features, g.features
    FROM filled AS f JOIN generated AS g USING (id, photo) ORDER BY id};
my $expected = sql($contents);
my $folder = $node->backup_dir;
mkdir $folder;
my %restore = (
    plain => [ [ 'pg_dump', '-f' ], [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f' ] ],
    custom => [ [ 'pg_dump', '-Fc', '-f' ], [ 'pg_restore', '--exit-on-error' ] ],
    jobs => [ [ 'pg_dump', '-Fd', '-j', '2', '-f' ],
        [ 'pg_restore', '--exit-on-error', '-j', '2' ] ],
);
for my $form (sort keys %restore) {
    my ($dump, $restore) = @{ $restore{$form} };
    $node->command_ok([ @$dump, "$folder/$form", 'source' ], "$form: dump");
    sql("CREATE DATABASE restored_$form", 'postgres');
    $node->command_ok([ @$restore, "$folder/$form", '-d', "restored_$form" ], "$form: restore");
    is(sql($contents, "restored_$form"), $expected, "$form: the same descriptors");
    is( sql("INSERT INTO filled VALUES (1000, ppm('ff8000'));
            SELECT features FROM filled WHERE id = 1000", "restored_$form"),
        '[2,1.0039216,0]', "$form: network and trigger came along");
}

# A generated column is computed before the network is there.
sql(q{CREATE TABLE too_early (id int, photo bytea,
        features descriptor(3) GENERATED ALWAYS AS (image_features(photo, 'net:means@1')) STORED);
    INSERT INTO too_early VALUES (1, ppm('ff8000'))});
$node->command_ok([ 'pg_dump', '-f', "$folder/early", '-t', 'too_early', '-t', 'x', 'source' ],
    'dump of a generated net: column');
sql('CREATE DATABASE early; ', 'postgres');
sql('CREATE EXTENSION lookalike', 'early');
my ($out, $err) = run_command([ 'psql', '-X', '-d', $node->connstr('early'), '-f', "$folder/early" ]);
like($err, qr/image model "means\@1" is not registered/, 'its restore fails');
like($err, qr/HINT:.*image_features_trigger/, '... with a hint that names the trigger');

$node->stop;
done_testing();
