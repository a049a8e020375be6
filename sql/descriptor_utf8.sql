-- A message never cuts a character in two. Only UTF-8 has the characters to show it.
SELECT getdatabaseencoding() <> 'UTF8' AS skip_test \gset
\if :skip_test
\quit
\endif
SET client_encoding = utf8;
SELECT 'x0é'::descriptor;
SELECT 'béé'::descriptor;
SELECT ('[' || repeat('é', 100) || ']')::descriptor;
SELECT ('[x' || repeat('é', 100) || ']')::descriptor;
SELECT ('[' || repeat('€', 100) || ']')::descriptor;
