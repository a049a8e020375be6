# Images that are made to take too much memory or time: one of them must not cost a statement its
# other rows, and what is not an image's fault must stay an error.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('image_faults');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION lookalike;
    CREATE TABLE pictures (name text PRIMARY KEY, photo bytea);
});
my %picture = (
    good => png(64, 48, 48),
    # Its pixels take 800 MB.
    deep => png_file(10000, 9999, 10, 16, 6, "\1\2\3\4\5\6\x80\0"),
    # 62 MB, and as much again when the alpha channel is taken out.
    clear => png_file(4000, 3900, 3900, 8, 6, "\x30\x90\xc0\x80"),
    large => png(4000, 4000, 4000),
    few_scans => jpeg_of_scans(4096, 100),
    many_scans => jpeg_of_scans(4096, 10000),
    tiff => tiff_of_one_strip(9999, 32),
    webp => webp_header(9999),
    jpeg2000 => jpeg2000_header(9999),
);
$node->safe_psql('postgres', "INSERT INTO pictures VALUES ('$_', '\\x$picture{$_}')")
  for sort keys %picture;

# One session that goes on after errors.
sub session {
    my (@statements) = @_;
    my ($out, $err);
    $node->psql('postgres', join(";\n", 'SET lookalike.image_cache_size = 0', @statements),
        stdout => \$out, stderr => \$err, on_error_stop => 0, on_error_die => 0,
        extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    return ($out, $err);
}
sub features { my ($name, $extractor) = @_;
    return "SELECT descriptor_dims(image_features(photo, '" . ($extractor // 'phash')
      . "')) FROM pictures WHERE name = '$name'" }
sub or_null { my ($name, $extractor) = @_;
    return features($name, $extractor) =~ s/image_features/image_features_or_null/r }
my $starts = 'SELECT worker_starts, refused_images, failures FROM image_worker_stats()';

# Memory that the header tells.
my ($out, $err) = session(features('good'), features('deep'), or_null('deep'),
    q{SELECT image_thumbnail(photo, 10) FROM pictures WHERE name = 'deep'},
    q{SELECT width, height FROM pictures, image_info(photo) WHERE name = 'deep'}, $starts);
is(scalar(() = $err =~ /54000: PNG image of 10000 x 9999 pixels takes more memory to decode than there is/g),
    2, 'an image that takes more memory than there is') or diag $err;
like($err, qr/HINT:  A superuser can raise "lookalike.worker_memory"/, '... with a hint');
is($out, "64\n\n10000|9999\n1|1|2", '... is refused from its header, by the worker that goes on');

# Memory that only trying tells: whether it is the image's fault, a fresh worker says.
my $little = q{SET lookalike.worker_memory = '64MB'};
($out, $err) = session($little, features('good'), features('clear'), features('good'),
    or_null('clear'), or_null('good'), $starts);
is(scalar(() = $err =~ /54000: PNG image of 4000 x 3900 pixels takes more memory/g), 1,
    'a decoder that runs out of memory') or diag $err;
is($out, "64\n64\n\n64\n3|1|1", '... costs one start of a worker');
($out, $err) = session(features('clear'));
is($out, '64', '... where there is more memory, it is an image as any other') or diag $err;

# Time that the file tells, and time that only trying tells.
my $begin = time;
($out, $err) = session(features('good'), features('many_scans'), or_null('many_scans'), $starts);
like($err, qr/54000: JPEG image of 4096 x 4096 pixels in 10000 scans takes too long to decode/,
    'a JPEG of thousands of scans');
is($out, "64\n\n1|1|1", '... is refused before it is decoded');
($out, $err) = session(features('few_scans'), 'SET lookalike.image_timeout = 40',
    features('few_scans'), or_null('few_scans'), features('good'), $starts);
like($err, qr/54000: image takes more than 40 ms of processor time to decode/,
    'an image that takes too long') or diag $err;
is($out, "64\n\n64\n3|1|1", '... costs one start of a worker');

# The other formats.
for my $name (qw(tiff webp jpeg2000)) {
    ($out, $err) = session(features($name), or_null($name), features('good'),
        'SELECT worker_starts <= 2 FROM image_worker_stats()');
    like($err, qr/^psql:<stdin>:\d+: ERROR:  (?:22P03|54000|0A000): /, "$name: an error of the image");
    is($out, "\n64\nt", '... which gives NULL, and the session goes on');
}

# All the rows of a statement but one.
my $hostile = q{name IN ('good', 'deep', 'many_scans', 'few_scans', 'clear')};
my $limits = "$little; SET lookalike.image_timeout = 40";
($out, $err) = session($limits,
    "SELECT name FROM pictures WHERE $hostile AND image_features_or_null(photo, 'phash') IS NOT NULL",
    'CREATE TABLE kept (name text, photo bytea, features descriptor)',
    q{CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON kept FOR EACH ROW
        EXECUTE FUNCTION image_features_trigger('photo', 'features', 'phash', 'null')},
    "INSERT INTO kept SELECT * FROM pictures WHERE $hostile",
    'SELECT name FROM kept WHERE features IS NOT NULL', 'SELECT count(*) FROM kept');
is($out, "good\ngood\n5", 'a statement goes on without the features of such images') or diag $err;

# Batches say which.
sub batch { return 'SELECT count(f) FROM image_features_batch(ARRAY[' . join(', ',
        map { $_ ? "(SELECT photo FROM pictures WHERE name = '$_')" : 'NULL' } @_) . "], 'phash') AS f" }
for my $case ([ 'deep', 2, 'good', 'deep', 'good' ], [ 'few_scans', 4, 'good', '', 'good', 'few_scans' ],
    [ 'clear', 34, ('good') x 33, 'clear' ]) {
    my ($name, $place, @names) = @$case;
    ($out, $err) = session($limits, batch(@names), batch('good', 'good'));
    like($err, qr/54000: .*CONTEXT:  element $place of the images/s, "a batch with '$name' says which it is")
      or diag $err;
    is($out, '2', '... and the next one is fine');
}

# A network that is slow, and a worker that gets no time, are nobody's fault but the server's.
# 1024 x 1024 pixels through 200 steps take more than 100 ms.
$node->safe_psql('postgres', "SELECT register_image_model('slow', 1, '\\x" . slow_onnx(200)
      . "', 1024, 1024, '{0,0,0}', '{255,255,255}', normalized => false)");
($out, $err) = session(or_null('good', 'net:slow@1'), 'SET lookalike.image_timeout = 50',
    or_null('good', 'net:slow@1'), 'SET lookalike.worker_timeout = 50', or_null('good', 'net:slow@1'));
is($out, "3\n3", 'the time of a network is not the image\'s');
like($err, qr/38L01/, '... and its time-out is an error');
{
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_safe("SET lookalike.image_cache_size = 0; SET lookalike.image_timeout = 100;
        SET lookalike.worker_timeout = 1500");
    $session->query_safe(features('good'));
    my $worker = $session->query_safe('SELECT worker_pid FROM image_worker_stats()');
    kill 'STOP', $worker + 0;
    $session->query("DO \$\$ BEGIN PERFORM image_features_or_null(photo) FROM pictures WHERE name = 'good';
        RAISE NOTICE 'hidden'; EXCEPTION WHEN OTHERS THEN PERFORM set_config('test.state', SQLSTATE, false); END \$\$");
    is($session->query_safe("SELECT current_setting('test.state')"), '38L01',
        'a worker that gets no processor time is not the image\'s fault');
    $session->quit;
}

cmp_ok(time - $begin, '<', 120, 'none of it took its time');
$node->stop;
done_testing();
