# The gallery's page in a browser: a person searches, filters, marks, cuts out, goes back; with a mouse, with
# keys, on a phone; and what is text stays text.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use lib $FindBin::RealBin;
use ImageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WebPage;

plan skip_all => 'needs chromium and chromium-driver' unless WebPage::is_there();

my $node = PostgreSQL::Test::Cluster->new('gallery_page');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
sub sql { my ($statement) = @_; return $node->safe_psql('postgres', $statement) }

my $hostile = q{<img src=x onerror=alert(1)><script>alert("1")</script>'; DROP TABLE pins; --};
sql('CREATE EXTENSION lookalike; CREATE TABLE pins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text,
        season text, photo bytea, features descriptor GENERATED ALWAYS AS (image_features(photo)) STORED)');
sub colour { my ($n) = @_; return png_file(64, 64, 64, 8, 2, pack 'C3', 2 * $n, 255 - $n, 37 * $n % 256) }
sql(join '', map { sprintf q{INSERT INTO pins (name, season, photo) VALUES ($$%s$$, $$%s$$, '\x%s');},
    $_ == 1 ? $hostile : "pin $_", $_ % 20 == 1 ? $hostile : $_ % 2 ? 'SS26' : 'AW26', colour($_) } 1 .. 120);
sql('CREATE INDEX ON pins USING faiss (features, season)');

my ($out, $err) = ('', '');
my $gallery = IPC::Run::start([ 'lookalike', 'gallery', '-d', $node->connstr('postgres'), '-t', 'pins', '-l', '127.0.0.1:0' ],
    '<', \undef, '>', \$out, '2>', \$err);
END { local $?; $gallery->kill_kill(grace => 1) if $gallery }
wait_until(sub { $gallery->pump_nb; $out =~ /Ctrl-C/ });
my ($address) = $out =~ m{(http://\S+)} or die "$out$err";

my $page = WebPage->new(folder => $node->basedir . '/browser', width => 1280, height => 900);
my $settled = q{document.getElementById('busy').hidden && document.querySelectorAll('.card').length > 0};
sub cards { return $page->value(q{document.querySelectorAll('.card').length}) }
sub first_keys { my ($n) = @_; return join ',', @{ $page->value("[...document.querySelectorAll('.card')].slice(0, $n).map(card => card.row.key)") } }
sub expected { my ($query, $where, $n) = @_;
    return sql("SELECT string_agg(id::text, ',') FROM (SELECT id FROM pins WHERE $where ORDER BY features <-> $query LIMIT $n) AS x") }
sub of_row { my ($id) = @_; return "(SELECT features FROM pins WHERE id = $id)" }

# Without a query: all of them, more as one scrolls.
$page->open_page($address);
ok($page->comes($settled), 'the page shows pictures');
is($page->value(q{document.querySelector('.card b').textContent}), $hostile, 'a name is text');
is($page->value(q{document.querySelectorAll('.card script, .card b img').length}), 0, 'and no code');
ok($page->comes(q{document.querySelector('#title b').textContent === '120'}), 'how many there are');
ok($page->comes(q{[...document.querySelectorAll('.shot img')].some(image => image.naturalWidth > 0)}), 'thumbnails come');
$page->value('scrollTo(0, document.body.scrollHeight)');
ok($page->comes(q{document.querySelectorAll('.card').length === 120}), 'more come as one scrolls');
is($page->value(q{document.documentElement.scrollWidth <= innerWidth}), 1, 'nothing sticks out');
is($page->value(q{(() => { const lines = {}; document.querySelectorAll('.card').forEach(card => { const box = card.getBoundingClientRect();
    const line = lines[Math.round(box.top)] ??= { right: 0, heights: new Set() }; line.right = Math.max(line.right, box.right); line.heights.add(Math.round(card.firstChild.offsetHeight)); });
    const all = Object.values(lines).slice(0, -1); const edge = document.getElementById('grid').getBoundingClientRect().right;
    return all.length > 2 && all.every(line => Math.abs(line.right - edge) < 2 && line.heights.size === 1) })()}), 1, 'lines are filled');

# Click, filter, back.
$page->value('scrollTo(0, 0)');
$page->click('.card:nth-child(9) .shot');
ok($page->comes(q{location.search === '?row=9' && } . $settled . q{ && document.querySelector('.card').row.distance !== null}), 'a click searches from there');
is(first_keys(10), expected(of_row(9), 'id <> 9', 10), 'for what is near');
$page->click('.filter summary');
is($page->value(q{[...document.querySelectorAll('.filter[open] label span')].map(s => s.textContent).join('|')}), join('|', 'AW26', 'SS26', $hostile), 'values of a filter, as text');
is($page->value(q{[...document.querySelectorAll('.filter[open] output')].map(s => s.textContent).join()}), '60,54,6', 'with counts');
$page->click('.filter[open] label:nth-of-type(2) input');
ok($page->comes(q{location.search.includes('f.season=SS26') && } . $settled . q{ && document.querySelectorAll('.card').length === 53}), 'a filter');
is(first_keys(10), expected(of_row(9), "id <> 9 AND season = 'SS26'", 10), 'is kept to');
$page->click('.filter[open] label:nth-of-type(3) input');
ok($page->comes($settled . q{ && document.querySelectorAll('.card').length === 59}), 'two values, one of them hostile');
my $filtered = $page->value('location.href');
$page->back;
$page->back;
ok($page->comes(q{location.search === '?row=9' && } . $settled . q{ && document.querySelector('#title b').textContent === '120'}), 'back');
$page->open_page($filtered);
ok($page->comes($settled . q{ && document.querySelectorAll('.card').length === 59}), 'an address is a link');

# Marks.
$page->open_page("$address?row=9");
ok($page->comes($settled), 'again');
my @keys = split /,/, first_keys(6);
$page->value(q{document.querySelectorAll('.card .tools .good')[3].click()});
$page->value(q{document.querySelectorAll('.card .tools .bad')[5].click()});
ok($page->comes(q{document.getElementById('marks-text').textContent === '1 good, 1 bad'}), 'marks are counted');
ok(wait_until(sub { sql(q{SELECT to_regclass('pins_marks') IS NOT NULL}) eq 't' && sql('SELECT string_agg(answer || good::text, $$,$$ ORDER BY good DESC) FROM pins_marks') eq "$keys[3]true,$keys[5]false" }), 'and kept');
$page->click('#again');
ok($page->comes(qq{location.search === '?row=9&good=$keys[3]&bad=$keys[5]' && } . $settled), 'search again');
is(first_keys(8), expected("(SELECT rocchio(" . of_row(9) . ", ARRAY[" . of_row($keys[3]) . "], ARRAY[" . of_row($keys[5]) . "]))", 'id <> 9', 8), 'with the marks');

is($page->value(q{document.getElementById('marks-text').textContent}), '1 good, 1 bad', 'which stay');

# A picture that is sent, and a part of it.
open my $file, '>:raw', $node->basedir . '/query.png' or die;
print $file pack 'H*', colour(50);
close $file;
chmod 0644, $node->basedir . '/query.png';
$page->type('#file', $node->basedir . '/query.png');
ok($page->comes(q{location.search.startsWith('?picture=') && } . $settled . q{ && document.querySelector('.card').row.key === '50'}), 'a picture is searched for');
my $sent = $page->value('location.search');
ok($page->comes(q{document.getElementById('asked').naturalWidth > 0}), 'and shown');
$page->drag('#frame', [ -60, -50 ], [ 40, 50 ]);
ok($page->comes(q{!document.getElementById('crop').hidden}), 'a part can be chosen');
$page->click('#crop');
ok($page->comes(qq{location.search.startsWith('?picture=') && location.search !== '$sent' && } . $settled), 'and searched for');
ok($page->comes(q{document.getElementById('asked').naturalWidth > 0 && document.getElementById('asked').naturalWidth < 64}), 'it is a part');
open $file, '>:raw', $node->basedir . '/text.png' or die;
print $file 'no picture';
close $file;
$page->type('#file', $node->basedir . '/text.png');
ok($page->comes(q{!document.getElementById('notice').hidden && document.getElementById('notice').textContent.includes('not recognized')}), 'what is no picture is told');

# Within, what the search did, duplicates.
$page->open_page("$address?row=9");
$page->comes($settled);
$page->value(q{(() => { const slider = document.getElementById('within'); slider.value = slider.max / 4; slider.dispatchEvent(new Event('input')) })()});
ok($page->comes(q{location.search.includes('within=') && } . $settled . q{ && document.querySelectorAll('.card').length < 60}), 'the slider');
$page->click('#about summary');
like($page->value(q{document.getElementById('sql').textContent}), qr/within\(features, .*\n ORDER BY distance/, 'the SQL that ran');
$page->click('#duplicates');
ok($page->comes(q{document.querySelectorAll('.group .card').length > 1}), 'near-duplicates');
my $complaints = $page->complaints;
is($complaints =~ s/^.*(?:api\/pictures|\/picture\/).*(?:400|404).*$//mgr =~ s/\s+//gr, '', 'the browser has nothing to complain of');

# Keys alone.
$page->open_page($address);
$page->comes($settled);
$page->press("\x{E014}", "\x{E014}", "\x{E014}");    # right
is($page->value(q{document.activeElement.closest('.card').row.key}), 3, 'arrows go along a line');
$page->press("\x{E015}");                            # down
cmp_ok($page->value(q{document.activeElement.closest('.card').row.key}), '>', 4, 'and to the next');
$page->press("\x{E013}");                            # up
is($page->value(q{document.activeElement.closest('.card').row.key}), 3, 'and back');
$page->press('i');
ok($page->comes(q{document.getElementById('detail').open}), 'i looks closely');
$page->press("\x{E00C}");                            # Escape
ok($page->comes(q{!document.getElementById('detail').open}), 'Escape closes');
$page->press("\x{E007}");                            # Enter
ok($page->comes(q{location.search === '?row=3' && } . $settled . q{ && document.querySelector('.card').row.distance !== null}), 'Enter searches');
$page->press("\x{E014}", 'g');
ok($page->comes(q{document.getElementById('marks-text').textContent === '1 good, 0 bad'}), 'g marks');
$page->press('s');
ok($page->comes(q{location.search.includes('good=') && } . $settled), 's searches again');
is($page->value(q{[...document.querySelectorAll('button, input, select, a')].filter(e => e.checkVisibility() && !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length}), 0, 'everything has a name');

# The server goes and comes.
$node->stop('immediate');
$page->value(q{document.querySelector('.card .shot').click()});
ok($page->comes(q{!document.getElementById('notice').hidden && document.getElementById('notice').textContent.includes('does not answer')}), 'a lost server is told');
$node->start;
ok($page->comes(q{document.getElementById('notice').hidden && } . $settled), 'and the page goes on when it is back');
$page->close_page;

# A phone.
$page = WebPage->new(folder => $node->basedir . '/phone', width => 390, height => 844, is_phone => 1);
for my $query ('', '?row=9') {
    $page->open_page("$address$query");
    ok($page->comes($settled), 'on a phone');
    is($page->value(q{document.documentElement.scrollWidth <= innerWidth}), 1, 'nothing sticks out');
    cmp_ok($page->value(q{document.querySelectorAll('.card')[1].offsetTop}), '==', $page->value(q{document.querySelectorAll('.card')[0].offsetTop}), 'two or more a line');
}
$page->click('.filter summary');
is($page->value(q{(() => { const box = document.querySelector('.filter[open] .panel').getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight })()}), 1, 'a filter fits');
$page->close_page;

$gallery->signal('INT');
$gallery->finish;
undef $gallery;
$node->stop;
done_testing();
