# An index on local features under load: it grows from nothing below clients and a standby, is killed, is
# searched beside writers, VACUUM and REINDEX, is cancelled and damaged. Its answers are those of reading
# the table.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use constant { PAGE => 8192, BODY => 24, TRAILER => 8176, LIST => 3, CODE_BYTES => 16, LANES => 32 };

my $seconds = $ENV{LOOKALIKE_SECONDS} // 6;
my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = start_node('primary', "wal_consistency_checking = 'all'", 'max_wal_size = 4GB', 'wal_keep_size = 4GB',
    'checkpoint_timeout = 1h', 'log_statement = none', 'wal_receiver_status_interval = 1');
without_checksums($node);
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = -1");
$standby->start;

sub ask { return $node->safe_psql('postgres', @_) }

ask(q{
    -- Of `count` features the first `shared` are those of the picture `other`, in the same places.
    CREATE FUNCTION picture(seed int, count int, other int DEFAULT 0, shared int DEFAULT 0) RETURNS local_features
    LANGUAGE sql IMMUTABLE AS $$
        SELECT ('orb@1 512x512 {' || coalesce(string_agg(format('(%s,%s,%s,%s,%s,%s%s)', hashint4(s * 1000 + i) & 65535,
                hashint4(s * 1000 - i) & 65535, 100 + i % 50, i * 37 % 256, 255 - i * 255 / count,
                md5(s || ' ' || i), md5(i || ' ' || s)), ',' ORDER BY i), '') || '}')::local_features
          FROM generate_series(1, count) AS i, LATERAL (SELECT CASE WHEN i <= shared THEN other ELSE seed END AS s) AS x
    $$;
    -- One of a family: it has some features in common with others.
    CREATE FUNCTION relative(n int) RETURNS local_features LANGUAGE sql IMMUTABLE AS
        $$ SELECT picture(n, 40, -(n % 300) - 1, n / 300 % 5 * 10 - n / 300 % 5) $$;
    -- The features have so many codes.
    CREATE FUNCTION of_codes(seed int, count int, codes int) RETURNS local_features LANGUAGE sql IMMUTABLE AS $$
        SELECT ('orb@1 512x512 {' || string_agg(format('(%s,%s,100,0,%s,%s%s)', hashint4(seed * 10000 + i) & 65535,
                hashint4(seed * 10000 - i) & 65535, 255 - i * 255 / count, md5('code ' || (seed * 7919 + i * 31) % codes),
                md5(i || ' ' || seed)), ',' ORDER BY i) || '}')::local_features FROM generate_series(1, count) AS i
    $$;
    -- Which of some queries the index answers otherwise than the table does, as far as 0.7, and how many rows the table gives.
    CREATE FUNCTION differing(of regclass, every int) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        q record;
        expected int[];
        nearest float8[];
        got int[];
        got_nearest float8[];
        bad text := '';
        found int := 0;
        asked int := 0;
    BEGIN
        FOR q IN EXECUTE format('SELECT id, l FROM %s WHERE id %% %s = 0', of, every) LOOP
            PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true), set_config('enable_sort', 'on', true);
            EXECUTE format('SELECT array_agg(id ORDER BY id), (array_agg(d ORDER BY d))[1:3] FROM (SELECT id, l <-> $1 AS d FROM %s) AS x WHERE d <= 0.7', of)
                INTO expected, nearest USING q.l;
            PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true), set_config('enable_sort', 'off', true);
            EXECUTE format('SELECT array_agg(id) FROM %s WHERE within(l, $1, 0.7)', of) INTO got USING q.l;
            EXECUTE format('SELECT array_agg(d) FROM (SELECT l <-> $1 AS d FROM %s ORDER BY l <-> $1 LIMIT 3) AS x WHERE d <= 0.7', of)
                INTO got_nearest USING q.l;
            IF got IS NULL OR ARRAY(SELECT unnest(got) ORDER BY 1) <> expected OR got_nearest <> nearest THEN
                bad := bad || format(' %s: %s not %s, %s not %s;', q.id, got, expected, got_nearest, nearest);
            END IF;
            found := found + cardinality(expected);
            asked := asked + 1;
        END LOOP;
        RETURN CASE WHEN bad <> '' THEN bad WHEN found < 2 * asked THEN 'few rows' WHEN asked < 20 THEN 'few queries' ELSE 'none' END;
    END $$;
    CREATE TABLE source AS SELECT i AS id, relative(i) AS l FROM generate_series(1, 1500) AS i;
    CREATE TABLE pins (id int PRIMARY KEY, l local_features);
    CREATE INDEX pins_l ON pins USING faiss (l);
    CREATE SEQUENCE numbers});

