# Codebooks: learning is cancelled and loses its workers; samples; what other sessions, parallel workers
# and a restored dump see of them; preloading.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('codebook', "log_statement = none\nmaintenance_work_mem = '256MB'", "lookalike.image_cache_size = 0");
sub sql { my ($statements, $database) = @_;
    return $node->safe_psql($database // 'postgres', $statements) }
my $seed = $ENV{LOOKALIKE_SEED} // 20261202;
srand($seed);
note("seed $seed");

# Local features without pictures: 400 sets of 300, which come in as binary COPY has them.
my $noise = join '', map { chr int rand 120 } 1 .. 200_000;
sub bytes { my ($count) = @_;
    return substr $noise, int rand(length($noise) - $count), $count }
my $file = $node->basedir . '/values';
open my $values, '>:raw', $file or die "$file: $!";
print $values "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0);
for (1 .. 400) {
    my $count = 300;
    my $value = pack('C4N3', 2, 1, 0, 0, $count, 640, 480) . bytes(128 * $count)
      . pack('n*', map { int rand 49152 } 1 .. 2 * $count) . bytes(2 * $count) . chr(100) x $count;
    print $values pack('n', 1) . pack('N/a*', $value);
}
print $values pack('n', 0xffff);
close $values;
sql(qq{CREATE TABLE locals (l local_features); COPY locals FROM '$file' (FORMAT binary);
    ALTER TABLE locals ADD id serial PRIMARY KEY});
sql(q{
    CREATE FUNCTION squares(seed int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
        SELECT convert_to(format(E'P6\n%s %s\n255\n', 160, 160), 'LATIN1') || string_agg(decode(
                (SELECT repeat(string_agg(repeat(substr(md5(seed || ' ' || c || ' ' || r), 1, 6), 8), '' ORDER BY c), 8)
                   FROM generate_series(1, 20) AS c), 'hex'), '' ORDER BY r)
          FROM generate_series(1, 20) AS r $$;
    CREATE TABLE photos AS SELECT i AS id, squares(i) AS photo FROM generate_series(1, 20) AS i;
});

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query_safe('SELECT pg_backend_pid()');
sub interrupt { my ($statement, $pause, $how) = @_;
    return interrupt_with_worker($node, $session, $statement, $pause, $how) }
my $learning = q{SELECT train_codebook('long', 1, 'SELECT l FROM locals', 2000, 'bow')};
my $reading = q{SELECT train_codebook('long', 1, 'SELECT squares(i) FROM generate_series(1, 500) AS i')};

my ($error, $took) = interrupt($learning, 1, sub { sql("SELECT pg_cancel_backend($pid)") });
like($error, qr/canceling statement due to user request/, 'cancelled while it learns');
cmp_ok($took, '<', 2, '... soon');
($error) = interrupt($learning, 1, sub { kill 'KILL', @_ });
like($error, qr/ERROR:.*worker/, 'a killed worker is an error');
($error, $took) = interrupt($reading, 1, sub { sql("SELECT pg_cancel_backend($pid)") });
like($error, qr/canceling statement due to user request/, 'cancelled while it looks into pictures');
cmp_ok($took, '<', 2, '... soon');
($error) = interrupt($reading, 1, sub { kill 'KILL', @_ });
like($error, qr/ERROR:.*worker/, 'a worker that is killed while it does is an error');
is($session->query_safe('CREATE TABLE made (a int); SHOW transaction_read_only'), 'off', 'the session may write again');
is($session->query_safe(q{SELECT count(*) FROM lookalike_models}), '0', 'nothing was kept');
is($session->query_safe("SELECT count(*) FROM pg_ls_dir('/proc/' || pg_backend_pid() || '/task')"), '1',
    'the backend has one thread');

# Of more rows than memory holds those with the least hashes are taken, in any order.
for my $version (1, 2) {
    my ($out, $notice);
    $node->psql('postgres', qq{SET maintenance_work_mem = '56MB';
        SELECT train_codebook('few', $version, 'SELECT l FROM locals ORDER BY random()', 8, 'vlad', dimensions => 128)}, stdout => \$out, stderr => \$notice);
    like($notice, qr/A sample of 3\d\d was taken/, 'a sample');
}
is(sql(q{SELECT count(DISTINCT digest) FROM lookalike_models WHERE name = 'few'}), '1', '... is the same in any order');
my ($out, $hint);
$node->psql('postgres', q{SET maintenance_work_mem = '64MB'; SELECT train_codebook('few', 3, 'SELECT l FROM locals', 512, 'vlad', dimensions => 128)},
    stdout => \$out, stderr => \$hint);
like($hint, qr/cannot learn 512 words in 64 MB.*Raise "maintenance_work_mem" to (\d+) MB/s, 'memory that does not suffice');
my ($needed) = $hint =~ /to (\d+) MB/;
is(sql(qq{SET maintenance_work_mem = '${needed}MB'; SELECT train_codebook('few', 3, 'SELECT l FROM locals', 512, 'vlad', dimensions => 128)}), '128',
    '... and how much does');

is(sql(q{SET maintenance_work_mem = '64MB'; SELECT train_codebook('few', 4, 'SELECT l FROM locals')}), '64',
    'the default suffices for the defaults');

# Other sessions, and parallel workers.
my $train = sub { my ($where) = @_;
    sql(qq{SELECT train_codebook('words', 1, 'SELECT photo FROM photos WHERE $where', 8, 'vlad', max_features => 40)}) };
my $sum = q{SELECT md5(string_agg(image_features(photo, 'vlad:words@1')::text, ',' ORDER BY id)) FROM photos};
my $sum_of_locals = q{SELECT md5(string_agg(codebook_features(l, 'words@1')::text, ',' ORDER BY id)) FROM locals};
$train->('true');
my @first = map { $session->query_safe($_) } $sum, $sum_of_locals;
sql(q{SELECT drop_codebook('words', 1)});
$train->('id < 10');
my @second = map { $session->query_safe($_) } $sum, $sum_of_locals;
isnt($second[$_], $first[$_], 'another one of a dropped name reaches a session') for 0, 1;
is(sql($sum), $second[0], '... as it reaches others');
is(sql($sum_of_locals), $second[1], '... in each way');
my $parallel = $node->safe_psql('postgres', 'SHOW server_version_num') >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode';
is(sql("SET $parallel = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; $sum_of_locals"),
    $second[1], 'parallel workers compute the same');

# Preloaded, it is not sent.
$session->quit;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lookalike'");
$node->restart;
my $loads = 'SELECT models_preloaded, models_loaded FROM image_worker_stats()';
is(sql("$sum; $loads"), "$second[0]\n0|1", 'a codebook that is not preloaded is sent');
is(sql(q{SELECT image_model_preload('words', 1) >= 0}), 't', 'image_model_preload()');
is(sql("$sum; $loads"), "$second[0]\n1|0", '... and it is found');

# Dumps, by the owner of the database.
sql('CREATE ROLE keeper LOGIN');
sql("CREATE DATABASE $_ OWNER keeper") for 'kept', 'given';
sql('CREATE EXTENSION lookalike', $_) for 'kept', 'given';
my $photos = sql(q{SELECT string_agg(format('(%s,%L)', id, photo), ',') FROM photos});
sql(qq{SET ROLE keeper; CREATE SCHEMA own; CREATE TABLE own.t (id int PRIMARY KEY, photo bytea, l local_features, f descriptor);
    INSERT INTO own.t (id, photo) VALUES $photos; UPDATE own.t SET l = image_local_features(photo, 'sift', 40);
    SELECT train_codebook('words', 7, 'SELECT l FROM own.t', 8, 'fisher', dimensions => 8, max_features => 40);
    CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON own.t FOR EACH ROW
        EXECUTE FUNCTION image_features_trigger('photo', 'f', 'fisher:words\@7');
    UPDATE own.t SET photo = photo || '';
    CREATE INDEX by_words ON own.t USING faiss (codebook_features(l, 'words\@7'))}, 'kept');
my $contents = q{SELECT md5(string_agg(codebook_features(l, 'words@7')::text || image_features(photo, 'fisher:words@7')::text, ',' ORDER BY id)) FROM own.t};
my $expected = sql($contents, 'kept');
my $folder = $node->backup_dir;
mkdir $folder;
my %restore = (
    plain => [ [ 'pg_dump', '-f' ], [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f' ] ],
    custom => [ [ 'pg_dump', '-Fc', '-f' ], [ 'pg_restore', '--exit-on-error' ] ],
);
for my $form (sort keys %restore) {
    my ($dump, $restore) = @{ $restore{$form} };
    $node->command_ok([ @$dump, "$folder/$form", '-U', 'keeper', '--no-comments', 'kept' ], "$form: dump");
    sql('DROP SCHEMA IF EXISTS own CASCADE; DELETE FROM lookalike_models', 'given');
    $node->command_ok([ @$restore, "$folder/$form", '-U', 'keeper', '-d', 'given' ], "$form: restore");
    is(sql($contents, 'given'), $expected, "$form: the codebook came along");
    is(sql(q{SELECT faiss_index_check('own.by_words') IS NOT NULL}, 'given'), 't', "$form: and its index");
}
my ($refused, $dependants);
$node->psql('given', q{SELECT drop_codebook('words', 7)}, stdout => \$refused, stderr => \$dependants);
like($dependants, qr/cannot drop codebook "words\@7".*index own.by_words.*trigger fill/s, 'a codebook in use is kept');
$node->stop('fast');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'the server saw no crash');
done_testing();
