# A search that has read a list page comes back for a slot after VACUUM has recycled its page and the
# list has taken it again, in another place: the entry has gone, the index is sound.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use FaissTest;
use Test::More;

my $node = start_node('reuse');
my $other = sprintf 'psql -X -q -h %s -p %d -d postgres', $node->host, $node->port;
for my $shape ([ 64, 'int8', 2000, 1300, 130 ], [ 1024, 'half', 1400, 790, 180 ]) {
    my ($dims, $refine, $rows, $left, $more) = @$shape;
    my $wrong = 0;
    for my $round (1 .. 3) {
        $node->safe_psql('postgres', qq{
            DROP TABLE IF EXISTS t;
            CREATE TABLE t (id int, d descriptor($dims));
            INSERT INTO t SELECT i, made_up(i, $dims) FROM generate_series(1, $rows) AS i;
            CREATE INDEX t_d ON t USING faiss (d) WITH (lists = 2, refine = '$refine');
            DELETE FROM t WHERE id > $left});
        my ($status, $out, $err) = $node->psql('postgres', by_index(qq{
            SET lookalike.probes = 2;
            BEGIN;
            DECLARE c CURSOR FOR SELECT id FROM t ORDER BY d <-> (SELECT made_up(1, $dims));
            MOVE 1 FROM c;
            \\! $other -c 'VACUUM (INDEX_CLEANUP ON) t'
            \\! $other -c 'INSERT INTO t SELECT -i, made_up(i, $dims) FROM generate_series(1, $more) AS i'
            CREATE TEMP TABLE came (id int);
            DO \$\$ DECLARE c refcursor := 'c'; r record; BEGIN
                LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; INSERT INTO came VALUES (r.id); END LOOP;
            END \$\$;
            SELECT count(*) = $left - 1 AND count(DISTINCT id) = $left - 1 AND min(id) > 0 FROM came;
            COMMIT}), on_error_stop => 1);
        $wrong++ if $status != 0 || $out ne 't';
        diag "$out $err" if $status != 0 || $out ne 't';
        $node->safe_psql('postgres', "SELECT faiss_index_check('t_d')");
    }
    is($wrong, 0, "$dims dimensions, $refine: every row of the snapshot comes once, and no error");
}
$node->stop;
done_testing();
