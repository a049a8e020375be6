# What the tests of images share: pictures and a network made by hand, and the processes of a server's workers.
package ImageTest;
use strict;
use warnings;

use Compress::Zlib qw(compress crc32);
use Exporter 'import';
use File::Basename qw(dirname);
use Time::HiRes qw(usleep);

our @EXPORT = qw(corpus onnx slow_onnx png slurp_or_empty worker_processes has_ended launcher_of warm_parent_of wait_until);

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

sub chunk { my ($type, $data) = @_;
    return pack('N', length $data) . $type . $data . pack('N', crc32($type . $data)) }

# A PNG in one colour; `$rows` of its `$height` rows are there.
sub png {
    my ($width, $height, $rows) = @_;
    my $pixels = ("\0" . "\x30\x90\xc0" x $width) x $rows;
    return unpack('H*', "\x89PNG\r\n\x1a\n"
          . chunk('IHDR', pack('NNCCCCC', $width, $height, 8, 2, 0, 0, 0))
          . chunk('IDAT', compress($pixels, 9))
          . chunk('IEND', ''));
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
