// The gallery's page. What is searched for stands in the address, so that links and the back button work.
const $ = id => document.getElementById(id);
const kCount = 60, kMost = 2400, kGap = 14;
let table, measure, request = 0, shown = [], keys = new Set(), ended = true, loading = false, reach = null;
// Marks that were set on this page and are not searched with yet.
let good = new Set(), bad = new Set();

// Elements are made by name, and text is only ever text.
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties))
    key.includes('-') || key === 'role' || key === 'for' ? made.setAttribute(key, value) : (made[key] = value);
  made.append(...children);
  return made;
}
function drawing(path) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
const number = value => value.toLocaleString('en');
const distanceText = value => value === null ? '' : measure.whole ? String(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1);

// ---- The address ---------------------------------------------------------------------------------

const parameters = () => new URLSearchParams(location.search);
const asked = p => ['row', 'picture', 'text'].find(name => p.get(name));
function go(p, replace = false) {
  const address = '/' + (p.size ?? [...p].length ? '?' + p : '');
  if (replace) history.replaceState(history.state, '', address);
  else {
    history.replaceState({ y: scrollY, count: shown.length }, '');
    history.pushState({}, '', address);
  }
  show();
}
// Filters and the way of comparing stay, the rest is another search.
function searchFor(name, value) {
  const p = parameters();
  for (const other of ['row', 'picture', 'text', 'good', 'bad', 'within', 'view']) p.delete(other);
  if (name) p.set(name, value);
  forget();
  scrollTo(0, 0);
  go(p);
}
function forget() { good = new Set(); bad = new Set(); }

// ---- The server ----------------------------------------------------------------------------------

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('The gallery does not answer. Is it still running?');
  }
  const answer = await response.json().catch(() => ({ error: 'The answer cannot be read.' }));
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status });
  return answer;
}
let waiting = 0;
function busy(step) { waiting += step; $('busy').hidden = waiting === 0; $('grid').setAttribute('aria-busy', waiting > 0); }
let retry;
function complain(error, again) {
  if (error.name === 'AbortError') return;
  const text = error.message[0].toUpperCase() + error.message.slice(1);
  const lost = !error.status || error.status === 503;
  $('notice').textContent = text + (/[.?!]$/.test(text) ? '' : '.') + (lost && again ? ' Trying again.' : '');
  $('notice').hidden = false;
  clearTimeout(retry);
  if (lost && again) retry = setTimeout(again, 2000);
}
function settle() { clearTimeout(retry); $('notice').hidden = true; }

// ---- Pictures ------------------------------------------------------------------------------------

function pictureOf(row, size) { return '/picture/row?' + new URLSearchParams({ row, size }); }
function titleOf(row) {
  const value = row.values[table.columns.indexOf(table.title)];
  if (!value) return table.key + ' ' + row.key;
  return ['path', 'file'].includes(table.title) ? value.split('/').pop() : value;
}
// What else is short and tells the row from others.
function moreOf(row) {
  return table.columns.map((name, i) => [name, row.values[i]])
    .filter(([name, value]) => value && value.length <= 24 && name !== table.title && !/file|path|url|sha|hash|_id$/.test(name))
    .slice(0, 3).map(([, value]) => value).join(' · ');
}
function markButton(card, row, kind, path) {
  const button = element('button', { type: 'button', className: kind, title: `Mark ${kind} (${kind[0]})`,
    'aria-label': `Mark ${titleOf(row)} ${kind}`, 'aria-pressed': 'false' }, drawing(path));
  button.onclick = () => mark(row.key, kind);
  return button;
}
function cardOf(row) {
  const title = titleOf(row), p = parameters();
  const image = element('img', { alt: '', loading: 'lazy', decoding: 'async' });
  const shot = element('button', { type: 'button', className: 'shot', title: 'Search from here',
    'aria-label': `${title}${row.distance === null ? '' : ', distance ' + distanceText(row.distance)}. Search from here` }, image);
  image.onload = () => image.classList.add('there');
  image.onerror = () => { shot.classList.add('broken'); image.remove(); };
  image.src = pictureOf(row.key, 400);
  shot.onclick = () => searchFor('row', row.key);
  const tools = element('div', { className: 'tools' });
  const card = element('div', { className: 'card', role: 'listitem' }, shot, tools);
  if (asked(p) && measure.marks && row.distance !== null)
    tools.append(markButton(card, row, 'good', 'M4.5 10.5l3.5 3.5 7.5-8'), markButton(card, row, 'bad', 'M5.5 5.5l9 9m0-9l-9 9'));
  const look = element('button', { type: 'button', title: 'Look closely (i)', 'aria-label': `Look closely at ${title}` },
    drawing('M12 4h4v4M16 4l-5 5M8 16H4v-4m0 4l5-5'));
  look.onclick = () => lookAt(row);
  tools.append(look);
  const score = element('span', {}, distanceText(row.distance));
  if (row.match !== null && row.match >= 10) score.append(element('i', { title: 'How likely it is the same picture' }, Math.round(row.match) + ' %'));
  card.append(element('div', { className: 'caption', title }, element('b', {}, title), score), element('div', { className: 'more' }, moreOf(row)));
  card.row = row;
  // A picture whose size is not known is a square; very long ones are cut.
  card.shape = Math.min(2.6, Math.max(0.45, row.width && row.height ? row.width / row.height : 1));
  paintMark(card);
  return card;
}

