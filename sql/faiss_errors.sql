-- What is refused, and the hint that says what to do instead.
SET enable_seqscan = off;
CREATE TABLE t (id int, r descriptor(3), h descriptor(3, half), b descriptor(8, bit), a descriptor);

-- The operator class and the column's kind.
CREATE INDEX ON t USING faiss (b);
CREATE INDEX ON t USING faiss (b descriptor_cosine_ops);
CREATE INDEX ON t USING faiss (r descriptor_hamming_ops);
CREATE INDEX ON t USING faiss (h descriptor_jaccard_ops);
CREATE INDEX t_a ON t USING faiss (a descriptor_ip_ops);
INSERT INTO t (a) VALUES ('b101');
INSERT INTO t (a) VALUES ('[1,2]');
INSERT INTO t (a) VALUES ('[1,2,3]');
SELECT id FROM t ORDER BY a <#> '[1,2,3]';
DROP INDEX t_a;
INSERT INTO t (a) VALUES ('[1,2,3]');
CREATE INDEX ON t USING faiss (a);

-- Options.
CREATE INDEX ON t USING faiss (r) WITH (lists = -1);
CREATE INDEX ON t USING faiss (r) WITH (lists = 65537);
CREATE INDEX ON t USING faiss (r) WITH (refine = 'fine');
CREATE INDEX ON t USING faiss (r) WITH (recall = 1.5);
CREATE INDEX ON t USING faiss (r) WITH (recall = 0);
CREATE INDEX ON t USING faiss (r) WITH (probes = 3);
CREATE INDEX t_f ON t USING faiss (r) WITH (refine = float); -- a type's name to the grammar
SELECT refine FROM faiss_index_info('t_f');
DROP INDEX t_f;
CREATE INDEX t_r ON t USING faiss (r) WITH (lists = 1, refine = 'half', recall = 0.9);
ALTER INDEX t_r SET (recall = 0.5);
ALTER INDEX t_r SET (recall = -1);
SELECT reloptions FROM pg_class WHERE relname = 't_r';
ALTER INDEX t_r RESET (recall);
SELECT reloptions FROM pg_class WHERE relname = 't_r';
SET lookalike.probes = -1;
SET lookalike.recall = 1.5;
SET lookalike.recall = -1;
SET lookalike.recall = 'NaN';
SET lookalike.recall = 0; -- the index's own

-- What the access method cannot do.
CREATE UNIQUE INDEX ON t USING faiss (r);
CREATE INDEX ON t USING faiss (r) INCLUDE (id);
CREATE INDEX ON t USING faiss (r DESC);
CREATE INDEX ON t USING faiss (r, h);
CREATE INDEX ON t USING faiss (id);
CLUSTER t USING t_r;
DROP TABLE t;
