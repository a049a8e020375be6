-- Who is told what scans did: counts tell about rows that a user may not see.
SET enable_seqscan = off;
CREATE ROLE counts_tenant;
CREATE ROLE counts_reader;
CREATE ROLE counts_monitor;
CREATE ROLE counts_owner;
GRANT pg_stat_scan_tables TO counts_monitor;
GRANT ALL ON SCHEMA public TO counts_owner;
SET ROLE counts_owner;
CREATE TABLE counted (id int, tenant text, f descriptor(2));
INSERT INTO counted SELECT i, CASE WHEN i % 10 = 0 THEN 'counts_tenant' ELSE 'other' END,
        ARRAY[i, i % 7]::real[]::descriptor FROM generate_series(1, 100) AS i;
CREATE INDEX counted_f ON counted USING faiss (f, id);
GRANT SELECT ON counted TO counts_tenant;
-- What a session sees of its last scan, and of the sums.
CREATE VIEW last_counts AS
    SELECT index, loops, entries_scanned > 0 AS scanned, entries_filtered, rows_emitted FROM faiss_scan_stats();
CREATE VIEW sum_counts AS
    SELECT indexrelname, scans, loops, entries_scanned > 0 AS scanned, entries_filtered, rows_emitted, duration_ms > 0 AS took
      FROM faiss_index_stats;
GRANT SELECT ON last_counts, sum_counts TO PUBLIC;
-- A tenant sees all rows, so he may count them.
SET ROLE counts_tenant;
SELECT count(*) FROM (SELECT id FROM counted WHERE id > 50 ORDER BY f <-> '[1,1]' LIMIT 100) AS s;
SELECT * FROM last_counts;
SELECT * FROM sum_counts;
-- Under row-level security he may not.
SET ROLE counts_owner;
ALTER TABLE counted ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON counted FOR SELECT TO counts_tenant USING (tenant = current_user);
SET ROLE counts_tenant;
SELECT count(*) FROM (SELECT id FROM counted WHERE id > 50 ORDER BY f <-> '[1,1]' LIMIT 100) AS s;
SELECT * FROM last_counts;
SELECT * FROM sum_counts;
SET row_security = off;
SELECT * FROM last_counts;
RESET row_security;
-- The table's owner may, though his security is forced, and a member of pg_stat_scan_tables.
SET ROLE counts_owner;
ALTER TABLE counted FORCE ROW LEVEL SECURITY;
SELECT rows_emitted FROM sum_counts;
SELECT count(*) FROM (SELECT id FROM counted WHERE id > 50 ORDER BY f <-> '[1,1]' LIMIT 100) AS s;
SELECT * FROM last_counts;
SET ROLE counts_monitor;
SELECT * FROM last_counts;
SELECT * FROM sum_counts;
RESET ROLE;
SELECT * FROM last_counts;
SET ROLE counts_owner;
ALTER TABLE counted DISABLE ROW LEVEL SECURITY;

-- A view hides rows from who may not read its table.
CREATE VIEW own_counted WITH (security_barrier) AS
    SELECT id FROM counted WHERE tenant = 'counts_tenant' ORDER BY f <-> '[1,1]';
GRANT SELECT ON own_counted TO counts_reader;
SET ROLE counts_reader;
SELECT count(*) FROM (SELECT id FROM own_counted LIMIT 100) AS s;
SELECT * FROM last_counts;
SELECT * FROM sum_counts;
-- Some of its columns are not enough, all are.
SET ROLE counts_owner;
GRANT SELECT (id, f) ON counted TO counts_reader;
SET ROLE counts_reader;
SELECT count(*) FROM (SELECT id FROM counted ORDER BY f <-> '[1,1]' LIMIT 3) AS s;
SELECT * FROM last_counts;
SET ROLE counts_owner;
GRANT SELECT (tenant) ON counted TO counts_reader;
SET ROLE counts_reader;
SELECT * FROM last_counts;

-- What a function does as its owner is the owner's.
SET ROLE counts_owner;
CREATE FUNCTION near_secret() RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET enable_seqscan = off
    AS $$ SELECT count(*) FROM (SELECT id FROM counted ORDER BY f <-> '[77,7]' LIMIT 5) AS s $$;
CREATE FUNCTION owners_counts() RETURNS SETOF last_counts LANGUAGE sql SECURITY DEFINER
    AS $$ SELECT * FROM last_counts $$;
SET ROLE counts_reader;
SELECT near_secret();
SELECT * FROM last_counts;
SELECT * FROM owners_counts();

-- Of a partition who may read the whole table may count.
SET ROLE counts_owner;
CREATE TABLE parted (id int, f descriptor(2)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (1000);
INSERT INTO parted SELECT id, f FROM counted;
CREATE INDEX parted_1_f ON parted_1 USING faiss (f);
GRANT SELECT ON parted TO counts_reader;
SET ROLE counts_reader;
SELECT count(*) FROM (SELECT id FROM parted ORDER BY f <-> '[1,1]' LIMIT 3) AS s;
SELECT * FROM last_counts;
SET ROLE counts_owner;
ALTER TABLE parted ENABLE ROW LEVEL SECURITY;
SET ROLE counts_reader;
SELECT * FROM last_counts;

-- The counts of an index that has gone are nobody's.
SET ROLE counts_owner;
DROP TABLE parted;
SELECT * FROM last_counts;
DROP VIEW own_counted, sum_counts;
DROP FUNCTION near_secret(), owners_counts();
DROP VIEW last_counts;
DROP TABLE counted;
RESET ROLE;
REVOKE ALL ON SCHEMA public FROM counts_owner;
DROP ROLE counts_tenant, counts_reader, counts_monitor, counts_owner;