// Rows as wide as the page: each is as high as its pictures need to fill it.
function lay(cards, container) {
  const width = container.clientWidth, gap = parseFloat(getComputedStyle(container).columnGap) || kGap;
  const wanted = width < 560 ? 136 : width < 1000 ? 168 : 196;
  let line = [], shapes = 0;
  const close = height => {
    let left = width;
    line.forEach((card, i) => {
      const last = i === line.length - 1 && height !== wanted;
      const wide = last ? Math.floor(left) : Math.floor(card.shape * height);
      card.style.width = wide + 'px';
      card.firstChild.style.height = Math.round(height) + 'px';
      left -= wide + gap;
    });
    line = []; shapes = 0;
  };
  for (const card of cards) {
    line.push(card);
    shapes += card.shape;
    const height = (width - gap * (line.length - 1)) / shapes;
    if (height <= wanted) close(height);
  }
  if (line.length) close(Math.min(wanted, (width - gap * (line.length - 1)) / shapes));
}
function layAll() {
  const groups = $('grid').querySelectorAll('.cards');
  if (groups.length) groups.forEach(cards => lay([...cards.children], cards));
  else lay([...$('grid').querySelectorAll('.card')], $('grid'));
}

// ---- Searching -----------------------------------------------------------------------------------

let stop = new AbortController();
async function show() {
  const p = parameters(), mine = ++request, at = history.state ?? {};
  stop.abort();
  stop = new AbortController();
  measure = table.measures.find(m => m.column === p.get('by')) ?? table.measures[0];
  for (const kind of ['good', 'bad']) for (const key of p.getAll(kind)) (kind === 'good' ? good : bad).add(key);
  showQuery(p);
  showFilters(p, mine);
  document.querySelectorAll('dialog[open]').forEach(dialog => dialog.close());
  if (p.get('view') === 'duplicates') return showDuplicates(p, mine);
  if (await load(mine, 0, Math.min(300, Math.max(kCount, at.count ?? 0))) && at.y) scrollTo(0, at.y);
}
async function load(mine, from, count) {
  const p = parameters();
  p.set('from', from);
  p.set('count', count);
  p.delete('view');
  loading = true;
  busy(1);
  $('end').textContent = from ? 'Loading more…' : '';
  try {
    const answer = await ask('/api/search?' + p, { signal: stop.signal });
    if (mine !== request) return false;
    settle();
    if (from === 0) { $('grid').replaceChildren(); shown = []; keys = new Set(); showFacts(answer); }
    const cards = answer.rows.filter(row => !keys.has(row.key)).map(row => { keys.add(row.key); return cardOf(row); });
    shown.push(...cards);
    $('grid').append(...cards);
    layAll();
    ended = !answer.more || from + count >= kMost;
    reach = answer.rows.at(-1)?.distance ?? reach;
    if (from === 0) setReach(p, answer.rows);
    $('end').textContent = !ended ? '' : !shown.length ? '' : answer.more ? 'These are the first ' + number(shown.length) + '. Filter to see others.' : 'That is all.';
    if (!shown.length) $('grid').append(element('p', { className: 'empty' }, asked(p) && p.get('within') ? 'Nothing lies within this distance.' : 'No picture passes these filters.'));
    loading = false;
    $('end').previous = from + count;
    fill();
    return true;
  } catch (error) {
    if (mine === request) {
      $('end').textContent = '';
      complain(error, () => load(mine, from, count));
    }
    return false;
  } finally {
    if (mine === request) loading = false;
    busy(-1);
  }
}
// As long as the end is near.
function fill() {
  if (loading || ended || parameters().get('view')) return;
  if ($('end').getBoundingClientRect().top < innerHeight + 900) load(request, $('end').previous, kCount);
}

