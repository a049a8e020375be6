# Columns of pgvector, indexed in place. pgvector is not among Debian 12's packages: where the server
# has none, all of this is skipped.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('pgvector', 'jit = off');
sub ask { return $node->safe_psql($_[1] // 'postgres', $_[0]) }
sub refuse {
    my ($statement, $expected, $name) = @_;
    my $error;
    $node->psql('postgres', $statement, stderr => \$error);
    like($error, $expected, $name);
}

my $there = ask(q{SELECT default_version FROM pg_available_extensions WHERE name = 'vector'});
if ($there eq '') {
    refuse('CREATE EXTENSION lookalike_pgvector CASCADE', qr/extension "vector" is not available/,
        'without pgvector the error names it');
    $node->stop;
    done_testing();
    exit;
}
note("pgvector $there");
ask('CREATE EXTENSION lookalike_pgvector CASCADE');
my $has_halfvec = ask(q{SELECT to_regtype('halfvec') IS NOT NULL}) eq 't';

# Rows of each type, some of them NULL, one without a direction, many equal.
my $more = $has_halfvec ? ', h halfvec(24), b bit(77)' : '';
ask(qq{
    SELECT setseed(0.5);
    CREATE TABLE items (id serial PRIMARY KEY, category int, v vector(24)$more);
    CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql AS \$\$
        INSERT INTO items (category, v) SELECT i % 7, CASE WHEN i % 500 = 0 THEN NULL WHEN i % 777 = 0
            THEN array_fill(0, ARRAY[24])::real[]::vector WHEN i % 50 = 0 THEN array_fill(0.25, ARRAY[24])::real[]::vector
            ELSE made_up(i, 24, 60)::vector END FROM generate_series(first, last) AS i \$\$;
    SELECT fill(1, 6000)});
my $derive = $has_halfvec
    ? q{UPDATE items SET h = v::halfvec, b = made_up_bits(id, 77)::bit varying::bit(77) WHERE v IS NOT NULL AND h IS NULL}
    : 'SELECT';
ask("SELECT setseed(0.25); $derive");

my @classes = ([ 'v', 'vector_l2_ops', '<->' ], [ 'v', 'vector_ip_ops', '<#>' ], [ 'v', 'vector_cosine_ops', '<=>' ]);
push @classes, [ 'h', 'halfvec_l2_ops', '<->' ], [ 'h', 'halfvec_ip_ops', '<#>' ], [ 'h', 'halfvec_cosine_ops', '<=>' ],
    [ 'b', 'bit_hamming_ops', '<~>' ], [ 'b', 'bit_jaccard_ops', '<%>' ] if $has_halfvec;

# Distances of the first rows, in the order in which they come, of 40 queries.
sub distances {
    my ($column, $operator, $condition, $count, @settings) = @_;
    return ask(qq{SET jit = off; @{[ map {"SET $_;"} @settings ]}
        SELECT string_agg(list, E'\\n' ORDER BY q) FROM (SELECT q, (SELECT string_agg(coalesce(dist::text, '-'), ' ')
            FROM (SELECT t.$column $operator (SELECT $column FROM items WHERE id = q) AS dist FROM items AS t WHERE $condition
                ORDER BY t.$column $operator (SELECT $column FROM items WHERE id = q) LIMIT $count) AS nearest) AS list
            FROM generate_series(3, 5900, 150) AS q) AS x});
}

my @by_index = ('enable_seqscan = off', 'enable_sort = off');
my @exact = ('enable_indexscan = off', 'enable_bitmapscan = off');

# The share of the truth's distances that came, and whether those that came rise.
sub compare {
    my ($found, $truth) = @_;
    my ($hits, $all, $rises) = (0, 0, 1);
    my @truth = map { [ split ' ', $_ ] } split /\n/, $truth;
    for my $line (split /\n/, $found) {
        my @found = split ' ', $line;
        my @best = @{ shift @truth };
        my %left;
        ++$left{$_} for @best;
        for (@found) { ++$hits if $left{$_} && $left{$_}-- > 0 }
        $all += @best;
        my @numbers = grep { /^-?[0-9.]/ } @found;
        for (1 .. $#numbers) { $rises = 0 if $numbers[$_] < $numbers[ $_ - 1 ] }
    }
    return ($hits / $all, $rises);
}

sub class_finds {
    my ($column, $class, $operator, $when) = @_;
    for my $condition ('true', 'category = 3') {
        my ($all, $rises) = compare(distances($column, $operator, $condition, 20, @by_index, 'lookalike.recall = 1'),
            distances($column, $operator, $condition, 20, @exact));
        is($all, 1, "$when: $class where $condition: all rows at a recall of 1");
        ok($rises, '... sorted');
    }
    my ($share, $rises) = compare(distances($column, $operator, 'true', 20, @by_index, 'lookalike.recall = 0.95'),
        distances($column, $operator, 'true', 20, @exact));
    cmp_ok($share, '>=', 0.93, "$when: $class finds $share of the nearest");
    ok($rises, '... sorted');
    is(ask(qq{@{[ map {"SET $_;"} @by_index ]}
        SELECT count(*) = (SELECT count(*) FROM items AS all_rows) AND count(DISTINCT id) = count(*) FROM
        (SELECT id FROM items ORDER BY $column $operator (SELECT $column FROM items WHERE id = 3)) AS x}), 't',
        "$when: $class gives every row once, also NULL");
    is(ask("SELECT faiss_index_check('$class', true)"), '', "$when: $class is sound");
}

# One index at a time, as the planner would take any.
my $grown = 6000;
for my $class (@classes) {
    my ($column, $name, $operator) = @$class;
    ask("CREATE INDEX $name ON items USING faiss ($column $name, category)");
    my $plan = ask(join('', map {"SET $_;"} @by_index)
          . "EXPLAIN (COSTS OFF) SELECT id FROM items WHERE category = 3 ORDER BY $column $operator (SELECT $column FROM items WHERE id = 3) LIMIT 3");
    like($plan, qr/Index Scan using $name on items\s+Index Cond: \(category = 3\)\s+Order By:/, "$name serves the order and the filter");
    class_finds(@$class, 'built');
    ask("SELECT fill($grown + 1, $grown + 300); SELECT setseed(0.75); $derive; DELETE FROM items WHERE id % 11 = 1; VACUUM items");
    $grown += 300;
    class_finds(@$class, 'changed');
    ask("DROP INDEX $name");
}

# Into an empty table, by the first row's number of dimensions.
ask(q{CREATE TABLE late (id serial, v vector); CREATE INDEX late_v ON late USING faiss (v vector_cosine_ops);
    INSERT INTO late (v) SELECT made_up(i, 5)::vector FROM generate_series(1, 7000) AS i});
is(ask(q{SELECT lists > 1, faiss_index_check('late_v', true) FROM faiss_index_info('late_v')}), 't|', 'an empty table is filled');
refuse(q{INSERT INTO late (v) VALUES ('[1,2]')}, qr/expected 5 dimensions, not 2/, 'rows of several dimensions');

# Within a radius, of vector.
ask('CREATE INDEX near ON items USING faiss (v vector_l2_ops); ANALYZE items');
my $within = q{SELECT count(*) FROM items WHERE within(v, (SELECT v FROM items WHERE id = 3), 2.5)};
like(ask("SET enable_seqscan = off; EXPLAIN (COSTS OFF) $within"), qr/Index Scan using near on items\s+Index Cond: \(v <@-> /, 'within() is an index condition');
is(ask("SET lookalike.recall = 1; $within"), ask("SET enable_indexscan = off; $within"), '... and finds the same rows');
is(ask(q{SET enable_indexscan = off; SELECT bool_and(within(v, q, 2.5) = (v <-> q <= 2.5)), bool_and(within_cosine(v, q, 0.4) = (v <=> q <= 0.4))
    FROM items, LATERAL (SELECT v AS q FROM items WHERE id = 3) AS x WHERE abs((v <-> q) - 2.5) > 1e-6 AND abs((v <=> q) - 0.4) > 1e-6}),
    't|t', '... which are those that pgvector measures');
cmp_ok(ask(q{SELECT recall FROM faiss_index_recall('near')}), '>', 0.9, 'faiss_index_recall');
is(ask(q{SELECT bytes > 0 FROM faiss_index_estimate('items', 'v')}), 't', 'faiss_index_estimate');
is(ask(q{SELECT count(*) > 0 FROM faiss_duplicates('near', 0)}), 't', 'faiss_duplicates');

ask('CREATE INDEX near_ip ON items USING faiss (v vector_ip_ops)');
is(ask(q{SELECT count(*) > 0 FROM faiss_duplicates('near_ip', -1)}), 't', '... by inner product');
ask('DROP INDEX near_ip');

# What pgvector adds up in floats vanishes or overflows: no answer is an error.
ask(q{CREATE TABLE extreme (id serial, v vector(3));
    INSERT INTO extreme (v) SELECT made_up(i, 3)::vector FROM generate_series(1, 1000) AS i;
    INSERT INTO extreme (v) SELECT format('[%s,%s,%s]', x, x, 2 * x)::vector FROM unnest('{1e-30,1e-23,1e-19,1e19,1e25,3e37}'::float8[]) AS x});
for my $class ([ 'vector_l2_ops', '<->' ], [ 'vector_ip_ops', '<#>' ], [ 'vector_cosine_ops', '<=>' ]) {
    ask("CREATE INDEX extreme_v ON extreme USING faiss (v $class->[0])");
    for my $query ('1e-23,1e-23,1e-23', '3e-30,1e-30,1e-30', '1,2,3', '1e19,1e19,-1e19', '3e37,3e37,1') {
        is(ask(qq{SET enable_seqscan = off; SET enable_sort = off;
            SELECT count(*) FROM (SELECT id FROM extreme ORDER BY v $class->[1] '[$query]' LIMIT 2000) AS x}), 1006,
            "$class->[0], [$query]: all rows");
    }
    ask('DROP INDEX extreme_v');
}

# hnsw beside it hurts nothing.
ask('CREATE INDEX other ON items USING hnsw (v vector_l2_ops); SET hnsw.ef_search = 10');
is(ask(q{SELECT string_agg((recall > 0.5)::text, ' ') FROM unnest('{near,other}'::text[]) AS i, faiss_index_recall(i::regclass)}), 'true true',
    'faiss_index_recall compares them');
refuse(q{SELECT faiss_index_recall('items_pkey')}, qr/index "items_pkey" does not order by a distance/, '... and no others');
is(ask(q{SELECT id FROM items ORDER BY v <-> (SELECT v FROM items WHERE id = 3), id LIMIT 1}), 3, 'two indexes on one column');

# Casts.
is(ask(q{SELECT bool_and(v::descriptor::vector = v), bool_and((v::descriptor)::real[] = v::real[]) FROM items WHERE v IS NOT NULL}), 't|t',
    'vector and descriptor have the same elements');
refuse(q{SELECT 'b101'::descriptor::vector}, qr/./, 'bits are no vector');
refuse(q{CREATE TABLE mixed (v vector(3)); INSERT INTO mixed VALUES ('[1,2]'::descriptor)}, qr/expected 3 dimensions, not 2/, 'a column has its dimensions');
SKIP: {
    skip 'this pgvector has no halfvec', 7 unless $has_halfvec;
    is(ask(q{SELECT bool_and(h::descriptor::halfvec = h), bool_and(descriptor_kind(h::descriptor) = 'half') FROM items WHERE h IS NOT NULL}),
        't|t', 'halfvec is a descriptor of kind half');
    is(ask(q{SELECT '[1.5,-2,65504]'::descriptor::halfvec}), '[1.5,-2,65504]', 'and back');
    refuse(q{SELECT '[65536]'::descriptor::halfvec}, qr/out of range|too large|overflow/, 'too large for halfvec');
    refuse(q{CREATE TABLE wide (b bit(64001)); CREATE INDEX ON wide USING faiss (b bit_hamming_ops)},
        qr/up to 64000 dimensions of this type, not 64001/, 'too many bits');
    refuse(q{CREATE TABLE sparse (s sparsevec(9)); CREATE INDEX ON sparse USING faiss (s)},
        qr/sparsevec has no default operator class/, 'sparsevec');
    ask('CREATE INDEX half ON items USING faiss (h halfvec_l2_ops)');
    refuse(q{SELECT * FROM faiss_duplicates('half', 0)}, qr/does not take columns of type \S*halfvec/, 'duplicates of halfvec');
    ask('DROP INDEX half');
    is(ask(q{CREATE TABLE odd (b bit(3)); CREATE INDEX ON odd USING faiss (b); INSERT INTO odd VALUES (B'101'), (B'010'), (B'111');
        SET enable_seqscan = off; SELECT b FROM odd ORDER BY b <~> B'111' LIMIT 1}), '111', 'three bits');
}

# What others have made of it is restored.
ask('DROP INDEX other; CREATE DATABASE copy');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'dump');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copy'), '-f', $dump ], 'restore');
is(ask(q{SELECT faiss_index_check('near', true)}, 'copy'), '', 'the restored index is sound');
refuse('DROP EXTENSION lookalike_pgvector', qr/index near depends on operator class vector_l2_ops/, 'its indexes keep the extension');
ask('DROP EXTENSION lookalike_pgvector CASCADE');
is(ask(q{SELECT count(*) FROM items WHERE v IS NOT NULL}) > 5000, 1, 'the column stays');

$node->stop;
done_testing();
