# What the tests of images share: pictures and a network made by hand, and the processes of a server's workers.
package ImageTest;
use strict;
use warnings;

use Compress::Zlib qw(compress crc32);
use Exporter 'import';
use File::Basename qw(dirname);
use Time::HiRes qw(usleep);

our @EXPORT = qw(corpus onnx slow_onnx text_onnx png png_file jpeg_of_scans tiff_of_one_strip webp_header jpeg2000_header slurp_or_empty verbose_error worker_processes has_ended launcher_of warm_parent_of wait_until);

# A picture that the fuzzers start from.
sub corpus { my ($name) = @_;
    return dirname(__FILE__) . "/../fuzz/corpus/image_fuzz/$name" }

# ONNX by hand. A field is its number, wire type and content.
sub varint { my ($n) = @_;
    return $n < 128 ? chr $n : chr($n % 128 + 128) . varint(int($n / 128)) }
sub number { my ($field, $value) = @_; return varint($field * 8) . varint($value) }
sub bytes { my ($field, $value) = @_;
    return varint($field * 8 + 2) . varint(length $value) . $value }
sub tensor { my ($name, @dims) = @_;
    my $shape = join '', map { bytes(1, number(1, $_)) } @dims;
    return bytes(1, $name) . bytes(2, bytes(1, number(1, 1) . bytes(2, $shape))) }

sub node { my ($op, $inputs, $output) = @_;
    return bytes(1, join('', map { bytes(1, $_) } @$inputs) . bytes(2, $output)
          . bytes(3, $output) . bytes(4, $op)) }
# Of pictures of `$side` pixels a side, with 3 dimensions.
sub network { my ($side, @nodes) = @_;
    my $graph = join('', @nodes) . bytes(2, 'means') . bytes(11, tensor('input', 1, 3, $side, $side))
      . bytes(12, tensor('output', 1, 3));
    return unpack 'H*', number(1, 7) . bytes(7, $graph) . bytes(8, number(2, 11)) }

# The mean of each channel. With `$twice` it is added to itself.
sub onnx {
    my ($twice) = @_;
    return network(8, node('GlobalAveragePool', ['input'], 'pooled'), $twice
        ? (node('Flatten', ['pooled'], 'flat'), node('Add', [ 'flat', 'flat' ], 'output'))
        : node('Flatten', ['pooled'], 'output'));
}

# The same of pictures of 1024 pixels a side, by a detour of `$steps` steps, each of about a millisecond.
sub slow_onnx {
    my ($steps) = @_;
    return network(1024, node('Abs', ['input'], 'step0'),
        (map { node('Abs', [ 'step' . ($_ - 1) ], "step$_") } 1 .. $steps),
        node('GlobalAveragePool', ["step$steps"], 'pooled'), node('Flatten', ['pooled'], 'output'));
}

# Of texts of 8 tokens: a row (n, 1, n * n) for the token of number n, of 6. They make a detour of `$steps` steps.
sub text_onnx {
    my ($steps) = @_;
    my $rows = pack('f<*', map { ($_, 1, $_ * $_) } 0 .. 5);
    my $ids = bytes(1, 'ids') . bytes(2, bytes(1, number(1, 7)
          . bytes(2, join '', map { bytes(1, number(1, $_)) } 1, 8)));
    my $graph = node('Gather', [ 'table', 'ids' ], 'step0')
      . join('', map { node('Abs', [ 'step' . ($_ - 1) ], "step$_") } 1 .. $steps)
      . bytes(2, 'rows') . bytes(5, number(1, 6) . number(1, 3) . number(2, 1) . bytes(8, 'table') . bytes(9, $rows))
      . bytes(11, $ids) . bytes(12, tensor("step$steps", 1, 8, 3));
    return unpack 'H*', number(1, 7) . bytes(7, $graph) . bytes(8, number(2, 13));
}

sub chunk { my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data . pack('N', crc32($type . $data)) }

# Any PNG; `$rows` of its `$height` rows are there.
sub png_file {
    my ($width, $height, $rows, $bits, $colour_type, $pixel) = @_;
    my $row = "\0" . $pixel x $width;
    my $stream = Compress::Zlib::deflateInit(-Level => 1);
    my $data = '';
    $data .= $stream->deflate($row) for 1 .. $rows;
    $data .= $stream->flush;
    return unpack('H*', "\x89PNG\r\n\x1a\n"
          . chunk('IHDR', pack('NNCCCCC', $width, $height, $bits, $colour_type, 0, 0, 0))
          . chunk('IDAT', $data)
          . chunk('IEND', ''));
}

