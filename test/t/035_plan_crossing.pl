# The planner changes from the index to the exact plan, and back, where the times cross, within a
# factor of two: at half and at twice the number where it changes its mind, its choice is the faster.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use List::Util qw(min);
use Test::More;

use constant { ROWS => 60000, ROUNDS => 7, NOISE => 1.15 };

my $node = start_node('crossing', 'jit = off', "shared_buffers = '256MB'");
$node->safe_psql('postgres', 'SELECT setseed(0.5);
    CREATE TABLE t (id int PRIMARY KEY, k int, d descriptor(128));
    CREATE TABLE base AS SELECT i, made_up(1, 128) AS d FROM generate_series(1, 600) AS i;
    INSERT INTO t SELECT row_number() OVER (ORDER BY random()), 0, a.d + b.d
      FROM base AS a, base AS b WHERE b.i <= 100;
    UPDATE t SET k = 1 + id * 7919 % ' . ROWS . ';
    CREATE INDEX t_k ON t (k)');
$node->safe_psql('postgres', 'VACUUM (FULL, ANALYZE) t');

# Times in ms of both plans, the least of some rounds in turns. A round asks for several rows.
$node->safe_psql('postgres', q{
    CREATE FUNCTION time_of(statement text, settings text[]) RETURNS float8 LANGUAGE plpgsql AS $$
    DECLARE
        start timestamptz;
        query descriptor;
        setting text;
        total float8 := 0;
    BEGIN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);
        FOREACH setting IN ARRAY ARRAY['seqscan', 'sort', 'bitmapscan', 'indexscan'] LOOP
            PERFORM set_config('enable_' || setting,
                CASE WHEN setting = ANY (settings) THEN 'off' ELSE 'on' END, true);
        END LOOP;
        FOR query IN SELECT d FROM base WHERE i BETWEEN 101 AND 105 LOOP
            start := clock_timestamp();
            EXECUTE 'SELECT count(*) FROM (' || statement || ') AS answer' USING query;
            total := total + extract(epoch FROM clock_timestamp() - start) * 1000;
        END LOOP;
        RETURN total / 5;
    END $$});
my %settings = (index => '{seqscan,sort,bitmapscan}', exact => '{indexscan}');

sub both_times {
    my ($statement) = @_;
    my %times = (index => [], exact => []);
    my @rounds = map {
        my $way = $_;
        "SELECT '$way', time_of(\$s\$$statement\$s\$, '$settings{$way}')"
    } ('index', 'exact') x ROUNDS;
    for (split /\n/, $node->safe_psql('postgres', join ";\n", @rounds)) {
        my ($way, $time) = split /\|/;
        push @{ $times{$way} }, $time;
    }
    return map { min @{ $times{$_} } } 'index', 'exact';
}

sub takes_index {
    my ($statement) = @_;
    $statement =~ s/\$1/(SELECT d FROM base WHERE i = 101)/g;
    return $node->safe_psql('postgres', "EXPLAIN $statement") =~ /Order By/;
}

# `question` asks with "?" for a number.
sub crosses_where_times_do {
    my ($name, $question, $low, $high) = @_;
    my $ask = sub { my $number = int shift; $question =~ s/\?/$number/r };
    my $low_is_index = takes_index($ask->($low));
    isnt(takes_index($ask->($high)), $low_is_index, "$name: the planner changes its mind");
    while ($high / $low > 1.05) {
        my $middle = sqrt($low * $high);
        if (takes_index($ask->($middle)) eq $low_is_index) { $low = $middle }
        else { $high = $middle }
    }
    for my $number ($low / 2, $high * 2) {
        my ($index, $exact) = both_times($ask->($number));
        my $chosen = takes_index($ask->($number)) ? 'index' : 'exact';
        my ($mine, $other) = $chosen eq 'index' ? ($index, $exact) : ($exact, $index);
        cmp_ok($mine, '<', NOISE * $other,
            sprintf '%s: %s at %d, with %.2f ms by index and %.2f exact, changed at %d',
            $name, $chosen, $number, $index, $exact, $low);
    }
}

$node->safe_psql('postgres', 'CREATE INDEX t_d ON t USING faiss (d)');
crosses_where_times_do('condition of a btree', 'SELECT id FROM t WHERE k <= ? ORDER BY d <-> $1 LIMIT 10', 20, ROWS / 2);
crosses_where_times_do('rows wanted', 'SELECT id FROM t ORDER BY d <-> $1 LIMIT ?', 10, ROWS);
$node->safe_psql('postgres', 'DROP INDEX t_d; CREATE INDEX t_d ON t USING faiss (d, k)');
crosses_where_times_do('filter and btree', 'SELECT id FROM t WHERE k <= ? ORDER BY d <-> $1 LIMIT 10', 5, ROWS / 2);
$node->stop;
done_testing();
