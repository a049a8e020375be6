# Damaged pages: a statement gives an answer or an error, the server never crashes and no statement
# runs for ever. Bytes of every kind of page are changed in the file, offline, without checksums.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{LOOKALIKE_CORRUPTIONS} // 16;
my $page_bytes = 8192;
srand($ENV{LOOKALIKE_SEED} // 7);

my $node = without_checksums(start_node('corruption', "statement_timeout = '20s'"));
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE tree (id serial, d descriptor(16));
    INSERT INTO tree (d) SELECT made_up(i, 16, 30) FROM generate_series(1, 3000) AS i;
    CREATE INDEX tree_d ON tree USING faiss (d) WITH (lists = 12);
    CREATE TABLE wide (id serial, d descriptor(2100));
    INSERT INTO wide (d) SELECT made_up(i, 2100) FROM generate_series(1, 120) AS i;
    CREATE INDEX wide_d ON wide USING faiss (d descriptor_cosine_ops) WITH (lists = 2, refine = 'half');
    CREATE TABLE bits (id serial, d descriptor(96, bit));
    INSERT INTO bits (d) SELECT made_up_bits(i, 96) FROM generate_series(1, 2500) AS i;
    CREATE INDEX bits_d ON bits USING faiss (d descriptor_hamming_ops) WITH (lists = 4);
    INSERT INTO tree (d) SELECT NULL FROM generate_series(1, 2000);
    INSERT INTO wide (d) VALUES (NULL), (array_fill(0, ARRAY[2100])::real[]::descriptor);
    INSERT INTO bits (d) VALUES (NULL);
    CHECKPOINT;
});

my @indexes = (
    { table => 'tree', operator => '<->', more => 'made_up(1, 16, 30)' },
    { table => 'wide', operator => '<=>', more => 'made_up(1, 2100)' },
    { table => 'bits', operator => '<~>', more => 'made_up_bits(1, 96)' });
for my $index (@indexes) {
    $index->{path} = $node->data_dir . '/'
      . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$index->{table}_d')");
}
$node->stop;
$_->{bytes} = slurp_file($_->{path}) for @indexes;

# Page kinds by the numbers of core/page_format.h.
my @kinds = qw(none meta vector list code refine free);
my %seen;
sub kind_of {
    my ($bytes, $block) = @_;
    return ord(substr($bytes, $block * $page_bytes + $page_bytes - 4, 1));
}
for my $index (@indexes) {
    push @{ $index->{blocks}{ kind_of($index->{bytes}, $_) } }, $_
      for 0 .. length($index->{bytes}) / $page_bytes - 1;
    $seen{ $kinds[$_] } = 1 for keys %{ $index->{blocks} };
}
is_deeply([ sort keys %seen ], [qw(code list meta refine vector)], 'every kind of page is there');

sub write_file {
    my ($path, $bytes) = @_;
    open my $file, '>:raw', $path or die;
    print $file $bytes;
    close $file;
}

# One bit of a slot within its page is found by the search that reads it.
{
    my $tree = $indexes[0];
    my ($refine) = grep { $kinds[$_] eq 'refine' } keys %{ $tree->{blocks} };
    my @blocks = @{ $tree->{blocks}{$refine} };
    for my $round (1 .. 4) {
        my $block = $blocks[ int rand @blocks ];
        my $at = $block * $page_bytes + 24 + int rand 8 + 12 + 128;
        my $damaged = $tree->{bytes};
        substr($damaged, $at, 1) = chr(ord(substr($damaged, $at, 1)) ^ 1 << int rand 8);
        write_file($tree->{path}, $damaged);
        $node->start;
        my (undef, undef, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n" . by_index(
            'SELECT count(*) FROM (SELECT id FROM tree ORDER BY d <-> (SELECT made_up(1, 16, 30))) AS x'));
        like($err, qr/XX002: index "tree_d" is corrupted at block $block.*a refine slot is damaged/s,
            "a bit in a slot of block $block");
        $node->stop;
        write_file($tree->{path}, $tree->{bytes});
    }
}