# Starts pgbench with a script; the index is to be used.
sub start_clients {
    my ($name, $script, $clients, @options) = @_;
    append_to_file("$folder/$name.sql", $script);
    local $ENV{PGOPTIONS} = '-c enable_seqscan=off -c enable_sort=off -c enable_bitmapscan=off';
    return IPC::Run::start([ 'pgbench', '-n', '-c', $clients, @options, '-h', $node->host, '-p', $node->port,
            '-f', "$folder/$name.sql", 'postgres' ], '&>', "$folder/$name.log");
}

# Waits for them: none had an error.
sub clients_ended_well {
    my ($name, $run, $least) = @_;
    $run->finish;
    my $log = slurp_file("$folder/$name.log");
    my ($count) = $log =~ /transactions actually processed: (\d+)/;
    return ok($run->result(0) == 0 && ($count // 0) >= $least && $log !~ /ERROR|aborted/,
        "$name: " . ($count // 0) . ' times without an error') || diag $log;
}

sub lists_of { return ask("SELECT lists FROM faiss_index_info('$_[0]')") }

sub answers_are_right {
    my ($name, $where, $every) = @_;
    my (undef, undef, $error) = $where->psql('postgres', q{SELECT faiss_index_check('pins_l', lock_writers => false)});
    is($error, '', "$name: the index is sound");
    is($where->safe_psql('postgres', "SET lookalike.recall = 0.99; SELECT differing('pins', $every)"), 'none',
        "$name: no answer differs from the table's");
}

sub standby_answers_the_same {
    my ($name, $every) = @_;
    $node->wait_for_catchup($standby);
    answers_are_right("$name, on the standby", $standby, $every);
    # Also what has nothing in common with the query comes in the same order.
    my $order = by_index(q{SELECT md5(string_agg(id::text, ',')), count(*), count(DISTINCT id)
        FROM (SELECT id FROM pins ORDER BY l <-> relative(700)) AS x});
    is($standby->safe_psql('postgres', $order), ask($order), "$name: the same order on both");
}

# From nothing, by several clients.
my $insert = 'INSERT INTO pins SELECT n, relative(n) FROM (SELECT nextval(\'numbers\')::int AS n FROM generate_series(1, 3)) AS x;';
clients_ended_well('inserts', start_clients('inserts', $insert, 4, '-t', 125), 500);
is(ask('SELECT count(*), count(DISTINCT id) FROM pins'), '1500|1500', 'all rows came');
cmp_ok(lists_of('pins_l'), '>=', 100, 'the index has grown: ' . lists_of('pins_l') . ' lists');
my $plan = ask(by_index('EXPLAIN SELECT id FROM pins WHERE within(l, relative(1), 0.7); EXPLAIN SELECT id FROM pins ORDER BY l <-> relative(1) LIMIT 3'));
is(scalar(() = $plan =~ /Index Scan using pins_l/g), 2, 'searches use it');
answers_are_right('grown', $node, 30);
is(ask(q{SELECT entries FROM faiss_index_info('pins_l')}), 1500 * 41, 'an entry for each feature and for each row');
standby_answers_the_same('grown', 60);

# Killed while clients insert.
for my $round (1, 2) {
    my $before = ask('SELECT count(*) FROM pins');
    my $run = start_clients("killed_$round", $insert, 4, '-T', 60);
    $node->poll_query_until('postgres', "SELECT count(*) > $before + 200 FROM pins") or die 'no rows come';
    $node->stop('immediate');
    $run->finish;
    $node->start;
    cmp_ok(ask('SELECT count(*) FROM pins'), '>', $before + 200, "killed, $round: rows are there");
    is(ask(q{SELECT faiss_index_check('pins_l') IS NULL}), 'f', "killed, $round: nothing is missing or too much");
    answers_are_right("killed, $round", $node, 60);
}

# Rows go, and others come where they were. The standby tells once a second what it still reads.
ask('DELETE FROM pins WHERE id % 7 = 0');
my $count = 'count(*) * 41 FROM pins';
for (1 .. 50) {
    ask('VACUUM (INDEX_CLEANUP ON) pins');
    last if ask(qq{SELECT entries = (SELECT $count) FROM faiss_index_info('pins_l')}) eq 't';
    sleep 0.2;
}
is(ask(q{SELECT entries FROM faiss_index_info('pins_l')}), ask("SELECT $count"), 'VACUUM takes out the entries of rows that went');
clients_ended_well('inserts_again', start_clients('inserts_again', $insert, 2, '-t', 30), 60);
is(ask(q{SELECT faiss_index_check('pins_l') IS NULL}), 'f', 'nothing was left behind');
is(ask(q{SELECT entries FROM faiss_index_info('pins_l')}), ask("SELECT $count"), '... no entry');
answers_are_right('filled again', $node, 60);
standby_answers_the_same('killed', 60);

# Beside each other: rows with ids up to 300 stay.
sub beside {
    ask(q{
        TRUNCATE pins;
        INSERT INTO pins SELECT * FROM source WHERE id <= 300;
        SELECT setval('numbers', 2000)});
    my $first_lists = lists_of('pins_l');
    my %scripts = (
        insert => [ 2, q{
            \set of random(1, 300)
            \set shared random(0, 25)
            INSERT INTO pins SELECT n, picture(n, 40, :of, :shared) FROM (SELECT nextval('numbers')::int AS n FROM generate_series(1, 4)) AS x;} ],
        delete => [ 1, q{
            DELETE FROM pins WHERE id IN (SELECT id FROM pins WHERE id > 300 ORDER BY hashint4(id) LIMIT 4 FOR UPDATE SKIP LOCKED);
            UPDATE pins SET l = picture(id + 1000000, 30) WHERE id = (SELECT max(id) FROM pins);
            \sleep 5 ms} ],
        search => [ 2, q{
            \set of random(1, 300)
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            SELECT 1 / (id = :of)::int FROM (SELECT id FROM pins ORDER BY l <-> (SELECT l FROM pins WHERE id = :of) LIMIT 1) AS x;
            SELECT 1 / ((SELECT count(*) FROM pins WHERE within(l, (SELECT l FROM pins WHERE id = :of), 0.7))
                = (SELECT count(*) FROM pins WHERE (l <-> (SELECT l FROM pins WHERE id = :of)) <= 0.7))::int;
            COMMIT;} ],
        all => [ 1, q{
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) = (SELECT count(*) FROM pins AS all_rows))::int
              FROM (SELECT id FROM pins ORDER BY l <-> (SELECT l FROM pins WHERE id = 5)) AS x;
            COMMIT;
            \sleep 20 ms} ],
        vacuum => [ 1, "VACUUM (INDEX_CLEANUP ON) pins;\n\\sleep 100 ms\n" ],
    );
    my %runs = map { $_ => start_clients($_, $scripts{$_}[1], $scripts{$_}[0], '-T', $seconds) } sort keys %scripts;
    my $rebuilds = 0;
    my $end = time + $seconds - 1;
    while ($rebuilds < 2 || time < $end) {
        sleep 0.7;
        ask('REINDEX INDEX CONCURRENTLY pins_l');
        ++$rebuilds;
    }
    clients_ended_well($_, $runs{$_}, 3) for sort keys %runs;
    cmp_ok($rebuilds, '>=', 2, "... beside $rebuilds times REINDEX CONCURRENTLY");
    cmp_ok(lists_of('pins_l'), '>', $first_lists, '... and lists came');
    is(ask(q{SELECT faiss_index_check('pins_l') IS NULL}), 'f', '... the index is sound');
    is(ask('SELECT count(*) FROM pins WHERE id <= 300'), '300', '... rows that stay are there');
    # However few the clients have added, each row has a relative.
    ask(q{INSERT INTO pins SELECT nextval('numbers'), picture(2000000 + of, 40, of, 25) FROM generate_series(1, 300) AS of});
    standby_answers_the_same('beside each other', 10);
}
beside();
unlike(slurp_file($standby->logfile), qr/inconsistent page|PANIC/, 'replay gave the same pages');
$standby->stop;

# Few codes and many, in a hundred thousand features.
ask(q{
    ALTER SYSTEM SET wal_consistency_checking = '';
    SELECT pg_reload_conf();
    CREATE TABLE queries AS SELECT c AS codes, of_codes(5000, 10000, c) AS l FROM unnest('{20,10000}'::int[]) AS c;
    CREATE TABLE crowd AS SELECT i AS id, of_codes(i, 100, 20) AS l FROM generate_series(1, 1000) AS i;
    CREATE INDEX crowd_l ON crowd USING faiss (l);
    CREATE TABLE many AS SELECT i AS id, of_codes(i, 100, 10000) AS l FROM generate_series(1, 1000) AS i;
    CREATE INDEX many_l ON many USING faiss (l)});

my ($session, $pid);
sub start_session {
    $session->quit if $session;
    $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_safe($_) for 'SET client_min_messages = error', 'SET enable_seqscan = off', 'SET enable_sort = off';
    $pid = $session->query_safe('SELECT pg_backend_pid()') + 0;
}

sub anonymous_kb { slurp_file("/proc/$pid/status") =~ /RssAnon:\s+(\d+) kB/ or die 'no RssAnon'; return $1 }
sub threads { my @tasks = glob "/proc/$pid/task/*"; return scalar @tasks }

sub search_for {
    my ($table, $codes) = @_;
    return "SELECT count(*) FROM (SELECT id FROM $table ORDER BY l <-> (SELECT l FROM queries WHERE codes = $codes) LIMIT 1) AS x";
}

# By how many kB the session grows while it runs a statement, and its most threads then.
sub peak_of {
    my ($statement) = @_;
    my ($base, $peak, $threads) = (anonymous_kb(), 0, 0);
    my $done = "$folder/done";
    unlink $done;
    $session->query_until(qr/begins/, "\\echo begins\n$statement;\n\\! touch $done\n");
    until (-e $done) {
        my $now = anonymous_kb() - $base;
        $peak = $now if $now > $peak;
        $threads = threads() if threads() > $threads;
        sleep 0.002;
    }
    $session->query('SELECT 1');
    return ($peak, $threads);
}

sub memory {
    for my $case ([ 'many', 10000, 4096 ], [ 'many', 10000, 64 ], [ 'crowd', 20, 64 ], [ 'crowd', 20, 4096 ], [ 'crowd', 20, 65536 ]) {
        my ($table, $codes, $work_mem) = @$case;
        start_session();
        $session->query_safe("SET lookalike.recall = 0.99; SET work_mem = $work_mem");
        # Plans, catalogs and functions are known afterwards.
        $session->query_safe(search_for($table, $codes) =~ s/queries WHERE codes = $codes/$table WHERE id = 7/r);
        $session->query_safe('SELECT sum(feature_count(l)) FROM queries');
        my ($peak, $threads) = peak_of(search_for($table, $codes));
        cmp_ok($peak, '<', $work_mem + 16 * 1024, "a search of $table with $work_mem kB had $peak kB");
        is($threads, 1, '... in one thread');
    }
}
memory();

sub error_of {
    my ($statement) = @_;
    $session->{stderr} = '';
    my $start = time;
    $session->query($statement);
    my $took = time - $start;
    my $error = $session->{stderr};
    $session->{stderr} = '';
    return ($error, $took);
}

# A search is cancelled while it counts votes and while it compares, a build while it learns: long before
# it would have ended.
sub cancelled {
    start_session();
    my %statements = (
        'counting votes' => [ 0.99, search_for('crowd', 20) ],
        'comparing every row' => [ 1, search_for('crowd', 20) ],
        'a build' => [ 1, 'CREATE INDEX again ON many USING faiss (l)' ],
    );
    my $files = q{SELECT count(*) FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = 'postgres')) AS name WHERE name ~ '^[0-9]+$'};
    ask('CHECKPOINT');
    my $before = ask($files);
    for my $name (sort keys %statements) {
        my ($recall, $statement) = @{ $statements{$name} };
        my $drop = $name eq 'a build' ? 'DROP INDEX again; ' : '';
        $session->query_safe("SET lookalike.recall = $recall");
        my (undef, $whole) = error_of($statement);
        $session->query_safe($drop . 'SET statement_timeout = 20');
        my ($error, $took) = error_of($statement);
        like($error, qr/canceling statement due to statement timeout/, "$name: cancelled");
        cmp_ok($took, '<', $whole / 2, "... soon: of $whole seconds");
        $session->query_safe('RESET statement_timeout');
        ok(no_worker_left($node), '... no worker is left');
        if ($name eq 'a build') {
            ask('CHECKPOINT');
            is(ask($files), $before, '... and no file');
        }
        my ($later) = error_of("$statement;\nSELECT pg_backend_pid()");
        is($later, '', '... and then done by the same session');
        is(threads(), 1, '... with one thread');
    }
    is($session->query_safe("SELECT pg_backend_pid(), faiss_index_check('again') IS NULL"), "$pid|f", 'the index is sound');
}
cancelled();
$session->quit;

