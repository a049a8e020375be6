-- What the pages of "make demo" have in common. Each is one HTML page, its pictures inside, on standard
-- output.
\pset tuples_only on
\pset format unaligned
CREATE FUNCTION pg_temp.source(file bytea) RETURNS text LANGUAGE SQL RETURN
    'data:image/jpeg;base64,' || translate(encode(file, 'base64'), E'\n', '');
CREATE FUNCTION pg_temp.picture(photo bytea, size integer) RETURNS text LANGUAGE SQL RETURN
    '<img alt="" src="' || pg_temp.source(image_thumbnail(photo, size)) || '">';
CREATE FUNCTION pg_temp.escaped(plain text) RETURNS text LANGUAGE SQL RETURN
    replace(replace(replace(plain, '&', '&amp;'), '<', '&lt;'), '>', '&gt;');
CREATE FUNCTION pg_temp.head(title text, style text) RETURNS text LANGUAGE SQL RETURN
    format($$<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>lookalike: %s</title>
<style>
:root { --ink: #1d1b18; --soft: #7a746a; --line: #e4dfd6; --paper: #faf8f4; --mark: #b4432c; --good: #3d7a4d }
* { box-sizing: border-box; margin: 0 }
body { background: var(--paper); color: var(--ink); padding: 44px 48px 40px; max-width: 1320px;
       margin: 0 auto; font: 14px/1.45 Inter, "Helvetica Neue", "Segoe UI", Arial, sans-serif }
h1 { font-size: 21px; font-weight: 650; letter-spacing: -.02em }
%s</style>$$, title, style);
