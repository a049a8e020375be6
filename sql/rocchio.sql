-- A query that has seen marks: 1 query + 0.75 mean of good - 0.25 mean of bad, as a mean again.
SELECT rocchio('[1,2]', '{}'), rocchio('[1,2]', '{}', '{}');
SELECT rocchio('[0,0]', ARRAY['[1,2]', '[3,6]']::descriptor[], keep => 1, towards => 1);
SELECT rocchio('[4,0]', ARRAY['[0,4]']::descriptor[], ARRAY['[4,4]']::descriptor[], 2, 2, 2);
SELECT rocchio('[0,0]', '{}', ARRAY['[3,-3]']::descriptor[]);
SELECT rocchio('[1,1]', ARRAY['[1,1]', NULL]::descriptor[], ARRAY[NULL]::descriptor[]) = '[1,1]' AS nulls_are_no_marks;
SELECT rocchio('[1]', NULL) IS NULL AS null, rocchio(NULL, '{}') IS NULL AS null, rocchio('[1]', '{}', away => NULL) IS NULL AS null;
-- The kind is the query's.
SELECT descriptor_kind(r), r FROM (VALUES (rocchio('[1,2]'::descriptor(2, half), ARRAY['[1,1]']::descriptor[])),
    (rocchio('[1,2]', ARRAY['[1,1]'::descriptor(2, half)]::descriptor[])), (rocchio('[1,2]', '{{"[1,1]"},{"[1,3]"}}'))) AS results (r);
-- Mistakes.
SELECT rocchio('[1,2]', ARRAY['[1]']::descriptor[]);
SELECT rocchio('[1,2]', '{}', ARRAY['[1]']::descriptor[]);
SELECT rocchio('b10', '{}');
SELECT rocchio('[1,2]', ARRAY['b10']::descriptor[]);
SELECT rocchio('[1]', '{}', '{}', -1);
SELECT rocchio('[1]', '{}', towards => 'NaN');
SELECT rocchio('[1]', '{}', away => 'Infinity');
SELECT rocchio('[1]', '{}', keep => 0, towards => 1);
SELECT rocchio('[1]', ARRAY['[1]']::descriptor[], ARRAY['[2]']::descriptor[], 1, 1, 2);
SELECT rocchio('[3e38]', ARRAY['[3e38]']::descriptor[], ARRAY['[-3e38]']::descriptor[], 1, 1, 1);
-- In one search.
CREATE TABLE designs (id int PRIMARY KEY, features descriptor(2));
INSERT INTO designs SELECT i, ARRAY[i % 10, i / 10]::real[]::descriptor FROM generate_series(0, 99) AS i;
CREATE TABLE marks (id int, good boolean);
INSERT INTO marks VALUES (75, true), (76, true), (33, false), (NULL, false);
SELECT id FROM designs ORDER BY features <-> (
    SELECT rocchio('[4,4]', coalesce(array_agg(features) FILTER (WHERE good), '{}'), coalesce(array_agg(features) FILTER (WHERE NOT good), '{}'))
      FROM marks JOIN designs USING (id)), id LIMIT 3;
DROP TABLE designs, marks;