# Damage. Of a list page of these indexes there is no link before its blocks, but a summary; each block
# has the codes of 32 entries and a word of flags.
sub list_of { my ($file, $block) = @_; return unpack 'V', substr $file, $block * PAGE + TRAILER, 4 }
sub put { my ($file, $block, $offset, $bytes) = @_;
    return substr($$file, $block * PAGE + $offset, length $bytes) = $bytes }
sub flip { my ($file, $block, $offset, $bits) = @_;
    return put($file, $block, $offset, chr(ord(substr $$file, $block * PAGE + $offset, 1) ^ $bits)) }
# A change of the meta page whose checksum follows.
sub put_meta {
    my ($file, $offset, $bytes) = @_;
    put($file, 0, BODY + $offset, $bytes);
    use integer;
    no warnings 'portable';
    my $sum = 1;
    $sum += $_ for unpack 'q*', substr($$file, BODY, 2244) . pack 'V', 0;
    return put($file, 0, BODY + 2244, pack 'V', $sum * -0x61c8864680b583eb >> 32);
}
sub row_list { return unpack 'V', substr ${ $_[0] }, BODY + 44, 4 }

# A list of features: its first page.
sub feature_list {
    my ($file) = @_;
    my ($root, $null_list, $nan_list) = unpack 'V3', substr $$file, BODY + 36, 12;
    for my $block (1 .. length($$file) / PAGE - 1) {
        next if ord(substr $$file, $block * PAGE + TRAILER + 12, 1) != LIST || list_of($$file, $block) != $block;
        next if $block == $root || $block == $null_list || $block == $nan_list;
        return $block;
    }
    die 'no list of features';
}

