# EXPLAIN ANALYZE shows for each scan of a faiss index what it did.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'before PostgreSQL 18 extensions cannot add to EXPLAIN'
  if `pg_config --version` =~ /^PostgreSQL (\d+)/ && $1 < 18;

my $node = start_node('explain', 'max_parallel_workers_per_gather = 2', 'parallel_setup_cost = 0',
    'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0');
$node->safe_psql(
    'postgres', q{
    CREATE TABLE t (id int PRIMARY KEY, d descriptor(4), season int);
    INSERT INTO t SELECT i, made_up(i, 4), i % 4 FROM generate_series(1, 500) AS i;
    CREATE INDEX ON t USING faiss (d, season) WITH (lists = 5);
    CREATE TABLE other AS SELECT * FROM t;
    CREATE INDEX ON other USING faiss (d) WITH (lists = 3);
    CREATE TABLE queries AS SELECT id, d FROM t, generate_series(1, 10);
    VACUUM ANALYZE t, other, queries;
});
my $search = q{SELECT 1 FROM t WHERE season = 1 ORDER BY d <-> '[0,0,0,0]' LIMIT 10};
my @labels = ('Lists', 'Lists Probed', 'Lists Skipped', 'Entries Scanned', 'Entries Filtered', 'Entries Refined',
    'Stop Reason');
my $stats = q{SELECT lists, lists_probed, lists_skipped, entries_scanned, entries_filtered, entries_refined,
    stop_reason FROM faiss_scan_stats()};

sub explain
{
    my ($options, $query, @after) = @_;
    return $node->safe_psql('postgres',
        by_index(join ';', "EXPLAIN (COSTS OFF, TIMING OFF, SUMMARY OFF, $options) $query", @after));
}

# All nodes of a plan in JSON that have a label.
sub nodes_with
{
    my ($label, $part) = @_;
    return map { nodes_with($label, $_) } @$part if ref $part eq 'ARRAY';
    return () if ref $part ne 'HASH';
    return ((exists $part->{$label} ? $part : ()), map { nodes_with($label, $_) } values %$part);
}

sub figures
{
    my ($node) = @_;
    return join '|', map { $node->{$_} } @labels;
}

# Every format.
my $text = explain('ANALYZE, BUFFERS OFF', $search, $stats);
my ($plan, $expected) = $text =~ /\A(.*)\n(.*)\z/s;
is(join('|', map { $plan =~ /^ +\Q$_\E: (.*)$/m ? $1 : 'none' } @labels), $expected, 'text');
like($expected, qr/^5\|[1-5]\|\d+\|[1-9]\d*\|[1-9]\d*\|[1-9]\d*\|executor$/, '... with plausible figures');
($plan, $expected) = explain('ANALYZE, FORMAT json', $search, $stats) =~ /\A(.*)\n(.*)\z/s;
my @found = nodes_with('Lists', decode_json($plan));
is(join(' ', map { figures($_) } @found), $expected, 'JSON');
is($found[0]{'Node Type'}, 'Index Scan', '... of the scan');
is($found[0]{'Index Searches'}, 1, '... which is one search');
like(explain('ANALYZE, FORMAT xml', $search), qr{<Lists-Probed>[1-5]</Lists-Probed>}, 'XML');
like(explain('ANALYZE, FORMAT yaml', $search), qr{^ +Lists Probed: [1-5]$}m, 'YAML');

# Sums over the loops of one node.
($plan, $expected) = explain('ANALYZE, FORMAT json', q{SELECT count(*)
    FROM generate_series(1, 3) AS i,
    LATERAL (SELECT 1 FROM t ORDER BY d <-> ARRAY[i, i, i, i]::real[]::descriptor LIMIT 1) AS s},
    "$stats WHERE loops = 3") =~ /\A(.*)\n(.*)\z/s;
is(join(' ', map { figures($_) } nodes_with('Lists', decode_json($plan))), $expected, 'three loops');

# Each node its own.
$plan = decode_json(explain('ANALYZE, FORMAT json', q{
    (SELECT id FROM t ORDER BY d <-> '[0,0,0,0]' LIMIT 1) UNION ALL
    (SELECT id FROM other ORDER BY d <-> '[0,0,0,0]')}));
is_deeply(
    [ map { "$_->{'Relation Name'} $_->{'Lists'} $_->{'Stop Reason'}" } nodes_with('Lists', $plan) ],
    [ 't 5 executor', 'other 3 exhausted' ],
    'two scans in one statement');

# Where there is nothing to tell.
unlike(explain('VERBOSE', $search), qr/Lists/, 'not without ANALYZE');
unlike(explain('ANALYZE', 'SELECT 1 FROM t WHERE id = 7'), qr/Lists/, 'not for btree');
my $never = explain('ANALYZE', "SELECT CASE WHEN i > 9 THEN ($search) END FROM generate_series(1, 2) AS i");
like($never, qr/Index Scan using t_d.*never executed/, 'a scan that is never executed');
unlike($never, qr/Lists/, '... has done nothing');

# Parallel workers do not tell their leader what they scanned.
$plan = decode_json(explain('ANALYZE, VERBOSE, FORMAT json', q{
    SELECT count(*) FROM queries JOIN t ON within(t.d, queries.d, 0.1)}));
my ($scan) = grep { $_->{'Node Type'} eq 'Index Scan' } nodes_with('Index Name', $plan);
ok(nodes_with('Workers Launched', $plan), 'a parallel plan');
my $by_workers = grep { $_->{'Actual Loops'} > 0 } @{ $scan->{Workers} // [] };
is(exists $scan->{Lists} ? 'shown' : 'hidden', $by_workers ? 'hidden' : 'shown',
    "figures of $by_workers workers and the leader");

# Counts tell about rows that a user may not see.
$node->safe_psql('postgres', q{
    CREATE ROLE tenant;
    GRANT SELECT ON t TO tenant});
my $by_tenant = by_index("SET ROLE tenant; EXPLAIN (ANALYZE, COSTS OFF) $search");
like($node->safe_psql('postgres', $by_tenant), qr/Entries Filtered/, 'who sees every row');
$node->safe_psql('postgres', q{
    ALTER TABLE t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY few ON t USING (id < 10)});
my $shown = $node->safe_psql('postgres', $by_tenant);
like($shown, qr/Index Scan using t_d/, 'who sees some rows uses the index');
unlike($shown, qr/Lists|Entries|Stop/, '... and is not told what it did');

$node->stop;
done_testing();
