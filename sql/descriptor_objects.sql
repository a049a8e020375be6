-- What the extension brings: the list is here so that none is lost or changed unseen.
-- (From PostgreSQL 17 on, array types are members too.)
SELECT pg_describe_object(classid, objid, 0) COLLATE "C" AS object FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lookalike')
    AND pg_describe_object(classid, objid, 0) ~
        'descriptor|distance|similarity|product|subvector|quantize|normalize'
    AND pg_describe_object(classid, objid, 0) !~ 'access method faiss|function image_|^type .*\[\]$'
    ORDER BY 1;
-- Every function is immutable, strict and safe in parallel.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_proc'::regclass AND extname = 'lookalike' AND prokind = 'f'
    AND 'descriptor'::regtype = ANY (prorettype || proargtypes::oid[])
    AND proname !~ '^image_' AND NOT (provolatile = 'i' AND proparallel = 's' AND proisstrict);
SELECT aggfnoid::regprocedure::text COLLATE "C" AS aggregate, aggcombinefn <> 0 AS combines,
    proparallel
    FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid
    WHERE 'descriptor'::regtype = ANY (proargtypes)
    ORDER BY 1;
-- Every symmetric operator says so.
SELECT oprname, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin, oprcanhash,
    oprcanmerge
    FROM pg_operator WHERE oprleft = 'descriptor'::regtype ORDER BY oprname COLLATE "C";
SELECT opcname, amname, opcdefault FROM pg_opclass JOIN pg_am a ON a.oid = opcmethod
    WHERE opcintype = 'descriptor'::regtype AND amname IN ('btree', 'hash') ORDER BY 2;
SELECT amname, opcname FROM pg_opclass JOIN pg_am a ON a.oid = opcmethod
    WHERE opcintype = 'descriptor'::regtype AND NOT amvalidate(pg_opclass.oid);
-- Every object says what it is. (A family says what its classes do; array types are members from
-- PostgreSQL 17 on.)
SELECT pg_describe_object(classid, objid, 0) COLLATE "C" AS without_comment FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'lookalike')
    AND obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) IS NULL
    AND pg_describe_object(classid, objid, 0) !~ '^operator family |^type .*\[\]$'
    ORDER BY 1;
-- Every argument can be named without quotes.
SELECT p.oid::regprocedure, argument FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND deptype = 'e'
    JOIN pg_extension e ON e.oid = d.refobjid, unnest(proargnames) AS argument
    WHERE d.classid = 'pg_proc'::regclass AND extname = 'lookalike'
    AND quote_ident(argument) <> argument;
-- The extension moves to another schema and back.
CREATE SCHEMA elsewhere;
ALTER EXTENSION lookalike SET SCHEMA elsewhere;
SELECT elsewhere.l2_distance('[0]', '[2]'), '[1]'::elsewhere.descriptor(1, half);
SELECT '[0]'::elsewhere.descriptor OPERATOR(elsewhere.<->) '[2]' AS distance;
ALTER EXTENSION lookalike SET SCHEMA public;
DROP SCHEMA elsewhere;
-- A table depends on it.
CREATE TABLE holder (v descriptor(2));
DROP EXTENSION lookalike;
BEGIN;
SET client_min_messages = warning;
DROP EXTENSION lookalike CASCADE;
SELECT count(*) FROM pg_attribute WHERE attrelid = 'holder'::regclass AND attnum > 0
    AND NOT attisdropped;
CREATE EXTENSION lookalike;
SELECT '[1,2]'::descriptor <-> '[1,2]' AS distance;
ROLLBACK;
DROP TABLE holder;