my $lost = qr/Its entries are not those of its local features/;
my %damage = (
    untouched => [ undef, sub { } ],
    code => [ $lost, sub { my ($file, $list, $codes) = @_; flip($file, $list, $codes + 5, 0x40) } ],
    # The flags of a block come after its codes.
    lost_feature => [ $lost, sub { my ($file, $list, $codes) = @_; flip($file, $list, $codes + LANES * CODE_BYTES, 1) } ],
    # The first and the last of 32 codes, of two rows, change places.
    two_codes => [ $lost, sub { my ($file, $list, $codes) = @_;
            my @of_block = unpack '(a16)32', substr $$file, $list * PAGE + $codes, LANES * CODE_BYTES;
            put($file, $list, $codes, join '', @of_block[ 31, 1 .. 30, 0 ]) } ],
    # A plain list page: flags of 41 blocks, then rows.
    lost_row => [ $lost, sub { my ($file) = @_; flip($file, row_list($file), BODY + 16, 1) } ],
    lost_empty_row => [ qr/It has no entry/, sub { my ($file) = @_; flip($file, row_list($file), BODY + 16, 2) } ],
    row_twice => [ $lost, sub { my ($file) = @_; my $rows = BODY + 16 + 41 * 4;
            put($file, row_list($file), $rows + 6, substr $$file, row_list($file) * PAGE + $rows, 6) }, qr/Its entries are not|It has no entry/ ],
    row_beyond => [ qr/beyond the end of the table/, sub { my ($file) = @_;
            put($file, row_list($file), BODY + 16 + 41 * 4, pack 'v3', 0, 5000, 1) } ],
    no_such_row => [ qr/row that does not exist|It has no entry|Its entries are not/, sub { my ($file) = @_;
            put($file, row_list($file), BODY + 16 + 41 * 4 + 4, pack 'v', 290) } ],
    attribute => [ qr/Its entries are not those|summary of a list does not cover/, sub { my ($file, $list, $codes, $keys) = @_;
            put($file, $list, $keys, pack 'V', unpack('V', substr $$file, $list * PAGE + $keys, 4) ^ 1) } ],
    kind => [ qr/expected local features of kind sift, not orb/, sub { my ($file) = @_; put_meta($file, 101, chr 2) } ],
    no_such_kind => [ qr/impossible values/, sub { my ($file) = @_; put_meta($file, 101, chr 3) } ],
    content => [ qr/impossible values/, sub { my ($file) = @_; put_meta($file, 100, chr 2) } ],
);

