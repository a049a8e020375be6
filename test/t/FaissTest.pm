# What the tests of the index share: a server with the extension, made-up descriptors, and the two
# questions that are asked again and again: does a scan to the end give every row once, and how many
# of the true nearest rows does it find?
package FaissTest;
use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time);

our @EXPORT = qw($take_function start_node without_checksums read_to_the_end by_index no_worker_left workers_of interrupt_with_worker);

my $functions = q{
CREATE EXTENSION lookalike;
-- Around one of so many centres, or anywhere when there is none.
CREATE FUNCTION made_up(number int, dims int, centres int DEFAULT 0) RETURNS descriptor
LANGUAGE sql VOLATILE AS $$
    SELECT array_agg(CASE WHEN centres = 0 THEN random() - 0.5
                          ELSE sin(dim * (1 + number % centres)) + (random() - 0.5) / 2 END
                     )::real[]::descriptor
      FROM generate_series(1, dims) AS dim WHERE number IS NOT NULL
$$;
-- The same whenever it is asked for.
CREATE FUNCTION made(seed int, dims int) RETURNS descriptor LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(sin(seed * 12.9898 + i * i * 0.37))::real[]::descriptor
      FROM generate_series(1, dims) AS i
$$;
CREATE FUNCTION made_up_bits(number int, dims int) RETURNS descriptor LANGUAGE sql VOLATILE AS $$
    SELECT ('b' || string_agg((random() < 0.3)::int::text, ''))::descriptor
      FROM generate_series(1, dims) WHERE number IS NOT NULL
$$;
-- The share of the k nearest rows that an index scan finds, over rows of the table "queries". What
-- lies as far as the last of them counts as well.
CREATE FUNCTION recall(of regclass, operator text, k int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    query descriptor;
    limit_distance float8;
    found int;
    hits int := 0;
    wanted int := 0;
BEGIN
    FOR query IN SELECT d FROM queries LOOP
        PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true),
                set_config('enable_sort', 'on', true);
        EXECUTE format('SELECT max(dist) FROM (SELECT d %1$s $1 AS dist FROM %2$s
            ORDER BY d %1$s $1 LIMIT %3$s) AS nearest', operator, of, k) INTO limit_distance USING query;
        PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true),
                set_config('enable_sort', 'off', true);
        EXECUTE format('SELECT count(*) FROM (SELECT d %1$s $1 AS dist FROM %2$s
            ORDER BY d %1$s $1 LIMIT %3$s) AS nearest WHERE dist <= $2', operator, of, k)
            INTO found USING query, limit_distance;
        hits := hits + found;
        wanted := wanted + k;
    END LOOP;
    RETURN round(hits::numeric / wanted, 3);
END $$;
};

# In a session with a temporary table came (cursor, id): puts so many rows of a cursor into it, and
# tells how many there were.
our $take_function = q{CREATE FUNCTION pg_temp.take(c refcursor, wanted int) RETURNS int LANGUAGE plpgsql AS $$
    DECLARE got int; taken int := 0;
    BEGIN
        WHILE taken < wanted LOOP
            FETCH c INTO got;
            EXIT WHEN NOT FOUND;
            INSERT INTO came VALUES (c, got);
            taken := taken + 1;
        END LOOP;
        RETURN taken;
    END $$};

# Faster than safe: what is tested about crashes is the WAL, not the disk. A statement that only the
# index can serve is not to be compiled: what by_index() forbids makes it look dear.
# Before the settings there may be a reference to what init() is to know.
sub start_node {
    my ($name, @settings) = @_;
    my @init = ref $settings[0] ? @{ shift @settings } : ();
    my $node = PostgreSQL::Test::Cluster->new($name);
    $node->init(allows_streaming => 1, @init);
    $node->append_conf('postgresql.conf', join "\n", 'autovacuum = off', 'fsync = off',
        'jit = off', 'max_parallel_workers_per_gather = 0', 'restart_after_crash = on', @settings);
    $node->start;
    $node->safe_psql('postgres', $functions);
    return $node;
}

# A statement that only the index can serve.
sub by_index {
    my ($statement) = @_;
    return "SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off; $statement";
}

# For tests that damage pages: the server is not to notice before the index does.
sub without_checksums {
    my ($node) = @_;
    return $node if $node->safe_psql('postgres', 'SHOW data_checksums') eq 'off';
    $node->stop;
    system_or_bail('pg_checksums', '--disable', '--no-sync', '-D', $node->data_dir);
    $node->start;
    return $node;
}

# Counts what a scan to the end gives and compares it with the table: "t" when every row came once.
sub read_to_the_end {
    my ($node, $table, $operator, $query, $settings) = @_;
    $settings //= '';
    return $node->safe_psql('postgres', by_index(qq{
        $settings
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        CREATE TEMP TABLE came ON COMMIT DROP AS
            SELECT id FROM $table ORDER BY d $operator $query;
        SET LOCAL enable_seqscan = on;
        RESET work_mem;
        SELECT (SELECT count(*) FROM came) = (SELECT count(*) FROM $table)
           AND (SELECT count(*) FROM $table WHERE id NOT IN (SELECT id FROM came)) = 0;
        COMMIT}));
}

# Waits until no worker of this server is left.
sub no_worker_left {
    my ($node) = @_;
    for (1 .. 50) {
        return 1 if !workers_of($node);
        select undef, undef, undef, 0.1;
    }
    return 0;
}

# The processes that serve a backend of this server.
sub workers_of {
    my ($node) = @_;
    my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
    my @pids;
    for my $comm (glob '/proc/[0-9]*/comm') {
        open my $file, '<', $comm or next;
        my $name = <$file> // '';
        push @pids, $comm =~ /(\d+)/ if $name =~ /^lookalike-worke/;
    }
    return grep { descends_from($_, $postmaster) } @pids;
}

# A worker is a child of its backend, and that of the postmaster.
sub descends_from {
    my ($pid, $ancestor) = @_;
    while (defined $pid && $pid > 1) {
        return 1 if $pid == $ancestor;
        open my $file, '<', "/proc/$pid/status" or return 0;
        ($pid) = map { /^PPid:\s+(\d+)/ ? $1 : () } <$file>;
    }
    return 0;
}

# Starts a statement in a background session, waits for its worker and `$pause` seconds more, interrupts it by `$how`, which
# gets the workers, and returns its error and how long it took to end then.
sub interrupt_with_worker {
    my ($node, $session, $statement, $pause, $how) = @_;
    $session->{stderr} = '';
    $session->query_until(qr/started/, "\\echo started\n$statement;\n\\echo ended\n");
    my @workers;
    for (1 .. 1000) {
        last if @workers = workers_of($node);
        select undef, undef, undef, 0.02;
    }
    select undef, undef, undef, $pause;
    my $start = time;
    $how->(@workers);
    $session->query('SELECT 1');
    my $took = time - $start;
    my $error = $session->{stderr};
    $session->{stderr} = '';
    return ($error, $took);
}

1;
