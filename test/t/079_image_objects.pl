# Objects of the extension that their owners, or others with a schema of theirs, have altered, renamed
# or replaced: what the image functions find by name or read by number must not be taken for theirs.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('image_objects');
$node->init;
$node->start;

# Statements in a database of its own; returns its output and the codes of its errors.
my $databases = 0;
sub try {
    my (@statements) = @_;
    my ($out, $err);
    my $database = 'try' . ++$databases;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->psql($database, join(";\n", @statements), stdout => \$out, stderr => \$err,
        on_error_stop => 0, on_error_die => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    diag $err if $err =~ /server closed/;
    return join ' ', $out, grep { defined } $err =~ /ERROR:\s+(\w+):|(server closed)/g;
}
$node->safe_psql('postgres', 'CREATE ROLE owner; CREATE ROLE stranger');
my $means = onnx(0);
my @begin = (q{CREATE SCHEMA images}, q{CREATE EXTENSION lookalike SCHEMA images}, q{SET search_path = images, public},
    q{CREATE FUNCTION public.ppm(color text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$SELECT convert_to(E'P6\n8 8\n255\n', 'LATIN1') || decode(repeat(color, 64), 'hex')$$},
    "DO \$\$ BEGIN PERFORM register_image_model('means', 1, '\\x$means', 8, 8, '{0,0,0}', '{255,255,255}',
        normalized => false); END \$\$",
    q{GRANT CREATE ON DATABASE } . q{:"DBNAME"} . q{ TO owner}, q{GRANT ALL ON SCHEMA images, public TO owner, stranger});
my $use = q{SELECT descriptor_dims(image_features(ppm('ff8000'), 'net:means@1'))};
my @owned = (@begin, q{ALTER TABLE lookalike_models OWNER TO owner}, q{SET ROLE owner});

is(try(@begin, $use, q{ALTER EXTENSION lookalike SET SCHEMA public}, $use), "3\n3",
    'an extension that moves takes its networks along');
is(try(@begin, q{CREATE SCHEMA own}, q{ALTER FUNCTION image_features(bytea, text) SET SCHEMA own},
        q{CREATE TABLE own.lookalike_models (name text, version int)}, $use =~ s/image_features/own.image_features/r),
    '3', 'a function that moves uses those of the extension');

# The owner of the table, who needs no other rights.
is(try(@owned, q{ALTER TABLE lookalike_models ADD COLUMN note text DEFAULT 'x'},
        q{ALTER TABLE lookalike_models RENAME COLUMN dims TO dimensions}, $use), '3', 'columns that are added or renamed');
is(try(@owned, q{ALTER TABLE lookalike_models ALTER digest DROP EXPRESSION},
        q{ALTER TABLE lookalike_models ALTER digest TYPE integer USING 7}, $use),
    ' 55000', 'a column of another type');
is(try(@owned, q{ALTER TABLE lookalike_models DROP COLUMN digest}, $use), ' 55000', 'a column that is dropped');
is(try(@owned, q{ALTER TABLE lookalike_models DROP COLUMN digest}, q{ALTER TABLE lookalike_models ADD digest bytea}, $use),
    ' 55000', '... and added again');
is(try(@owned, q{ALTER TABLE lookalike_models ALTER digest DROP EXPRESSION}, $use), ' 55000',
    'digests that could be those of other networks');
is(try(@owned, $use, q{ALTER TABLE lookalike_models RENAME TO models}, $use),
    '3 42P01', 'a table of another name');
is(try(@owned, q{ALTER TABLE lookalike_models ALTER options DROP NOT NULL}, q{UPDATE lookalike_models SET options = NULL}, $use),
    ' XX000', 'a column that is null');
is(try(@owned, q{UPDATE lookalike_models SET options = options - 'std'}, $use), ' 22023', 'an option that is gone');
is(try(@owned, q{UPDATE lookalike_models SET options = options || '{"std":[1,2]}'}, $use), ' 22023', '... too short');
is(try(@owned, q{UPDATE lookalike_models SET options = options || '{"bgr":1}'}, $use), ' 22023', '... of another type');
is(try(@owned, q{UPDATE lookalike_models SET options = options || '{"input_width":1e300}'}, $use), ' 22023', '... out of range');
is(try(@owned, q{ALTER TABLE lookalike_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY}, $use), '3',
    'row security does not hide networks, as rights do not');

# Something else of that name.
my $named = sub { return try(@owned, q{ALTER TABLE lookalike_models RENAME TO models}, q{SET ROLE stranger}, @_, $use) };
is($named->(q{CREATE TABLE lookalike_models AS SELECT 1 AS name, 2 AS version}), ' 42P01', 'a stranger\'s table');
is($named->(q{CREATE VIEW lookalike_models AS SELECT 1 AS name}), ' 42P01', '... view');
is($named->(q{CREATE TABLE lookalike_models (name text) PARTITION BY LIST (name)}), ' 42P01', '... partitioned table');
is($named->(q{CREATE SEQUENCE lookalike_models}), ' 42P01', '... sequence');
is($named->(q{CREATE TABLE public.t (name text)}, q{CREATE INDEX lookalike_models ON public.t (name)},
        q{ALTER INDEX public.lookalike_models RENAME TO lookalike_models2}), ' 42P01', '... nothing');
is(try(@owned, q{RESET ROLE}, q{ALTER EXTENSION lookalike DROP TABLE lookalike_models}, $use), ' 42P01',
    'a table that no longer belongs to the extension');
is(try(@begin, q{SET ROLE owner}, q{DROP EXTENSION lookalike}, $use), '3 42501', 'others may not drop it');

# What a network is used by keeps it.
my $drop = q{SELECT drop_image_model('means', 1)};
my $table = q{CREATE TABLE public.t (photo bytea, features descriptor)};
my $refused = sub { return try(@begin, $table, @_, $drop, $use) };
is($refused->(), "t 42704", 'a network that nothing uses can be dropped');
is($refused->(q{CREATE INDEX ON public.t USING faiss (image_features(photo, 'color+net:means@1:2'))}), '3 2BP01', 'an index keeps it');
is($refused->(q{ALTER TABLE public.t ADD other descriptor GENERATED ALWAYS AS (image_features(photo, 'net:means@1')) STORED}),
    '3 2BP01', '... a generated column');
is($refused->(q{ALTER TABLE public.t ADD CHECK (descriptor_dims(image_features(photo, 'net:means@1')) = 3)}), '3 2BP01', '... a constraint');
is($refused->(q{CREATE VIEW public.v AS SELECT image_features(photo, 'net:means@1') FROM public.t}), '3 2BP01', '... a view');
is($refused->(q{CREATE TRIGGER fill BEFORE INSERT ON public.t FOR EACH ROW
        EXECUTE FUNCTION image_features_trigger('photo', 'features', 'net:means@1')}), '3 2BP01', '... a trigger');
is($refused->(q{CREATE INDEX ON public.t USING faiss (image_features(photo, 'net:means@11+net:demeans@1'))}), "t 42704",
    'one of a longer name or version does not');
is($refused->(q{CREATE FUNCTION pg_temp.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false'},
        q{CREATE OPERATOR public.~ (FUNCTION = pg_temp.same, LEFTARG = text, RIGHTARG = text)},
        q{SET search_path = public, images, pg_catalog},
        q{CREATE INDEX ON public.t USING faiss (image_features(photo, 'net:means@1'))}), '3 2BP01',
    'operators of others are not asked');
is(try(@begin, $table, q{CREATE INDEX ON public.t USING faiss (image_features(photo, 'net:means@1'))},
        q{UPDATE lookalike_models SET name = 'other'}, q{UPDATE lookalike_models SET data = data}, $use), '3 2BP01',
    'nor does it get another name');
is(try(@begin, q{CREATE TABLE public.mine (kind text, name text, version int)}, q{INSERT INTO public.mine VALUES ('network', 'x', 1)},
        q{CREATE TRIGGER kept BEFORE DELETE ON public.mine FOR EACH ROW EXECUTE FUNCTION lookalike_models_kept()},
        q{DELETE FROM public.mine}), ' 39P01', 'the trigger is for no other table');

# A type of that name beside the function.
my @trigger = (@begin, q{ALTER FUNCTION image_features_trigger() OWNER TO owner}, q{SET ROLE owner}, q{CREATE SCHEMA evil});
my @filled = (q{ALTER FUNCTION images.image_features_trigger() SET SCHEMA evil},
    q{CREATE TABLE evil.t (photo bytea, features evil.descriptor)},
    q{CREATE TRIGGER fill BEFORE INSERT ON evil.t FOR EACH ROW
        EXECUTE FUNCTION evil.image_features_trigger('photo', 'features', 'color')},
    q{INSERT INTO evil.t VALUES (ppm('ff8000'))}, q{SELECT * FROM evil.t});
is(try(@trigger, q{CREATE TYPE evil.descriptor AS (a text, b text)}, @filled), ' 42804', 'a composite type');
is(try(@trigger, q{CREATE DOMAIN evil.descriptor AS text}, @filled), ' 42804', 'a domain');
is(try(@trigger, q{CREATE TYPE evil.descriptor AS ENUM ('a')}, @filled), ' 42804', 'an enumeration');
is(try(@begin, q{ALTER TYPE descriptor RENAME TO features}, q{CREATE TABLE public.t (photo bytea, features features)},
        q{CREATE TRIGGER fill BEFORE INSERT ON public.t FOR EACH ROW
            EXECUTE FUNCTION image_features_trigger('photo', 'features', 'color')},
        q{INSERT INTO public.t VALUES (ppm('ff8000')) RETURNING descriptor_dims(features)}),
    '240', 'the type itself, by another name');

# Anybody may call the trigger functions for tables of theirs.
is(try(@begin, q{SET ROLE stranger}, q{CREATE TABLE public.mine (a int)},
        q{CREATE TRIGGER changed AFTER INSERT ON public.mine EXECUTE FUNCTION lookalike_models_changed()},
        $use, q{INSERT INTO public.mine VALUES (1)}, $use, q{SELECT worker_starts FROM image_worker_stats()}),
    # One for the registration.
    "3\n3\n2", 'whose changes end nobody\'s worker');
# Columns that the trigger has looked up once a statement.
is(try(@begin, q{CREATE TABLE public.parts (junk int, photo bytea, features descriptor, kind int) PARTITION BY LIST (kind)},
        q{ALTER TABLE public.parts DROP COLUMN junk},
        q{CREATE TABLE public.one PARTITION OF public.parts FOR VALUES IN (1)},
        q{CREATE TABLE public.two (kind int, features descriptor, photo bytea)},
        q{ALTER TABLE public.parts ATTACH PARTITION public.two FOR VALUES IN (2)},
        q{CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON public.parts FOR EACH ROW
            EXECUTE FUNCTION image_features_trigger('photo', 'features', 'color')},
        q{INSERT INTO public.parts (photo, kind) SELECT ppm('ff8000'), 1 + i % 2 FROM generate_series(1, 6) AS i},
        q{SELECT kind, count(*), sum(descriptor_dims(features)) FROM public.parts GROUP BY kind ORDER BY kind},
        q{UPDATE public.parts SET photo = NULL WHERE kind = 2},
        q{SELECT count(features) FROM public.parts}),
    "1|3|720\n2|3|720\n3", 'partitions with other column numbers');

$node->stop('fast');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'the server saw no crash');
done_testing();