async function showDuplicates(p, mine) {
  ended = true;
  const radius = p.get('within') ?? measure.radius;
  setSlider(radius, Math.max(measure.whole ? 32 : measure.radius * 4, Number(radius)));
  busy(1);
  $('grid').replaceChildren();
  $('end').textContent = 'Comparing all pictures with each other…';
  $('title').textContent = '';
  shown = [];
  keys = new Set();
  try {
    const answer = await ask('/api/duplicates?' + new URLSearchParams({ by: measure.column, within: radius }), { signal: stop.signal });
    if (mine !== request) return;
    settle();
    for (const group of answer.groups) {
      const cards = element('div', { className: 'cards' }, ...group.rows.map(row => cardOf({ ...row, distance: null })));
      shown.push(...cards.children);
      const rest = group.size - group.rows.length;
      $('grid').append(element('section', { className: 'group' }, element('h2', {}, `${group.size} pictures`,
        element('span', {}, `nearest pair ${distanceText(group.nearest)}${rest > 0 ? `, ${rest} are not shown` : ''}`)), cards));
    }
    layAll();
    $('title').replaceChildren(element('b', {}, number(answer.count) + (answer.count === 1 ? ' group' : ' groups')), ` of near-duplicates, ${answer.complete ? '' : 'the first of '}${number(answer.pairs)} pairs`);
    if (!answer.count) $('grid').append(element('p', { className: 'empty' }, `No two pictures lie within ${radius} of each other.`));
    $('end').textContent = answer.count > answer.groups.length ? `The ${answer.groups.length} largest are shown.` : '';
    facts({ 'on the server': answer.ms.toFixed(1) + ' ms', pairs: number(answer.pairs) }, answer.sql);
  } catch (error) {
    if (mine === request) { $('end').textContent = ''; complain(error, () => showDuplicates(p, mine)); }
  } finally { busy(-1); }
}

// ---- What the search did -------------------------------------------------------------------------

