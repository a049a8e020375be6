-- The contact sheet of "make demo".
-- Each search stands once: it is run, and printed on the sheet.
\ir demo-page.sql
CREATE TEMP TABLE searches (number int, title text, measure text, condition text);
INSERT INTO searches VALUES
    (1, 'What looks like it?', 'features', ''),
    (2, '... in this season and quality?', 'features', $$WHERE season = 'SS26' AND quality = 'A'$$),
    (3, 'The same design in other colours', 'pattern', ''),
    (4, 'The same colours on other designs', 'color', '');
CREATE TEMP TABLE found (number int, rank bigint, id bigint, distance float8);
SELECT format('INSERT INTO found SELECT %1$s, row_number() OVER (), nearest.* FROM
                   (SELECT id, %2$I <-> (SELECT %2$I FROM query) AS distance
                      FROM designs %3$s ORDER BY distance LIMIT 6) AS nearest',
              number, measure, condition)
  FROM searches
\gexec

CREATE FUNCTION pg_temp.code(measure text, condition text) RETURNS text LANGUAGE SQL RETURN
    format('%s ORDER BY <b>%s</b> &lt;-&gt; $1 LIMIT 6',
           regexp_replace(condition, '^WHERE (.*)$', 'WHERE <b>\1</b>'), measure);

SELECT pg_temp.head('contact sheet', $$
main { display: grid; grid-template-columns: 252px 1fr; gap: 52px }
h2 { font-size: 16px; font-weight: 620; letter-spacing: -.01em }
aside .swatch { margin: 26px 0 12px }
.swatch { aspect-ratio: 1; overflow: hidden; border-radius: 3px;
          box-shadow: 0 0 0 1px rgb(0 0 0 / 7%), 0 5px 14px -6px rgb(0 0 0 / 35%) }
.swatch img { width: 100%; height: 100%; object-fit: cover; display: block }
aside p, .what { color: var(--soft) }
aside strong, .distance { color: var(--ink); font-weight: 600 }
aside p + p { margin-top: 10px }
section + section { border-top: 1px solid var(--line); margin-top: 26px; padding-top: 24px }
.head { display: flex; justify-content: space-between; align-items: baseline; gap: 24px;
        margin-bottom: 13px }
code { font: 11.5px/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
       color: var(--soft) }
code b { color: var(--mark); font-weight: 500 }
.row { display: grid; grid-template-columns: repeat(6, 1fr); gap: 18px }
.card { font-size: 12.5px; line-height: 1.4 }
.card .swatch { margin-bottom: 9px }
.name { display: flex; justify-content: space-between; gap: 6px; font-weight: 600 }
.distance { font-variant-numeric: tabular-nums; color: var(--mark) }
.tag { display: inline-block; border: 1px solid var(--line); border-radius: 3px; padding: 0 5px;
       margin: 4px 3px 0 0; font-size: 11px; color: var(--soft); background: #fff }
@media (max-width: 900px) {
    main { grid-template-columns: 1fr }
    .row { grid-template-columns: repeat(3, 1fr) }
    .head { display: block }
    aside .swatch { max-width: 252px }
}
$$);
SELECT $$<main>
<aside>
<h1>lookalike</h1><p>contact sheet</p>$$;
SELECT '<div class="swatch">' || pg_temp.picture(query.photo, 256) || '</div>'
       || format('<p><strong>The picture sent</strong><br>'
                 'It is none of the %s textile pictures in the table.</p>'
                 '<p>Each row is one <code>SELECT</code>, and <code>$1</code> what'
                 ' <code>image_features()</code> made of the picture. The number beside a result is its'
                 ' distance: the smaller, the more alike.</p>',
                 (SELECT count(*) FROM designs))
  FROM query;
SELECT '</aside><div>';
SELECT format('<section><div class="head"><h2>%s</h2><code>%s</code></div>'
              '<div class="row">%s</div></section>',
              title, pg_temp.code(measure, condition), string_agg(card, '' ORDER BY rank))
  FROM searches
       JOIN (SELECT number, rank,
                    format('<div class="card"><div class="swatch">%s</div><div class="name">%s'
                           '<span class="distance">%s</span></div><div class="what">%s</div>'
                           '<span class="tag">%s</span><span class="tag">quality %s</span></div>',
                           pg_temp.picture(photo, 200), pg_temp.escaped(design),
                           to_char(distance, 'FM0.00'), pg_temp.escaped(colourway), season, quality) AS card
               FROM found JOIN designs USING (id)) AS cards USING (number)
 GROUP BY number, title, measure, condition
 ORDER BY number;
SELECT '</div></main></html>';