sub damaged {
    ask(q{
        CREATE TABLE t AS SELECT i AS id, i % 5 AS season, CASE WHEN i = 2 THEN 'orb@1 512x512 {}' WHEN i % 50 <> 0 THEN relative(i) END AS l
            FROM generate_series(1, 120) AS i});
    for my $name (sort keys %damage) {
        ask("CREATE INDEX $name ON t USING faiss (l, season) WITH (lists = 4)");
        is(ask("SELECT faiss_index_check('$name') IS NULL"), 'f', "$name: sound before it is damaged");
    }
    # Codes of all features, as the index keeps them.
    my %known = map { $_ => 1 } split /\n/, ask(q{SELECT DISTINCT substr(f.descriptor::text, 2, 32) FROM t, features(l) AS f});
    my %paths = map { $_ => $node->data_dir . '/' . ask("SELECT pg_relation_filepath('$_')") } keys %damage;
    $node->stop;
    for my $name (sort keys %damage) {
        my $file = slurp_file($paths{$name});
        my $before = $file;
        my $list = feature_list(\$file);
        my $page = substr $file, $list * PAGE, PAGE;
        my ($codes) = grep { $known{ unpack 'H*', substr $page, $_, CODE_BYTES } } BODY .. BODY + 1000;
        die 'no code is where codes are to be' if !defined $codes;
        # The keys come after all blocks; there are as many as fit.
        my $blocks = (grep { $codes + 516 * $_ + 132 * $_ + 6 * 32 * ($_ - 1) < TRAILER } 1 .. 20)[-1];
        my $keys = $codes + 516 * $blocks;
        $damage{$name}[1]->(\$file, $list, $codes, $keys);
        die "$name: nothing has changed" if $file eq $before && $name ne 'untouched';
        open my $handle, '>:raw', $paths{$name} or die "$paths{$name}: $!";
        print $handle $file;
        close $handle or die "$paths{$name}: $!";
    }
    $node->start;
    for my $name (sort keys %damage) {
        for my $locks ('true', 'false') {
            my ($status, undef, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT faiss_index_check('$name', lock_writers => $locks)");
            my ($expected, undef, $beside) = @{ $damage{$name} };
            $expected = $beside if $beside && $locks eq 'false';
            if (!$expected) {
                is($error, '', "$name: sound, with a lock: $locks");
                next;
            }
            isnt($status, 0, "$name: the check fails, with a lock: $locks");
            like($error, $expected, '... and says why');
        }
    }
    for my $name (grep { $_ ne 'untouched' } sort keys %damage) {
        ask("REINDEX INDEX $name");
        is(ask("SELECT faiss_index_check('$name') IS NULL"), 'f', "$name: REINDEX repairs it");
    }
}
damaged();
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP|server process .* exited/, 'no backend fell');
$node->stop;
done_testing();