function facts(pairs, sql) {
  $('facts').replaceChildren(...Object.entries(pairs).map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
  $('sql').textContent = sql;
}
function showFacts(answer) {
  const pairs = { 'on the server': answer.ms.toFixed(1) + ' ms' }, scan = answer.scan;
  if (scan) Object.assign(pairs, { index: scan.index, 'lists opened': `${number(scan.probed)} of ${number(scan.lists)}`,
    'entries looked at': number(scan.scanned), 'of them finely': number(scan.refined) });
  else if (asked(parameters())) pairs['index'] = 'not used: all rows were compared';
  facts(pairs, answer.sql);
}
$('copy').onclick = async () => {
  try { await navigator.clipboard.writeText($('sql').textContent); $('copy').textContent = 'Copied'; }
  catch { getSelection().selectAllChildren($('sql')); $('copy').textContent = 'Selected'; }
  setTimeout(() => $('copy').textContent = 'Copy', 1500);
};

// ---- The query -----------------------------------------------------------------------------------

function showQuery(p) {
  const by = asked(p), pairs = p.get('view') === 'duplicates';
  $('query').hidden = !by && !pairs;
  $('page').classList.toggle('asked', !$('query').hidden);
  document.querySelector('.asked').classList.toggle('none', pairs);
  document.querySelector('#query > .asked').hidden = pairs;
  $('duplicates').setAttribute('aria-pressed', pairs);
  $('text').value = p.get('text') ?? '';
  $('frame').hidden = by === 'text';
  $('said').hidden = by !== 'text';
  $('said').textContent = p.get('text') ?? '';
  cutOut(null);
  if (by === 'row') $('asked').src = pictureOf(p.get('row'), 1200);
  else if (by === 'picture') $('asked').src = '/picture/sent?' + new URLSearchParams({ picture: p.get('picture'), size: 1200 });
  $('hint').hidden = by === 'text' || !measure.picture;
  $('frame').classList.toggle('fixed', !measure.picture);
  $('by').replaceChildren(...table.measures.map(m => element('option', { value: m.column, selected: m === measure,
    disabled: pairs ? !m.duplicates : by === 'text' ? !m.text : by === 'picture' && !m.picture },
    m.extractor && m.extractor !== m.column ? `${m.column} (${m.extractor})` : m.column)));
  $('by-field').hidden = table.measures.length < 2;
  showMarks();
}
// The slider goes from nothing to beyond what is on the page.
let scale = 1;
function setReach(p, rows) {
  if (!asked(p)) return;
  const far = rows.at(-1)?.distance ?? 0, within = Number(p.get('within'));
  if (!p.get('within')) scale = measure.whole ? Math.max(8, far) : Math.max(far * 1.25, 1e-6);
  scale = Math.max(scale, within * 1.01);
  setSlider(p.get('within'), scale);
}
function setSlider(within, most) {
  const step = measure.whole ? 1 : most / 200;
  Object.assign($('within'), { min: 0, max: most, step, value: within ?? most });
  $('within-text').textContent = within ? distanceText(Number(within)) : 'any distance';
}
let sliding;
$('within').oninput = () => {
  const pairs = parameters().get('view'), any = !pairs && Number($('within').value) >= Number($('within').max) * 0.999;
  $('within-text').textContent = any ? 'any distance' : distanceText(Number($('within').value));
  clearTimeout(sliding);
  sliding = setTimeout(() => {
    const p = parameters();
    any ? p.delete('within') : p.set('within', Number(Number($('within').value).toPrecision(4)));
    go(p, true);
  }, 180);
};
$('by').onchange = () => {
  const p = parameters();
  p.set('by', $('by').value);
  for (const name of ['within', 'good', 'bad']) p.delete(name);
  forget();
  go(p);
};
$('clear').onclick = () => searchFor();
$('home').onclick = event => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  forget();
  go(new URLSearchParams());
};
$('words').onsubmit = event => { event.preventDefault(); const by = table.measures.find(m => m.text);
  const p = parameters();
  if (!measure.text) { p.set('by', by.column); history.replaceState(history.state, '', '/?' + p); }
  searchFor($('text').value.trim() ? 'text' : '', $('text').value.trim()); };
$('duplicates').onclick = () => {
  if (parameters().get('view')) return searchFor();
  const by = measure.duplicates ? measure : table.measures.find(m => m.duplicates);
  forget();
  scrollTo(0, 0);
  go(new URLSearchParams({ view: 'duplicates', by: by.column, within: by.radius }));
};

async function send(picture) {
  if (!picture || !picture.size) return;
  busy(1);
  try {
    const able = measure.picture ? measure : table.measures.find(m => m.picture);
    if (!able) throw new Error('It is not known what made the features of this table, so only its own pictures can be searched for');
    const answer = await ask('/api/pictures?' + new URLSearchParams({ by: able.column }), { method: 'POST', body: picture,
      headers: { 'Content-Type': 'application/octet-stream' } });
    settle();
    if (able !== measure) { const p = parameters(); p.set('by', able.column); history.replaceState(history.state, '', '/?' + p); }
    searchFor('picture', answer.picture);
  } catch (error) { complain(Object.assign(error, { status: error.status ?? 400 })); }
  finally { busy(-1); }
}
$('file').onchange = () => { send($('file').files[0]); $('file').value = ''; };
document.onpaste = event => {
  const file = [...event.clipboardData.files].find(f => f.type.startsWith('image/'));
  if (file) { event.preventDefault(); send(file); }
};
let depth = 0;
const carries = event => [...event.dataTransfer.types].includes('Files');
document.ondragenter = event => { if (carries(event)) { depth++; $('drop').hidden = false; } };
document.ondragleave = event => { if (carries(event) && --depth <= 0) $('drop').hidden = true; };
document.ondragover = event => { if (carries(event)) event.preventDefault(); };
document.ondrop = event => {
  if (!carries(event)) return;
  event.preventDefault();
  depth = 0;
  $('drop').hidden = true;
  send(event.dataTransfer.files[0]);
};

