-- The second page of "make demo": which pins are in a photograph, and where?
\ir demo-page.sql
CREATE TABLE pins (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file text NOT NULL,
    name text NOT NULL,
    series text NOT NULL,
    season text NOT NULL,
    photo bytea,
    locals local_features GENERATED ALWAYS AS (image_local_features(photo)) STORED
);
\copy pins (file, name, series, season) from program 'cat "$LOOKALIKE_PINS"/pins.csv' with (format csv, header)
\set pictures `echo "$LOOKALIKE_PINS"`
UPDATE pins SET photo = pg_read_binary_file(:'pictures' || '/' || file);
CREATE INDEX ON pins USING faiss (locals, season);
ANALYZE pins;
CREATE TABLE board AS
    SELECT photo, width, height, image_local_features(photo, max_features => 4000) AS locals
      FROM pg_read_binary_file(:'pictures' || '/board.jpg') AS photo, image_info(photo);

-- Pins that share an emblem or a frame are found where one of them is: of those at one place the best
-- counts.
CREATE TEMP TABLE candidates AS
    SELECT pins.*, match.score, match.place, match.inliers
      FROM board, pins, match_local_features(board.locals, pins.locals) AS match
     WHERE within(pins.locals, board.locals, 0.7);
CREATE TEMP TABLE found AS
    SELECT row_number() OVER (ORDER BY score DESC) AS rank, *
      FROM candidates
     WHERE NOT EXISTS (SELECT FROM candidates AS better
                        WHERE better.score > candidates.score AND better.place && candidates.place);

CREATE FUNCTION pg_temp.corners(place polygon) RETURNS text LANGUAGE SQL RETURN
    translate(place::text, '()', '');

SELECT pg_temp.head('pins in a photograph', $$
h2 { font-size: 16px; font-weight: 620; letter-spacing: -.01em; margin: 34px 0 13px }
p { color: var(--soft); max-width: 62em }
main { display: grid; grid-template-columns: 1fr 330px; gap: 40px; margin-top: 22px }
.board { position: relative; border-radius: 4px; overflow: hidden; align-self: start;
         box-shadow: 0 0 0 1px rgb(0 0 0 / 7%), 0 8px 22px -10px rgb(0 0 0 / 45%) }
.board img, .board svg, .lines { width: 100%; display: block }
.board svg { position: absolute; inset: 0; height: 100% }
polygon { fill: rgb(255 255 255 / 8%); stroke: #fff; stroke-width: 5; stroke-linejoin: round }
circle { fill: var(--mark) }
svg text { font: 600 30px Inter, "Helvetica Neue", Arial, sans-serif; fill: #fff; text-anchor: middle }
li { display: grid; grid-template-columns: 22px 56px 1fr auto; gap: 12px; align-items: center;
     padding: 8px 0; border-top: 1px solid var(--line) }
ol { list-style: none; padding: 0 }
li:first-child { border-top: 0 }
li img { width: 56px; height: 56px; border-radius: 3px; display: block }
.rank { color: #fff; background: var(--mark); border-radius: 50%; width: 22px; height: 22px;
        font: 600 12px/22px Inter, Arial, sans-serif; text-align: center }
.what { font-weight: 600; line-height: 1.3 }
.what span { display: block; font-weight: 400; font-size: 12.5px; color: var(--soft) }
.score { color: var(--mark); font-weight: 600; font-variant-numeric: tabular-nums }
.lines { border-radius: 4px; border: 1px solid var(--line); background: #fff }
code { white-space: nowrap; font: 11.5px/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace }
@media (max-width: 900px) { main { grid-template-columns: 1fr } }
$$);
SELECT $$<h1>Which pins are in this photograph?</h1>$$;
SELECT format('<p>%s pins are in the table, %s of them were found: <code>WHERE within(pins.locals, photo.locals,'
              ' 0.7)</code>. Many spots of a pin must be alike in the photograph, <em>and</em> lie right. An outline'
              ' is that of the pin&rsquo;s own picture, its margin included. The score is'
              ' <code>1 - (pins.locals &lt;-&gt; photo.locals)</code>: from 0.3 on they share a thing.</p>',
              (SELECT count(*) FROM pins), (SELECT count(*) FROM found));
SELECT format('<main><div class="board"><img alt="" src="%s"><svg viewBox="0 0 %s %s">',
              pg_temp.source(image_thumbnail(photo, 1000)), width, height)
  FROM board;
SELECT format('<polygon points="%s"/>', pg_temp.corners(place)) FROM found;
SELECT format('<circle cx="%1$s" cy="%2$s" r="26"/><text x="%1$s" y="%3$s">%4$s</text>', at[0], at[1],
              at[1] + 11, rank)
  FROM (SELECT rank, point(corner[1], corner[2]) AS at
          FROM found, CAST(string_to_array(pg_temp.corners(place), ',') AS float8[]) AS corner) AS labels;
SELECT '</svg></div><ol>';
SELECT format('<li><span class="rank">%s</span><img alt="" src="%s"><span class="what">%s<span>%s</span>'
              '<span>%s, %s spots agree</span></span><span class="score">%s</span></li>',
              rank, pg_temp.source(image_thumbnail(photo, 112)), series, name, season, inliers,
              to_char(score, 'FM0.00'))
  FROM found
 ORDER BY rank;
SELECT '</ol></main><h2>Why number 1?</h2>';
SELECT format('<img class="lines" alt="" src="%s">',
              pg_temp.source(image_draw_matches(board.photo, found.photo, max_features => 4000, size => 800)))
  FROM board, found
 WHERE rank = 1;
SELECT '<p style="margin-top: 10px">Each line joins a spot of the photograph and the spot of the pin that it'
       ' is. One shift, turn and change of size explains them all. This picture is what'
       ' <code>image_draw_matches()</code> gives.</p></html>';
