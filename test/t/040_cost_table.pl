# Costs follow times, whatever a descriptor's kind, its width and the place where it is stored: the
# planner takes no plan that is three times slower than the other, and an exact plan's cost is a
# multiple of its time that varies by no more than three to either side.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use List::Util qw(min);
use Test::More;

# Of smaller tables most of the time is the statement's own.
# Rows of a page each cost what PostgreSQL charges for reading pages, which here are in memory: they
# are the dearest, at 3.5 times the median.
use constant { ROUNDS => 7, WITHIN => 3, USUAL => 4, WORTH_TIMING => 1000 };

my $node = start_node('costtable', "shared_buffers = '512MB'");

# 2,000 dimensions that no compression finds anything in.
$node->safe_psql('postgres', q{
    SELECT setseed(0.5);
    CREATE TABLE piece AS SELECT i AS id, made_up(1, 500) AS d FROM generate_series(1, 200) AS i;
    CREATE TABLE wide AS
        SELECT n AS id, a.d || b.d || c.d || e.d AS d
          FROM generate_series(1, 8000) AS n
               JOIN piece AS a ON a.id = 1 + n % 200 JOIN piece AS b ON b.id = 1 + n / 40
               JOIN piece AS c ON c.id = 1 + n * 7 % 199 JOIN piece AS e ON e.id = 1 + n * 3 % 197;
    CREATE FUNCTION cost_and_time(way text, statement text, query descriptor)
        RETURNS TABLE (cost float8, ms float8, takes_index bool) LANGUAGE plpgsql AS $$
    DECLARE
        plan json;
        start timestamptz;
    BEGIN
        PERFORM set_config('enable_indexscan', (way <> 'exact')::text, true),
                set_config('enable_seqscan', (way <> 'index')::text, true);
        EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan USING query;
        start := clock_timestamp();
        EXECUTE 'SELECT count(*) FROM (' || statement || ') AS answer' USING query;
        RETURN QUERY SELECT (plan -> 0 -> 'Plan' ->> 'Total Cost')::float8,
            extract(epoch FROM clock_timestamp() - start)::float8 * 1000, plan::text ~ 'Order By';
    END $$});

