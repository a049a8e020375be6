# An index that gets rows from several sessions is measured by one of them; another does it when that
# one inserts nothing more, has ended or has given its turn back.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('turn', 'autovacuum = off', 'max_prepared_transactions = 2');

sub ask { return $node->safe_psql('postgres', @_) }

# So wide that a first measuring takes some stretches. With a number of lists that was asked for there is
# one split, and nothing to be measured again.
ask(q{SELECT setseed(0.5);
    CREATE TABLE source AS SELECT i AS id, made_up(i, 128) AS d FROM generate_series(1, 5600) AS i;
    ALTER TABLE source ADD PRIMARY KEY (id)});

my $next;

# The first session's rows split the index; the one after that begins to measure it.
sub begin_measuring {
    ask(q{DROP TABLE IF EXISTS rows;
        CREATE TABLE rows (id int, d descriptor(128));
        CREATE INDEX rows_d ON rows USING faiss (d) WITH (lists = 70)});
    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_safe('INSERT INTO rows SELECT * FROM source WHERE id <= 5002');
    $next = 5003;
    return $session;
}

sub insert {
    my ($session, $count) = @_;
    my $rows = sprintf 'id BETWEEN %d AND %d', $next, $next + $count - 1;
    $next += $count;
    $session->query_safe("INSERT INTO rows SELECT * FROM source WHERE $rows");
}

sub measured { return ask(q{SELECT measured_queries > 0 FROM faiss_index_info('rows_d')}) }
sub turns { return ask(q{SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_class'::regclass AND objid = 'rows_d'::regclass}) }

my $first = begin_measuring();
my $second = $node->background_psql('postgres', on_error_stop => 0);
is(measured() . turns(), 'f1', 'the session whose row split the index measures it');
insert($second, 40);
is(measured() . turns(), 'f1', 'another leaves it to that one');
insert($first, 100);
is(measured() . turns(), 't0', 'it comes to an end, and the turn is given back');
$first->quit;

# Nobody waits for a session that does nothing more.
$first = begin_measuring();
insert($second, 400);
is(measured(), 't', 'another measures in the end');
insert($first, 1);
is(turns(), 0, '... which the first one sees');
insert($first, 100);
is(turns(), 0, '... and does not go on');
$first->quit;

# It may end, or be told to give up all that it has locked for its session.
for my $end (sub { $first->quit }, sub { $first->query_safe('DISCARD ALL') }) {
    $first = begin_measuring();
    is(turns(), 1, 'the turn is taken');
    $end->();
    $node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_class'::regclass});
    insert($second, 100);
    is(measured(), 't', 'whoever comes next measures');
}
insert($first, 20);
is(measured() . turns(), 't0', 'a session that has lost its turn goes on');
$first->quit;

# A transaction that is rolled back keeps the turn, and a prepared transaction does not take it along.
$first = begin_measuring();
$first->query_safe('BEGIN; INSERT INTO rows SELECT * FROM source WHERE id = 5003; ROLLBACK');
is(turns(), 1, 'a rollback gives nothing back');
$first->query_safe("BEGIN; INSERT INTO rows SELECT * FROM source WHERE id = 5003; PREPARE TRANSACTION 'one'");
is(turns() . ask('SELECT count(*) FROM pg_prepared_xacts'), '11', 'nor does a transaction that is prepared');
$first->query_safe("COMMIT PREPARED 'one'");
$next = 5004;
insert($first, 100);
is(measured() . turns(), 't0', '... and the session goes on after it');
$first->quit;
$second->quit;

unlike(slurp_file($node->logfile), qr/you don't own a lock|PANIC/, 'nothing is released twice');
ask(q{SELECT faiss_index_check('rows_d')});
$node->stop;
done_testing();