# Changes to a page that fell upon someone's mind, then chance.
sub damage {
    my ($index, $kind, $round) = @_;
    my $blocks = $index->{blocks}{$kind};
    my $block = $blocks->[ int rand @$blocks ];
    my $start = $block * $page_bytes;
    my $trailer = $start + $page_bytes - 16;
    my @changes = (
        [ 'trailer.list_id', $trailer, pack('V', int rand 20) ],
        [ 'trailer.next to itself', $trailer + 4, pack('V', $block) ],
        [ 'trailer.next to nowhere', $trailer + 4, pack('V', 0xffffffff) ],
        [ 'trailer.next beyond the end', $trailer + 4, pack('V', 1_000_000) ],
        [ 'trailer.next to some page', $trailer + 4, pack('V', int rand 30) ],
        [ 'trailer.owner', $trailer + 8, pack('V', int rand 30) ],
        [ 'trailer.kind', $trailer + 12, pack('C', int rand 9) ],
        [ 'trailer.version', $trailer + 13, pack('C', 77) ],
        [ 'trailer.page_id', $trailer + 14, pack('v', 0) ],
        [ 'header of the body', $start + 24, join '', map { chr int rand 256 } 1 .. 16 ],
        [ 'block links', $start + 32 + 4 * int(rand 20), pack('V', $block) ],
        [ 'one byte of the first 200', $start + 24 + int(rand 200), chr int rand 256 ],
        [ 'some bytes', $start + 24 + int(rand 8000), join '', map { chr int rand 256 } 1 .. 100 ],
        [ 'all ones', $start + 24, "\xff" x ($page_bytes - 40) ],
        [ 'all of the body', $start + 24, join '', map { chr int rand 256 } 1 .. $page_bytes - 40 ],
        [ 'zeroed', $start, "\0" x $page_bytes ],
    );
    my ($what, $at, $bytes) = @{ $changes[ $round % @changes ] };
    my $damaged = $index->{bytes};
    substr($damaged, $at, length $bytes) = $bytes;
    write_file($index->{path}, $damaged);
    return "$index->{table}: $kinds[$kind] page, block $block, $what";
}

my (%codes, @unexpected);
for my $round (0 .. $rounds - 1) {
    my @done;
    for my $index (@indexes) {
        my @there = sort keys %{ $index->{blocks} };
        push @done, damage($index, $there[ int($round / 2) % @there ], int(rand 16));
    }
    $node->start;
    for my $i (0 .. $#indexes) {
        my ($table, $operator, $more) = @{ $indexes[$i] }{qw(table operator more)};
        my @statements = (
            "SELECT count(*) FROM (SELECT id FROM $table ORDER BY d $operator (SELECT $more) LIMIT 10) AS x",
            "SELECT count(*) FROM (SELECT id FROM $table ORDER BY d $operator (SELECT $more)) AS x",
            "SELECT count(*) FROM (SELECT id FROM $table ORDER BY d $operator NULL) AS x",
            "INSERT INTO $table (d) SELECT $more FROM generate_series(1, 60)",
            "INSERT INTO $table (d) VALUES (NULL)",
            "DELETE FROM $table WHERE id % 3 = 1",
            "VACUUM (INDEX_CLEANUP on) $table",
            "SELECT count(*) FROM (SELECT id FROM $table ORDER BY d $operator (SELECT $more)) AS x",
        );
        my ($status, $out, $err) = $node->psql('postgres',
            "\\set VERBOSITY verbose\n" . by_index(join ";\n", @statements),
            on_error_stop => 0);
        for my $error ($err =~ /ERROR:\s+([^\n]*)/g) {
            my ($code) = $error =~ /^(\w{5})/;
            $codes{$code}++;
            # A wrong bound may show as a wrong order: also those of an undamaged page, as rounds before
            # have put other rows into the table's places.
            push @unexpected, "$done[$i]: $error\n"
              unless $code =~ /^XX00[12]$|^0A000$/
              || $error =~ /index returned tuples in wrong order/;
        }
        push @unexpected, "$done[$i]: psql ended with $status: $err\n" if $status == 2;
    }
    $node->stop('fast');
}
is("@unexpected", '', 'statements answer, or say that the index is corrupted');
cmp_ok($codes{XX002} // 0, '>', $rounds / 4, 'damage is found') or diag explain \%codes;
note explain \%codes;
unlike(slurp_file($node->logfile), qr/was terminated by signal|PANIC/, 'no process crashed');
done_testing();