# A column of this type and storage with this value of "d", and the expression that is indexed,
# which of the value gives the query as well.
my @cases = (
    map({ my $dims = $_; map {
        { type => "descriptor($dims, $_)", value => "subvector(d, 1, $dims)" } } 'real', 'half'
    } 3, 64, 128, 559, 768, 2000),
    map({ { type => "descriptor($_, bit)", value => "subvector(binary_quantize(d || d || d), 1, $_)", metric => '<~>' } } 256, 4096),
    map({ { type => "descriptor($_)", value => "subvector(d, 1, $_)", storage => 'plain' } } 559, 768, 2000),
    { type => 'descriptor', value => 'subvector(d, 1, 768)' },
    { type => 'descriptor', value => 'subvector(d, 1, 128)' },
    { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', storage => 'extended' },
    { type => 'descriptor(768)', value => flat(768), storage => 'extended' },
    { type => 'descriptor(2000)', value => flat(2000), storage => 'main' },
    map({ (
        { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', storage => $_, index => 'v::descriptor(768, half)' },
        { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', storage => $_, index => 'subvector(v, 1, 64)::descriptor(64)' },
        { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', storage => $_, index => 'subvector(v, 9, 64)' },
        { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', storage => $_, metric => '<~>', index => 'binary_quantize(v)' },
    ) } 'external', 'plain'),
    { type => 'descriptor(128)', value => 'subvector(d, 1, 128)', index => 'v::descriptor(128, half)' },
    { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', index => 'l2_normalize(v)' },
    { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', index => 'CASE WHEN id > 0 THEN v END' },
    { type => 'real[]', value => 'subvector(d, 1, 768)::real[]', index => 'v::descriptor(768)', metric => '<=>' },
    { type => 'descriptor(64)', value => 'subvector(d, 1, 64)', rows => 8000 },
    { type => 'descriptor(768)', value => 'subvector(d, 1, 768)', rows => 8000 },
    map({ { type => "descriptor($_)", value => "subvector(d, 1, $_)", rows => 200 } } 64, 768));

# Mostly the same number.
sub flat { my ($dims) = @_; return "subvector(array_fill(0.5::real, ARRAY[$dims - 8])::descriptor || d, 1, $dims)" }

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[@sorted / 2] }

sub add_names {
    my ($case, $number) = @_;
    $case->{name} = join ' ', map { $case->{$_} // () } 'rows', 'type', 'storage', 'index';
    $case->{table} = "case_$number";
    $case->{index} //= 'v';
    $case->{metric} //= '<->';
    # As many as one list takes, of short ones.
    $case->{rows} //= $case->{value} =~ /, (\d+)\)$/ && $1 <= 128 ? 5000 : 2000;
}

sub statements_to_make {
    my ($case) = @_;
    my ($table, $type, $storage) = @$case{'table', 'type', 'storage'};
    my $class = { '<->' => 'l2', '<=>' => 'cosine', '<~>' => 'hamming' }->{ $case->{metric} };
    return ("CREATE TABLE $table (id int, v $type)",
        ($storage ? "ALTER TABLE $table ALTER v SET STORAGE $storage" : ()),
        "INSERT INTO $table SELECT id, $case->{value} FROM wide WHERE id <= $case->{rows}",
        "CREATE INDEX ON $table USING faiss (($case->{index}) descriptor_${class}_ops)",
        "VACUUM ANALYZE $table");
}

# Costs and times of two queries.
sub statement_to_measure {
    my ($case, $number, $way) = @_;
    my ($table, $index) = @$case{'table', 'index'};
    return "SELECT $number, '$way', sum(cost), sum(ms), bool_and(takes_index)
        FROM (SELECT $index AS query FROM $table WHERE id IN (3, 77) OFFSET 0) AS queries,
             cost_and_time('$way', 'SELECT id FROM $table ORDER BY $index $case->{metric} (SELECT \$1) LIMIT 10', query)";
}

add_names($cases[$_], $_) for 0 .. $#cases;
$node->safe_psql('postgres', join ";\n", map { statements_to_make($_) } @cases);
# Each round asks for all of them, so that no case has only times when the machine was busy.
sub measure {
    my @ways = @_;
    my @answers = split /\n/, $node->safe_psql('postgres', join ";\n", map {
        my $way = $_;
        map { statement_to_measure($cases[$_], $_, $way) } 0 .. $#cases
    } @ways);
    for (@answers) {
        my ($number, $way, $cost, $time, $takes_index) = split /\|/;
        my $case = $cases[$number];
        $case->{takes_index} = $takes_index eq 't' if $way eq 'chosen';
        $case->{cost}{$way} = $cost;
        $case->{ms}{$way} = min $time, $case->{ms}{$way} // $time;
    }
}

# Says of each case what was found; returns how many are not as they should be.
sub judge {
    for my $case (@cases) {
        my ($index, $exact) = @{ $case->{ms} }{'index', 'exact'};
        my ($mine, $other) = $case->{takes_index} ? ($index, $exact) : ($exact, $index);
        $case->{units} = $case->{cost}{exact} / $exact;
        $case->{is_right} = $mine < WITHIN * $other;
        $case->{says} = sprintf '%s: %s; %.2f ms by index, %.2f exact, which is %.1f times, by costs %.1f',
            $case->{name}, $case->{takes_index} ? 'index' : 'exact', $index, $exact, $exact / $index,
            $case->{cost}{exact} / $case->{cost}{index};
    }
    my $median = median(map { $_->{units} } @cases);
    for my $case (@cases) {
        $case->{ratio} = $case->{units} / $median;
        $case->{is_usual} = $case->{rows} < WORTH_TIMING ||
            $case->{ratio} < USUAL && $case->{ratio} > 1 / USUAL;
    }
    return scalar grep { !$_->{is_right} || !$_->{is_usual} } @cases;
}

measure('chosen', ('index', 'exact') x ROUNDS);
# A busy machine gets more rounds: the best time of each counts.
for (1 .. 4) {
    last if !judge();
    measure(('index', 'exact') x ROUNDS);
}
judge();
for my $case (@cases) {
    ok($case->{is_right}, $case->{says});
    next if $case->{rows} < WORTH_TIMING;
    ok($case->{is_usual}, sprintf '%s: a millisecond of the exact plan costs %.0f, %.2f of the median',
        $case->{name}, $case->{units}, $case->{ratio});
}
$node->stop;
done_testing();