// A part of the query: what is within the frame is cut out here and sent.
let cut = null, from = null;
function cutOut(area) {
  cut = area;
  $('cut').hidden = $('crop').hidden = !area;
  $('hint').hidden = !!area || !measure.picture;
  if (area) for (const [side, value] of Object.entries({ left: area.x, top: area.y, width: area.w, height: area.h })) $('cut').style[side] = value + 'px';
}
function point(event) {
  const box = $('frame').getBoundingClientRect();
  return { x: Math.min(box.width, Math.max(0, event.clientX - box.left)), y: Math.min(box.height, Math.max(0, event.clientY - box.top)) };
}
$('frame').onpointerdown = event => { if (!measure.picture || event.button) return; from = point(event); $('frame').setPointerCapture(event.pointerId); cutOut(null); };
$('frame').onpointermove = event => {
  if (!from) return;
  const to = point(event), area = { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), w: Math.abs(from.x - to.x), h: Math.abs(from.y - to.y) };
  if (area.w > 8 && area.h > 8) cutOut(area);
};
$('frame').onpointerup = $('frame').onpointercancel = () => from = null;
$('crop').onclick = () => {
  const image = $('asked'), box = image.getBoundingClientRect();
  // The picture may lie within its box with margins.
  const ratio = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
  const left = (box.width - image.naturalWidth * ratio) / 2, top = (box.height - image.naturalHeight * ratio) / 2;
  const x = Math.max(0, (cut.x - left) / ratio), y = Math.max(0, (cut.y - top) / ratio);
  const w = Math.min(image.naturalWidth - x, cut.w / ratio), h = Math.min(image.naturalHeight - y, cut.h / ratio);
  if (w < 8 || h < 8) return cutOut(null);
  const canvas = element('canvas', { width: Math.round(w), height: Math.round(h) });
  canvas.getContext('2d').drawImage(image, x, y, w, h, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(send, 'image/jpeg', 0.93);
};

// ---- Marks ---------------------------------------------------------------------------------------

function paintMark(card) {
  for (const [kind, marked] of [['good', good], ['bad', bad]]) {
    card.classList.toggle(kind, marked.has(card.row.key));
    card.querySelector('.tools .' + kind)?.setAttribute('aria-pressed', marked.has(card.row.key));
  }
}
async function mark(key, kind) {
  const [mine, other] = kind === 'good' ? [good, bad] : [bad, good];
  other.delete(key);
  if (!mine.delete(key)) mine.add(key);
  shown.forEach(paintMark);
  showMarks();
  if (!table.keepsMarks) return;
  const p = parameters(), by = asked(p);
  try {
    await ask('/api/marks?' + new URLSearchParams({ by: measure.column, [by]: p.get(by), answer: key, mark: mine.has(key) ? kind : 'none' }), { method: 'POST' });
  } catch (error) { complain(Object.assign(error, { status: error.status ?? 400 })); }
}
function showMarks() {
  const p = parameters(), some = good.size + bad.size > 0;
  $('marks').hidden = !some || !measure.marks || !asked(p);
  $('marks-text').textContent = `${good.size} good, ${bad.size} bad`;
}
$('again').onclick = () => {
  const p = parameters();
  p.delete('good');
  p.delete('bad');
  good.forEach(key => p.append('good', key));
  bad.forEach(key => p.append('bad', key));
  scrollTo(0, 0);
  go(p);
};
$('forget').onclick = () => {
  const p = parameters(), had = p.has('good') || p.has('bad');
  p.delete('good');
  p.delete('bad');
  forget();
  shown.forEach(paintMark);
  had ? go(p) : showMarks();
};

// ---- Filters -------------------------------------------------------------------------------------

async function showFilters(p, mine) {
  if (p.get('view')) { $('filters').replaceChildren(); $('filters').hidden = true; return; }
  const only = new URLSearchParams([...p].filter(([name]) => /^(f|null|min|max)\./.test(name)));
  let answer;
  try {
    answer = await ask('/api/filters?' + only, { signal: stop.signal });
  } catch (error) { return mine === request ? complain(error, () => showFilters(p, mine)) : undefined; }
  if (mine !== request) return;
  const open = $('filters').querySelector('details[open]')?.dataset.column, focus = document.activeElement?.dataset?.value;
  $('filters').hidden = false;
  $('filters').replaceChildren(...answer.filters.map(filter => filterOf(filter, p)));
  if ([...only].length) {
    const clear = element('button', { type: 'button', className: 'button plain' }, 'Clear filters');
    clear.onclick = () => go(new URLSearchParams([...parameters()].filter(([name]) => !/^(f|null|min|max)\./.test(name))));
    $('filters').append(clear);
  }
  const again = [...$('filters').children].find(child => child.dataset.column === open);
  if (open !== undefined && again) {
    again.open = true;
    if (focus !== undefined) [...again.querySelectorAll('input')].find(input => input.dataset.value === focus)?.focus();
  }
  const by = asked(p);
  if (answer.total === null) $('title').textContent = by ? 'Nearest first' : '';
  else if (!p.get('view')) $('title').replaceChildren(...(by ? ['Nearest of ', element('b', {}, number(answer.total)), ' pictures'] : [element('b', {}, number(answer.total)), answer.total === 1 ? ' picture' : ' pictures']));
}
function filterOf(filter, p) {
  const name = filter.column, chosen = p.getAll('f.' + name), none = p.get('null.' + name);
  const least = p.get('min.' + name), most = p.get('max.' + name);
  const on = chosen.length || none || least || most;
  const what = filter.range ? (least || most ? `: ${least ?? '…'} – ${most ?? '…'}` : '')
    : on ? ': ' + [...chosen, ...(none ? ['none'] : [])].join(', ') : '';
  const panel = element('div', { className: 'panel' });
  const details = element('details', { className: 'filter' + (on ? ' on' : '') }, element('summary', { title: filter.indexed ? 'Tested inside the index' : '' }, name + what), panel);
  details.dataset.column = name;
  details.ontoggle = () => { if (details.open) $('filters').querySelectorAll('details').forEach(other => { if (other !== details) other.open = false; }); };
  if (!filter.range && !filter.values.length) panel.append(element('p', { className: 'empty' }, 'There are no values, or counting them took too long.'));
  else filter.range ? panel.append(boundsOf(filter, least, most)) : panel.append(...choicesOf(filter, chosen, none));
  return details;
}
function change(edit) { const p = parameters(); edit(p); scrollTo(0, 0); go(p); }
function choicesOf(filter, chosen, none) {
  const name = filter.column, known = filter.values.map(([value]) => value);
  const rows = [...chosen.filter(value => !known.includes(value)).map(value => [value, 0]), ...filter.values];
  const labels = rows.map(([value, count]) => {
    const box = element('input', { type: 'checkbox', checked: value === null ? !!none : chosen.includes(value) });
    box.dataset.value = value === null ? '\u0000' : value;
    box.onchange = () => change(p => {
      if (value === null) return box.checked ? p.set('null.' + name, 1) : p.delete('null.' + name);
      const values = p.getAll('f.' + name).filter(other => other !== value);
      p.delete('f.' + name);
      [...values, ...(box.checked ? [value] : [])].forEach(other => p.append('f.' + name, other));
    });
    return element('label', { className: value === null ? 'none' : '' }, box, element('span', {}, value === null ? 'none' : value === '' ? '“”' : value), element('output', {}, number(count)));
  });
  if (labels.length <= 12) return labels;
  const search = element('input', { type: 'search', placeholder: 'Find', 'aria-label': `Find a value of ${name}` });
  search.oninput = () => labels.forEach(label => label.hidden = !label.textContent.toLowerCase().includes(search.value.toLowerCase()));
  return [search, ...labels, ...(filter.more ? [element('small', {}, 'There are more values than these.')] : [])];
}
function boundsOf(filter, least, most) {
  const field = (text, bound, value, hint) => {
    const input = element('input', { type: 'text', inputMode: filter.range === 'number' ? 'decimal' : 'text', value: value ?? '', placeholder: hint });
    input.dataset.value = bound;
    input.onchange = () => change(p => input.value.trim() ? p.set(`${bound}.${filter.column}`, input.value.trim()) : p.delete(`${bound}.${filter.column}`));
    return element('label', {}, text, input);
  };
  return element('div', { className: 'bounds' }, field('from', 'min', least, filter.least), field('to', 'max', most, filter.most));
}

// ---- A picture from close by, keys ---------------------------------------------------------------

function lookAt(row) {
  const here = element('button', { type: 'button', className: 'button main' }, 'Search from here');
  here.onclick = () => { $('detail').close(); searchFor('row', row.key); };
  const close = element('button', { type: 'button', className: 'button' }, 'Close');
  close.onclick = () => $('detail').close();
  const list = element('dl', {}, element('dt', {}, table.key), element('dd', {}, row.key));
  if (row.distance !== null) list.append(element('dt', {}, 'distance'), element('dd', {}, distanceText(row.distance)));
  if (row.match !== null) list.append(element('dt', {}, 'match'), element('dd', {}, row.match.toFixed(row.match < 1 ? 1 : 0) + ' %'));
  table.columns.forEach((name, i) => { if (row.values[i] !== null) list.append(element('dt', {}, name), element('dd', {}, row.values[i])); });
  if (row.width) list.append(element('dt', {}, 'pixels'), element('dd', {}, `${row.width} × ${row.height}`));
  $('detail').replaceChildren(element('img', { src: pictureOf(row.key, 1200), alt: titleOf(row) }),
    element('div', {}, element('h2', {}, titleOf(row)), list, element('div', { className: 'row' }, here, close)));
  $('detail').showModal();
}
for (const dialog of [$('detail'), $('help')]) dialog.onclick = event => { if (event.target === dialog) dialog.close(); };
$('keys').onclick = () => $('help').showModal();

function move(card, key) {
  const at = shown.indexOf(card);
  if (key === 'ArrowRight') return shown[at + 1];
  if (key === 'ArrowLeft') return shown[at - 1];
  // Of the next line, what lies nearest below or above.
  const box = card.getBoundingClientRect(), middle = box.left + box.width / 2, down = key === 'ArrowDown';
  let best, far = Infinity, line = null;
  for (let i = at + (down ? 1 : -1); i >= 0 && i < shown.length; i += down ? 1 : -1) {
    const other = shown[i].getBoundingClientRect();
    if (Math.abs(other.top - box.top) < 2) continue;
    line ??= other.top;
    if (Math.abs(other.top - line) > 2) break;
    const away = Math.abs(other.left + other.width / 2 - middle);
    if (away < far) { far = away; best = shown[i]; }
  }
  return best;
}
document.onkeydown = event => {
  const opened = $('filters').querySelector('details[open]');
  if (event.key === 'Escape' && opened) { opened.open = false; opened.firstChild.focus(); return; }
  if (event.key === 'Escape' && cut) return cutOut(null);
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') || event.target.matches('input, select, textarea')) return;
  const card = document.activeElement?.closest?.('.card');
  if (event.key.startsWith('Arrow') && shown.length) {
    if (!card && document.activeElement !== document.body && document.activeElement !== $('grid')) return;
    const next = card ? move(card, event.key) : shown[0];
    if (next) { event.preventDefault(); next.firstChild.focus(); next.scrollIntoView({ block: 'nearest' }); }
  } else if (event.key === '?') $('help').showModal();
  else if (event.key === '/' && !$('words').hidden) { event.preventDefault(); $('text').focus(); }
  else if (event.key === 'u') $('file').click();
  else if (event.key === 's' && !$('marks').hidden) $('again').click();
  else if (card && event.key === 'i') lookAt(card.row);
  else if (card && (event.key === 'g' || event.key === 'b') && card.querySelector('.tools .good')) mark(card.row.key, event.key === 'g' ? 'good' : 'bad');
};
document.addEventListener('click', event => {
  for (const details of document.querySelectorAll('details[open]')) if (!details.contains(event.target) && event.target.isConnected) details.open = false;
});
addEventListener('scroll', fill, { passive: true });
let resizing;
addEventListener('resize', () => { cancelAnimationFrame(resizing); resizing = requestAnimationFrame(() => { layAll(); fill(); }); });
addEventListener('popstate', () => { forget(); show(); });
history.scrollRestoration = 'manual';

async function start() {
  try {
    table = await ask('/api/table');
    settle();
  } catch (error) { return complain(error, start); }
  document.title = table.table + ' – lookalike';
  $('table').textContent = table.table;
  $('words').hidden = !table.measures.some(m => m.text);
  $('duplicates').hidden = !table.measures.some(m => m.duplicates);
  show();
}
start();