# One in one colour.
sub png { my ($width, $height, $rows) = @_;
    return png_file($width, $height, $rows, 8, 2, "\x30\x90\xc0") }

# A progressive grey JPEG of so many scans, each of which goes through all blocks and changes nothing.
sub jpeg_of_scans {
    my ($side, $scans) = @_;
    my $segment = sub { my ($marker, $content) = @_;
        return pack('CCn', 0xff, $marker, 2 + length $content) . $content };
    my $table = sub { my ($class, $symbol) = @_;
        return $segment->(0xc4, pack('C', $class << 4) . "\1" . "\0" x 15 . chr $symbol) };
    my $blocks = ($side / 8)**2;
    my $dc = $segment->(0xda, "\1\1\0\0\0\0") . "\0" x ($blocks / 8 + 1);
    # Runs of 16,384 blocks that end, each 15 bits of zero.
    my $ac = $segment->(0xda, "\1\1\0\1\x3f\0") . "\0" x (($blocks / 16384 + 1) * 15 / 8 + 1);
    return unpack('H*', "\xff\xd8" . $segment->(0xdb, "\0" . "\1" x 64)
          . $segment->(0xc2, pack('CnnC', 8, $side, $side, 1) . "\1\x11\0")
          . $table->(0, 0) . $table->(1, 0xe0) . $dc . $ac x ($scans - 1) . "\xff\xd9");
}

# Large pictures of other formats, with hardly anything behind their headers.
sub tiff_of_one_strip {
    my ($side, $bits) = @_;
    my @tags = ([ 256, 4, $side ], [ 257, 4, $side ], [ 258, 3, $bits ], [ 259, 3, 1 ],
        [ 262, 3, 1 ], [ 273, 4, 8 ], [ 277, 3, 1 ], [ 278, 4, $side ],
        [ 279, 4, $side * $side * $bits / 8 ]);
    return unpack('H*', pack('a2vVv', 'II', 42, 8, scalar @tags)
          . join('', map { pack('vvVV', $_->[0], $_->[1], 1, $_->[2]) } @tags) . pack('V', 0));
}
sub webp_header { my ($side) = @_;
    return unpack('H*', pack('a4Va4a4VCVa11', 'RIFF', 28, 'WEBP', 'VP8L', 16, 0x2f,
        $side - 1 | $side - 1 << 14 | 1 << 28, "\0" x 11)) }
sub jpeg2000_header { my ($side) = @_;
    return unpack('H*', "\xff\x4f\xff\x51" . pack('nnN8n', 47, 0, $side, $side, 0, 0, $side, $side, 0, 0, 3)
          . "\7\1\1" x 3 . "\xff\xd9") }

# What psql says of statements that fail, with SQLSTATEs.
sub verbose_error {
    my ($node, $database, $statements) = @_;
    my ($out, $err);
    $node->psql($database, $statements, stdout => \$out, stderr => \$err,
        extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    return $err;
}

sub slurp_or_empty { my ($file) = @_;
    open my $handle, '<', $file or return '';
    local $/;
    return <$handle> // '' }

# Of this server, the warm parent among them; processes that have ended do not count.
sub worker_processes {
    my ($node) = @_;
    my $data = $node->data_dir;
    return grep { (readlink("/proc/$_/cwd") // '') eq $data
          && (readlink("/proc/$_/exe") // '') =~ /lookalike-worker/ }
      map { m{/proc/(\d+)} } glob('/proc/[0-9]*');
}

# Its descriptors are closed by then, which others may still find open when its program is gone.
sub has_ended { my ($pid) = @_;
    return slurp_or_empty("/proc/$pid/stat") !~ /^\d+ \(.*\) [^ZX]/s }

sub launcher_of {
    my ($node) = @_;
    my ($launcher) = grep { slurp_or_empty("/proc/$_/cmdline") =~ /lookalike launcher/
          && (readlink("/proc/$_/cwd") // '') eq $node->data_dir }
      map { m{/proc/(\d+)} } glob('/proc/[0-9]*');
    return $launcher;
}

sub warm_parent_of {
    my ($node) = @_;
    my $launcher = launcher_of($node) // return;
    my ($parent) = grep { slurp_or_empty("/proc/$_/stat") =~ /^\d+ \(.*\) \S $launcher /s }
      worker_processes($node);
    return $parent;
}

# True as soon as the code gives something true; false after so many seconds.
sub wait_until {
    my ($code, $seconds) = @_;
    for (1 .. 50 * ($seconds // 30)) {
        return 1 if $code->();
        usleep(20_000);
    }
    return 0;
}

1;
