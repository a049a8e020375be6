-- The third page of "make demo": groups, and a search before and after marks.
\ir demo-page.sql
SET client_min_messages = warning;

-- Groups by pattern, the largest first, and what lies nearest to the mean of each.
CREATE TEMP TABLE groups AS
    SELECT id, pattern, kmeans(pattern, 4) OVER () AS number FROM designs;
CREATE TEMP TABLE examples AS
    SELECT number, id, row_number() OVER (PARTITION BY number ORDER BY distance) AS rank
      FROM (SELECT DISTINCT ON (number, design) number, designs.id, groups.pattern <-> mean AS distance
              FROM groups JOIN (SELECT number, avg(pattern) AS mean FROM groups GROUP BY number) AS m USING (number)
                   JOIN designs USING (id)
             ORDER BY number, design, distance) AS nearest;

-- Somebody looked through answers, and marked those of the same family: argyle, dots, tartan and so on.
-- The marks are about half of the designs; the searches are in the other half.
CREATE TEMP TABLE known AS
    SELECT id, features, split_part(design, ' ', 1) AS family,
           split_part(design, ' ', 2)::int % 2 = 0 AS marked FROM designs;
CREATE TEMP TABLE marks AS
    SELECT q.id AS query, a.id AS answer, q.family = a.family AS good
      FROM (SELECT * FROM known WHERE marked ORDER BY hashint8(id) LIMIT 100) AS q,
           LATERAL (SELECT * FROM known AS a WHERE a.marked AND a.id <> q.id
                     ORDER BY a.features <-> q.features LIMIT 20) AS a;
SELECT drop_projection('demo', 1) \g /dev/null
SELECT train_projection('demo', 1, $$
    SELECT q.features, a.features, m.good
      FROM marks AS m JOIN designs AS q ON q.id = m.query JOIN designs AS a ON a.id = m.answer $$) \g /dev/null
CREATE TEMP TABLE mapped AS SELECT *, project(features, 'demo@1') AS learned FROM known WHERE NOT marked;
CREATE TEMP TABLE answers AS
    SELECT q.id AS query, when_asked, a.*, a.family = q.family AS good
      FROM mapped AS q, (VALUES ('before'), ('after')) AS t (when_asked),
           LATERAL (SELECT id, family, row_number() OVER () AS rank
                      FROM (SELECT id, family FROM mapped
                             WHERE id <> q.id
                             ORDER BY CASE when_asked WHEN 'before' THEN features <-> q.features
                                                      ELSE learned <-> q.learned END LIMIT 6) AS x) AS a
     WHERE q.id % 3 = 0;
-- The search with the most to gain.
CREATE TEMP TABLE shown AS
    SELECT query FROM answers GROUP BY query
     ORDER BY count(*) FILTER (WHERE good AND when_asked = 'after')
              - count(*) FILTER (WHERE good AND when_asked = 'before') DESC, query LIMIT 1;

CREATE FUNCTION pg_temp.card(id bigint, mark text) RETURNS text LANGUAGE SQL RETURN (
    SELECT format('<div class="card %s"><div class="swatch">%s</div><div class="name">%s</div>'
                  '<div class="what">%s</div></div>', mark, pg_temp.picture(photo, 200), pg_temp.escaped(design),
                  pg_temp.escaped(colourway))
      FROM designs WHERE designs.id = card.id);

SELECT pg_temp.head('learning from the rows', $$
h1 + p { margin: 4px 0 26px }
h2 { font-size: 16px; font-weight: 620; letter-spacing: -.01em }
p, .what { color: var(--soft) }
p { max-width: 62em }
code { font: 11.5px/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; color: var(--soft) }
.head { display: flex; justify-content: space-between; align-items: baseline; gap: 24px; margin: 30px 0 13px }
section + section { border-top: 1px solid var(--line); margin-top: 30px }
.row { display: grid; grid-template-columns: 118px repeat(6, 1fr); gap: 18px; margin-bottom: 20px; align-items: start }
.side { font-size: 12.5px; line-height: 1.45; color: var(--soft); padding-top: 2px }
.side strong { display: block; color: var(--ink); font-weight: 620; font-size: 14px }
.swatch { aspect-ratio: 1; overflow: hidden; border-radius: 3px; margin-bottom: 8px;
          box-shadow: 0 0 0 1px rgb(0 0 0 / 7%), 0 5px 14px -6px rgb(0 0 0 / 35%) }
.good .swatch { box-shadow: 0 0 0 3px var(--paper), 0 0 0 5px var(--good) }
.swatch img { width: 100%; height: 100%; object-fit: cover; display: block }
.card { font-size: 12.5px; line-height: 1.4 }
.name { font-weight: 600 }
.asked { width: 118px }
.asked .swatch { margin-top: 10px }
@media (max-width: 900px) { .row { grid-template-columns: repeat(3, 1fr) } .head { display: block } .side { grid-column: 1 / -1 } }
$$);
SELECT $$<h1>lookalike</h1><p>learning from the rows</p>
<section><div class="head"><h2>Four groups by pattern, in one query</h2>
<code>SELECT id, kmeans(pattern, 4) OVER () FROM designs</code></div>$$;
SELECT format('<div class="row"><div class="side"><strong>Group %s</strong>%s pictures<br>of %s designs</div>%s</div>',
              number + 1, pictures, designs, cards)
  FROM (SELECT number, count(*) AS pictures, count(DISTINCT design) AS designs
          FROM groups JOIN designs USING (id) GROUP BY number) AS sizes
       JOIN (SELECT number, string_agg(pg_temp.card(id, ''), '' ORDER BY rank) AS cards
               FROM examples WHERE rank <= 6 GROUP BY number) AS c USING (number)
 ORDER BY number;
SELECT format('</section><section><div class="head"><h2>A search before and after %s marks</h2>'
              '<code>ORDER BY project(features, ''demo@1'') &lt;-&gt; project($1, ''demo@1'')</code></div>'
              '<p>Somebody marked answers of 100 searches: good is what has the same kind of pattern, in whatever'
              ' colours. <code>train_projection()</code> learned from it. This picture and its answers are of designs that'
              ' nobody marked. Of the first six answers of %s such searches <b>%s&nbsp;%%</b> were good before, <b>%s&nbsp;%%</b> after;'
              ' this is the search that gained the most.</p>',
              (SELECT to_char(count(*), 'FM999,999') FROM marks), (SELECT count(DISTINCT query) FROM answers),
              (SELECT round(100 * avg(good::int)) FROM answers WHERE when_asked = 'before'),
              (SELECT round(100 * avg(good::int)) FROM answers WHERE when_asked = 'after'));
SELECT format('<div class="row" style="margin-top: 20px"><div class="side"><strong>%s</strong>%s of 6 good%s</div>%s</div>',
              CASE when_asked WHEN 'before' THEN 'Before' ELSE 'After' END, count(*) FILTER (WHERE good),
              CASE when_asked WHEN 'before' THEN '<div class="asked">' || (SELECT pg_temp.card(query, '') FROM shown) || '</div>'
                   ELSE '' END,
              string_agg(pg_temp.card(id, CASE WHEN good THEN 'good' ELSE '' END), '' ORDER BY rank))
  FROM answers JOIN shown USING (query)
 GROUP BY when_asked ORDER BY when_asked DESC;
SELECT '</section></html>';
