# faiss_index_calibrate reads the index alone, which tells its rows nearly exactly: of rows that have
# not changed it measures what the build did. Without refine codes it reads the table.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('entries', 'jit = off');

# Around centres, so that their mean is not zero: by the inner product a query is not what it is as
# a row. Wide rows have slots that run over pages, wide bits have codes outside of list pages.
$node->safe_psql(
    'postgres', q{
    SELECT setseed(0.4);
    CREATE TABLE few (id serial, d descriptor(32));
    INSERT INTO few (d) SELECT made_up(i, 32, 6) FROM generate_series(1, 4000) AS i;
    INSERT INTO few (d) SELECT NULL FROM generate_series(1, 40);
    CREATE TABLE wide (id serial, d descriptor(2100));
    INSERT INTO wide (d) SELECT made_up(i, 2100, 6) FROM generate_series(1, 400) AS i});

my $bits = 'binary_quantize(d)::descriptor(%d, bit)';
my @cases = (
    # name, table, column, operator class, operator, options
    [ 'l2', 'few', 'd', 'descriptor_l2_ops', '<->', q{refine = 'float'} ],
    [ 'cosine', 'few', 'd', 'descriptor_cosine_ops', '<=>', q{refine = 'int8'} ],
    [ 'ip', 'few', 'd', 'descriptor_ip_ops', '<#>', q{refine = 'int8'} ],
    [ 'ip_half', 'few', 'd', 'descriptor_ip_ops', '<#>', q{refine = 'half'} ],
    [ 'hamming', 'few', sprintf($bits, 32), 'descriptor_hamming_ops', '<~>', '' ],
    [ 'jaccard', 'few', sprintf($bits, 32), 'descriptor_jaccard_ops', '<%>', '' ],
    [ 'none', 'few', 'd', 'descriptor_l2_ops', '<->', q{refine = 'none'} ],
    [ 'wide_l2', 'wide', 'd', 'descriptor_l2_ops', '<->', q{refine = 'int8'} ],
    [ 'wide_ip', 'wide', 'd', 'descriptor_ip_ops', '<#>', q{refine = 'float'} ],
    [ 'wide_bits', 'wide', sprintf($bits, 2100), 'descriptor_hamming_ops', '<~>', '' ],
);

# The rows that a typical row has within the distances of a tenth and a half of the pairs.
sub shares
{
    my ($index, $table, $column, $operator) = @_;
    return split /,/, $node->safe_psql(
        'postgres', qq{
        SELECT string_agg(faiss_expected_rows('$index', distance)::text, ',' ORDER BY distance)
          FROM (SELECT unnest(percentile_cont(ARRAY[0.1, 0.5]) WITHIN GROUP (ORDER BY a $operator b)) AS distance
                  FROM (SELECT $column AS a FROM $table WHERE id <= 40) AS a,
                       (SELECT $column AS b FROM $table WHERE id BETWEEN 41 AND 300) AS b) AS s});
}

sub recall_of
{
    my ($index) = @_;
    return $node->safe_psql('postgres',
        "SELECT round(recall::numeric, 3) FROM faiss_index_recall('$index', 150)");
}

# Bytes of the calibration on the meta page (docs/INDEX_FORMAT.md).
sub calibration_bytes
{
    my ($index, $offset, $length) = @_;
    my $from = 24 + 192 + $offset;
    return pack 'H*', $node->safe_psql('postgres', qq{
        CHECKPOINT;
        SELECT encode(pg_read_binary_file(pg_relation_filepath('$index'), $from, $length), 'hex')});
}

sub rows_measured { return unpack 'Q', calibration_bytes(@_, 104, 8) }

# How far the nearest, the 10th, 100th and 1,000th nearest other row is.
sub rank_distances { return unpack 'f4', calibration_bytes(@_, 184, 16) }

for my $case (@cases)
{
    my ($index, $table, $column, $class, $operator, $options) = @$case;
    my $with = join ', ', 'lists = 40', $options || ();
    $node->safe_psql('postgres', "CREATE INDEX $index ON $table USING faiss (($column) $class) WITH ($with)");
    my @built = shares($index, $table, $column, $operator);
    my @built_ranks = rank_distances($index);
    my $recall_built = recall_of($index);
    my $seen = $node->safe_psql(
        'postgres', qq{
        BEGIN;
        SELECT faiss_index_calibrate('$index');
        SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = '$table';
        COMMIT});
    my ($queries, $rows_read) = split /\n/, $seen;
    cmp_ok($queries, '>', 39, "$index: measured by $queries queries");
    is($rows_read > 0, $index eq 'none', "$index: $rows_read rows of the table were read");
    my @measured = shares($index, $table, $column, $operator);
    is(rows_measured($index), $table eq 'few' ? 4000 : 400, "$index: every row was met once");
    for my $i (0 .. $#built) {
        my $ratio = $measured[$i] / $built[$i];
        # Distances of bits come in steps.
        ok($ratio > 0.7 && $ratio < 1.4,
            sprintf '%s: %.4g rows expected, %.4g by the build', $index, $measured[$i], $built[$i]);
    }
    my @ranks = rank_distances($index);
    ok(!(grep { abs($ranks[$_] - $built_ranks[$_]) > 0.2 * abs $built_ranks[$_] } 0 .. 3),
        "$index: nearest rows are as far as by the build: @ranks, @built_ranks");
    my $recall = recall_of($index);
    cmp_ok($recall, '>=', $recall_built - 0.05, "$index: a recall of $recall, $recall_built by the build");
}

# Many times as many rows come, and go again.
my ($before) = shares('l2', 'few', 'd', '<->');
$node->safe_psql('postgres', q{
    DROP INDEX ip, ip_half, none, hamming, jaccard, cosine;
    INSERT INTO few (d) SELECT d FROM few, generate_series(1, 4) WHERE d IS NOT NULL;
    SELECT faiss_index_calibrate('l2')});
is(rows_measured('l2'), 20000, 'rows that were inserted count');
$node->safe_psql('postgres', q{
    DELETE FROM few WHERE id > 4040;
    VACUUM few;
    SELECT faiss_index_calibrate('l2')});
is(rows_measured('l2'), 4000, '... and those that VACUUM has removed do not');
my ($after) = shares('l2', 'few', 'd', '<->');
cmp_ok(abs($after / $before - 1), '<', 0.25, "after VACUUM as before: $after rows, $before before");

$node->stop;
done_testing();
