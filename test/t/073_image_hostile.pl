# A worker that was taken over: a program in its place answers whatever it likes. Every answer that
# makes no sense ends in an ERROR, and the backend lives.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('image_hostile');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lookalike');

# The library starts the worker that lies beside it, so a copy of it starts another one. The "image"
# says how to answer.
my $folder = $node->basedir . '/fake';
mkdir $folder or die $!;
my $pkglibdir = `pg_config --pkglibdir`;
chomp $pkglibdir;
system('cp', "$pkglibdir/lookalike.so", $folder);
open my $handle, '>', "$folder/lookalike-worker" or die $!;
print $handle <<'END';
#!/usr/bin/perl
use strict;
use warnings;
open my $socket, '+<&=', 3 or die $!;
open my $shared, '+<&=', 4 or die $!;
binmode $shared;
sub at { my ($offset, $length) = @_;
    sysseek $shared, $offset, 0; sysread $shared, my $bytes, $length; return $bytes }
sub put { my ($offset, $bytes) = @_; sysseek $shared, $offset, 0; syswrite $shared, $bytes }
while (defined recv $socket, my $request, 96, 0) {
    exit if !length $request;
    my ($magic, $version, $kind, $id, $images, undef, $result, $room) = unpack 'LSSQQQQQ', $request;
    my %reply = (magic => $magic, version => $version, kind => $kind, id => $id, status => 1,
        error => 0, text => 'PNM', list_count => 0, step => 0, steps => 0);
    my %result = (byte_count => 12, kind => 0, dims => 3, width => 4, height => 4, channels => 3,
        orientation => 1, elements => pack('f*', 1, 2, 3));
    my $text_bytes;
    my $change = $kind == 1 ? '' : at(unpack 'QQ', at($images, 16));
    eval "$change; 1" or die $@;
    put($result, pack('QLLLLLlQ4', @result{qw(byte_count kind dims width height channels orientation)},
        (0) x 4) . $result{elements});
    send $socket, pack('LSSQSSLLLQQ', @reply{qw(magic version kind id status)}, 0, $reply{error},
        $text_bytes // length $reply{text}, @reply{qw(list_count step steps)}) . $reply{text}, 0;
}
END
close $handle;
chmod 0755, "$folder/lookalike-worker";

# A session that has loaded the copy only: the type's own functions live in the real library.
sub answer {
    my ($call, $change) = @_;
    my ($out, $err);
    $node->psql('postgres', qq{
        BEGIN;
        CREATE FUNCTION pg_temp.features(bytea, text) RETURNS descriptor
            AS '$folder/lookalike', 'image_features' LANGUAGE C STRICT;
        CREATE FUNCTION pg_temp.or_null(bytea, text) RETURNS descriptor
            AS '$folder/lookalike', 'image_features_or_null' LANGUAGE C STRICT;
        CREATE FUNCTION pg_temp.batch(bytea[], text) RETURNS SETOF descriptor
            AS '$folder/lookalike', 'image_features_batch' LANGUAGE C STRICT;
        CREATE FUNCTION pg_temp.thumbnail(bytea, int) RETURNS bytea
            AS '$folder/lookalike', 'image_thumbnail' LANGUAGE C STRICT;
        CREATE FUNCTION pg_temp.info(bytea, OUT text, OUT int, OUT int, OUT int, OUT int)
            AS '$folder/lookalike', 'image_info' LANGUAGE C STRICT;
        CREATE FUNCTION pg_temp.locals(bytea, text, int, boolean) RETURNS local_features
            AS '$folder/lookalike', 'image_local_features' LANGUAGE C STRICT;
        CREATE FUNCTION pg_temp.local_batch(bytea[], text, int, boolean) RETURNS SETOF local_features
            AS '$folder/lookalike', 'image_local_features_batch' LANGUAGE C STRICT;
        CREATE FUNCTION pg_temp.out(local_features) RETURNS cstring
            AS '$folder/lookalike', 'local_features_out' LANGUAGE C STRICT;
        COMMIT;
        SET lookalike.worker_timeout = 2000;
        SELECT $call;
        SELECT $call;
        SELECT 'alive'},
        stdout => \$out, stderr => \$err, on_error_stop => 0,
        extra_params => [ '-v', 'VERBOSITY=verbose', '-v', "change=$change" ]);
    return ($out, join ' ', $err =~ /ERROR:\s+(\w+):/g);
}

my $features = q{pg_temp.features(convert_to(:'change', 'UTF8'), 'x') IS NOT NULL};
my $batch = q{count(*) FROM pg_temp.batch(ARRAY[convert_to(:'change', 'UTF8'), 'second'], 'x')};
my $or_null = $features =~ s/features/or_null/r;
my $locals = q{pg_temp.out(pg_temp.locals(convert_to(:'change', 'UTF8'), 'orb', 2, false))};
my $local_batch = q{count(*) FROM pg_temp.local_batch(ARRAY[convert_to(:'change', 'UTF8'), 'second'], 'orb', 2, false)};
my $info = q{pg_temp.info(convert_to(:'change', 'UTF8'))};
my $thumbnail = q{length(pg_temp.thumbnail(convert_to(:'change', 'UTF8'), 10))};

is_deeply([ answer($features, '') ], [ "t\nt\nalive", '' ], 'a sound answer');
is_deeply([ answer($or_null, '@reply{qw(status error text)} = (3, 5, "unreadable")') ], [ "f\nf\nalive", '' ],
    'image_features_or_null() of an image that cannot be read');
is_deeply([ answer($info, '') ], [ "(PNM,4,4,3,1)\n(PNM,4,4,3,1)\nalive", '' ], '... to image_info()');
is_deeply([ answer($thumbnail, '') ], [ "12\n12\nalive", '' ], '... to image_thumbnail()');

# Local features: a header, then columns. The worker writes them for each image of a request.
sub local_value { my ($header, $columns, $byte_count) = @_;
    $columns //= '""';
    return "\$result{elements} = pack('C4L3', $header) . $columns; "
      . '$result{byte_count} = ' . ($byte_count // 'length $result{elements}') }
my $two = '"\0" x 64 . pack("S4C6", 1, 2, 3, 4, 0, 0, 0, 0, 9, 8)';
my $two_text = 'orb@1 4x3 {(1,3,0,0,9,' . '0' x 64 . '),(2,4,0,0,8,' . '0' x 64 . ')}';
is_deeply([ answer($locals, local_value('1,1,0,0,0,4,3')) ], [ "orb\@1 4x3 {}\norb\@1 4x3 {}\nalive", '' ],
    '... to image_local_features()');
is_deeply([ answer($locals, local_value('1,1,0,0,2,4,3', $two)) ], [ "$two_text\n$two_text\nalive", '' ],
    '... with as many as were wanted');

my @nonsense = (
    [ $locals, local_value('1,1,0,0,0,4,3', '""', 0), '39000' ],
    [ $locals, local_value('1,1,0,0,0,4,3', '""', 15), '39000' ],
    [ $locals, local_value('1,1,0,0,0,4,3', '""', '1 << 40'), '39000' ],
    [ $locals, local_value('1,1,0,0,0,4,3', '""', -1), '39000' ],
    [ $locals, local_value('0,1,0,0,0,4,3'), '39000' ],
    [ $locals, local_value('2,1,0,0,0,4,3'), '39000' ],
    [ $locals, local_value('3,1,0,0,0,4,3'), '39000' ],
    [ $locals, local_value('1,3,0,0,0,4,3'), '39000' ],
    [ $locals, local_value('1,1,2,0,0,4,3'), '39000' ],
    [ $locals, local_value('1,1,0,1,0,4,3'), '39000' ],
    [ $locals, local_value('1,1,0,0,0,0,3'), '39000' ],
    [ $locals, local_value('1,1,0,0,3,4,3', "$two . '0' x 39"), '39000' ],
    [ $locals, local_value('1,1,0,0,4294967295,4,3', $two), '39000' ],
    [ $locals, local_value('1,1,0,0,2,4,3'), '39000' ],
    [ $locals, local_value('1,1,0,0,2,4,3', "substr($two, 1)"), '39000' ],
    [ $locals, local_value('1,1,0,0,2,1,60000', $two), '39000' ],
    [ $locals, local_value('1,1,0,0,2,4,3', $two =~ s/9, 8/8, 9/r), '39000' ],
    # One value, where there are two images.
    [ $local_batch, local_value('1,1,0,0,0,4,3'), '39000' ],
    [ $local_batch, local_value('1,1,0,0,2,4,3', $two), '39000' ],
    [ $features, '$reply{magic} = 1', '39000' ],
    [ $features, '$reply{version} = 9', '39000' ],
    [ $features, '$reply{id} += 1', '39000' ],
    [ $features, '$reply{kind} = 3', '39000' ],
    [ $features, '$reply{status} = 7', '39000' ],
    [ $features, '$text_bytes = 4000000000', '39000' ],
    [ $features, '$text_bytes = 2', '39000' ],
    [ $features, '$reply{text} = "x" x 5000', '39000' ],
    [ $features, '$result{kind} = 7', '39000' ],
    [ $features, '$result{kind} = 1', '39000' ],
    [ $features, '$result{dims} = 0', '39000' ],
    [ $features, '$result{dims} = 4000000000', '39000' ],
    [ $features, '$result{dims} = 2', '39000' ],
    [ $features, '$result{byte_count} = 8', '39000' ],
    [ $features, '$result{byte_count} = 1 << 40', '39000' ],
    [ $features, '$result{byte_count} = -1', '39000' ],
    [ $features, '$result{elements} = pack("f*", 1, "nan", 3)', '39000' ],
    [ $features, '$result{elements} = pack("f*", 1, 2, "inf")', '39000' ],
    [ $features, '@result{qw(kind dims byte_count elements)} = (2, 3, 1, "\xff")', '39000' ],
    [ $thumbnail, '$result{byte_count} = 1 << 40', '39000' ],
    [ $thumbnail, '$result{byte_count} = -1', '39000' ],
    [ $info, '$result{width} = 4000000000', '39000' ],
    [ $info, '$result{orientation} = 9', '39000' ],
    [ $info, '$result{channels} = 1 << 30', '39000' ],
    # Refusals of its own making, networks, and progress that nobody asked for.
    [ $features, '@reply{qw(status error text)} = (3, 99, "?")', '38000' ],
    [ $features, '@reply{qw(status error text)} = (3, 6, "%s%n\xff\x1b[2J")', '0A000' ],
    [ $features, '@reply{qw(status error text)} = (3, 11, "no\@1")', '42704' ],
    [ $features, '@reply{qw(status error text)} = (3, 12, "out of memory")', '54000' ],
    [ $features, '@reply{qw(status error text)} = (3, 13, "needs memory")', '54000' ],
    [ $features, '@reply{qw(status error text)} = (3, 14, "slow")', '54000' ],
    [ $batch, 'send($socket, pack("LSSQSSLLLQQ", $magic, $version, $kind, $id, 2, 0, 0, 0, 0, 1, 9), 0) for 1 .. 9; @reply{qw(status error text)} = (3, 5, "the tenth of two")', '22P03' ],
    [ $features, 'exit 3', '38000' ],
    [ $features, 'kill 11, $$', '38000' ],
    [ $features, 'sleep 20', '38L01' ],
    # Not the image's fault, so these are errors here too.
    [ $or_null, 'exit 3', '38000' ],
    [ $or_null, '$reply{id} += 1', '39000' ],
    [ $or_null, '@reply{qw(status error text)} = (3, 3, "")', '53200' ],
    [ $features, '@reply{qw(status step steps)} = (2, 2, 1)', '39000' ],
    [ $features, 'close $socket; sleep 20', '38000' ],
);
for my $case (@nonsense) {
    my ($call, $change, $state) = @$case;
    my ($out, $states) = answer($call, $change);
    is("$out $states", "alive $state $state", $change);
}
my ($out, $states) = answer($features,
    'send($socket, pack("LSSQSSLLLQQ", $magic, $version, $kind, $id, 2, 0, 0, 0, 0, 1, 2), 0) while 1');
is($states, '38L01 38L01', 'endless progress');

is($node->safe_psql('postgres', q{SELECT descriptor_dims(image_features('\x50360a3120310a3235350aff0000',
    'phash'))}), '64', 'the real one works');
$node->stop;
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'the server saw no crash');
done_testing();
