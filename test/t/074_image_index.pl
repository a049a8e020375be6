# Images and the index: an expression index calls image_features() while a worker of its own trains and
# assigns; searches extract the query's image once; parallel workers have workers of their own.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('image_index');
$node->init;
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION lookalike;
    CREATE FUNCTION ppm(color int) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT convert_to(E'P6\n8 8\n255\n', 'LATIN1') || decode(repeat(lpad(to_hex(color), 6, '0'), 64), 'hex') $$;
    CREATE TABLE designs (id int PRIMARY KEY, photo bytea,
        features descriptor(240) GENERATED ALWAYS AS (image_features(photo, 'color')) STORED);
    ALTER TABLE designs SET (parallel_workers = 2);
    INSERT INTO designs (id, photo) SELECT i, ppm(i * 2741 % 16777216) FROM generate_series(1, 6000) AS i;
    CREATE INDEX of_expression ON designs USING faiss ((image_features(photo, 'color')::descriptor(240)));
    CREATE INDEX of_column ON designs USING faiss (features);
    ANALYZE designs;
});

my $by_column = q{SELECT id FROM designs
    ORDER BY features <-> (SELECT image_features(ppm(2741 * 77), 'color')) LIMIT 5};
my $by_expression = q{SELECT id FROM designs
    ORDER BY image_features(photo, 'color')::descriptor(240) <-> (SELECT image_features(ppm(2741 * 77), 'color'))
    LIMIT 5};
for my $case ([ 'column', $by_column ], [ 'expression', $by_expression ]) {
    my ($what, $query) = @$case;
    like($node->safe_psql('postgres', "EXPLAIN (COSTS OFF) $query"),
        qr/Index Scan using of_$what/, "a search by an image uses the index of the $what");
    like($node->safe_psql('postgres', $query), qr/^77\n/, '... and finds it');
}

# A generic plan evaluates a bare call of its parameter again and again: the cache answers.
my $bare = q{PREPARE bare(bytea) AS SELECT id FROM designs
    ORDER BY features <-> image_features($1, 'color') LIMIT 5;
    SET plan_cache_mode = force_generic_plan;
    EXECUTE bare(ppm(2741 * 77)) \; SELECT requests, cache_hits > 5 FROM image_worker_stats()};
my ($out, $err);
$node->psql('postgres', $bare, stdout => \$out, stderr => \$err);
like($out, qr/^1\|t$/m, 'a query image is extracted once') or diag $err;

# Parallel: the leader waits for its workers, whose image workers end with them.
my $parallel = q{SET lookalike.image_cache_size = 0; SET min_parallel_table_scan_size = 0;
    SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;};
my $count = q{SELECT bool_and(image_features(photo, 'color') = features) FROM designs};
like($node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $count"),
    qr/Workers Launched: [12]/, 'a parallel plan');
is($node->safe_psql('postgres', "$parallel $count"), 't', 'parallel workers extract the same');

# A cancel in the middle of the build leaves no process behind.
$node->psql('postgres', q{SET statement_timeout = 300; SET lookalike.image_cache_size = 0;
    CREATE INDEX ON designs USING faiss ((image_features(photo, 'pattern')::descriptor(319)))},
    stdout => \$out, stderr => \$err);
like($err, qr/statement timeout/, 'a build is cancelled');
my $data = $node->data_dir;
my @left;
for (1 .. 100) {
    @left = grep { (readlink("/proc/$_/cwd") // '') eq $data && (readlink("/proc/$_/exe") // '') =~ /lookalike-worker/ }
      map { m{/proc/(\d+)} } glob('/proc/[0-9]*');
    last if !@left;
    select undef, undef, undef, 0.05;
}
is_deeply(\@left, [], 'no worker process is left');

$node->stop;
done_testing();
