// Real clips as dots, the trails of runs as lines, drawn by the Plotly that Gradio brings. What is highlighted and which
// trails are shown comes apart from the dots (overlay.js), so that these are sent only once.

/**
 * The value: the real clips on one map.
 * @typedef {object} Base
 * @property {string} key tells maps apart
 * @property {string} bank the bank's key
 * @property {string[]} axes one title per axis; empty where the axes have no meaning of their own
 * @property {string[]} classes the classes' names, sorted
 * @property {number[]} numbers one per clip: its number in the bank
 * @property {number[]} labels one per clip: its class, as an index of `classes`
 * @property {number[][]} positions one row per axis (2 or 3), in it one coordinate per clip, without a unit
 * @property {number[][]} places one row per class: where its name stands
 *
 * @typedef {import('./overlay.js').Overlay} Overlay
 * @typedef {import('./overlay.js').Trail} Trail
 *
 * @typedef {object} Picked the event "pick": a dot was pressed
 * @property {'clip' | 'run'} kind a real clip, or a step of a trail
 * @property {number | string} id the clip's number in the bank, or the trail's id
 * @property {number | null} step the trail's step; null for a clip
 */

/** @type {import('./page.js').Leaps} */
const leaps = window.leaps ??= {};
const plot = element.querySelector('.plot'), card = element.querySelector('.card');
const RUNS = ['#e11d48', '#2563eb', '#16a34a', '#9333ea', '#ea580c', '#0f766e'];  // runs side by side
const FADED = 'rgba(132,146,166,0.28)', BLUE = '#4c78c8', GREY = '#718096';
/** @returns {[strong: string, faint: string]} colours of words */
const inks = () => (document.body.classList.contains('dark') ? ['#f1f5f9', '#94a3b8'] : ['#0f172a', '#64748b']);
/** Whether dots can be drawn by the graphics card, many at once and in three dimensions; else as SVG. */
const WEBGL = Boolean(document.createElement('canvas').getContext('webgl'));
/** Up to so many clips are drawn as SVG, below trails and names; of more, all is drawn by the graphics card, whose picture lies above
 * whatever is SVG. */
const FEW = 5000;
/** So many classes, the largest, have their names on the map; of more, where one is highlighted, only that. */
const NAMES = 40;
/** Where a finger scrolls the page, it can't also move the map; its buttons zoom. */
const FINGER = matchMedia('(pointer: coarse)').matches;
/** Clips are counted in so many squares a side, along which the contours run: with few, they would run where nothing is. */
const BINS = 20;
/** A step that is so many times as long as the usual one is a jump. */
const JUMP = 5;
/** Where a name may stand, by an island's middle; the first is the best. */
const ASIDE = ['bottom center', 'top center', 'bottom left', 'bottom right', 'top left', 'top right', 'middle left', 'middle right'];
let hooked = false, hovered = 0;
/** The dot at which the keyboard is: its kind, id and step. */
let reached = '';
/** Whether the map was pressed last, and so has the wheel. */
let entered = false;
/** @type {string | null} */
let drawnKey = null;

/** @param {number} k @param {number} n @returns {string} the colour of class k of n */
const hue = (k, n) => `hsl(${Math.round(360 * k / Math.max(n, 1))} 62% ${k % 2 ? 42 : 55}%)`;
/** @param {Base} base @returns {string} how dots and lines in two dimensions are drawn: in one way, so that the last lies on top */
const flat = (base) => (WEBGL && base.numbers.length > FEW ? 'scattergl' : 'scatter');
/** @param {number[]} values @param {number[]} chosen indices @returns {number[]} */
const select = (values, chosen) => chosen.map((i) => values[i]);

/** @param {Picked} picked */
const report = (picked) => trigger('pick', picked);

/**
 * The picture of a real clip.
 * @param {[bank: string, number: number]} asked the bank's key and the clip's number in it
 * @returns {Promise<string>} a data address; '' where there is none
 */
const poster = (asked) => server.poster(asked).catch(() => '');

/**
 * Plotly's trace of some real clips.
 * @param {Base} base
 * @param {number[]} chosen their indices
 * @param {{size: number, color: string | string[], opacity?: number}} style size: px; color: one for all or one per clip
 * @param {string} name
 */
function points(base, chosen, style, name) {
  const [x, y, z] = base.positions.map((axis) => select(axis, chosen));
  const text = chosen.map((i) => base.classes[base.labels[i]]);
  const trace = {name, mode: 'markers', x, y, text, customdata: chosen.map((i) => ['clip', base.numbers[i]]),
    hovertemplate: '%{text}<extra></extra>', marker: style, showlegend: name !== '⟦others⟧' && typeof style.color === 'string'};
  return z ? {...trace, type: 'scatter3d', z} : {...trace, type: flat(base)};
}

/**
 * Plotly's traces of a run's trail: its steps, early ones faint and small, and the ways between them; a jump is dashed. The
 * position at which the run is shown is large.
 * @param {Base} base
 * @param {Trail} run
 * @param {number | undefined} shownAt the step at which it is shown; undefined: its last
 * @param {string} colour
 * @returns {object[]}
 */
function trail(base, run, shownAt, colour) {
  const [x, y, z] = run.positions, last = run.steps.length - 1, type = z ? 'scatter3d' : flat(base);
  const at = shownAt === undefined ? last : Math.max(0, run.steps.findLastIndex((step) => step <= shownAt));
  const age = run.steps.map((_, i) => i / Math.max(last, 1));
  const marker = {color: colour, line: {color: colour, width: 1}, symbol: run.far.map((far) => far ? 'circle-open' : 'circle'),
    size: age.map((share, i) => i === at ? 15 : 4 + 4 * share), opacity: z ? 1 : age.map((share, i) => i === at ? 1 : 0.15 + 0.85 * share)};
  const text = run.steps.map((step) => run.arm === 'video' ? run.name : `${run.name}, ⟦step⟧ ${step}`);
  const dots = {type, name: run.name, mode: 'markers', x, y, ...(z && {z}), text, hovertemplate: '%{text}<extra></extra>',
    customdata: run.steps.map((step) => ['run', run.id, step]), marker};
  const lengths = run.steps.slice(1).map((_, i) => Math.hypot(...run.positions.map((axis) => axis[i + 1] - axis[i])));
  const usual = [...lengths].sort((a, b) => a - b)[lengths.length >> 1] || 0;
  const jumps = lengths.map((length) => length > JUMP * usual);
  /** @param {(i: number) => boolean} wanted @param {object} line @param {number} opacity the ways i to i + 1 that are wanted */
  const ways = (wanted, line, opacity) => {
    const path = run.positions.map(() => []);
    lengths.forEach((_, i) => wanted(i) && run.positions.forEach((axis, k) => path[k].push(axis[i], axis[i + 1], null)));
    return {type, mode: 'lines', hoverinfo: 'skip', showlegend: false, opacity, line: {color: colour, ...line},
      x: path[0], y: path[1], ...(z && {z: path[2]})};
  };
  return [
    ways((i) => !jumps[i] && age[i] < 1 / 3, {width: 1.5}, 0.5),
    ways((i) => !jumps[i] && age[i] >= 1 / 3, {width: 2}, 0.9),
    ways((i) => jumps[i], {width: 1.5, dash: 'dash'}, 0.8),
    dots,
    ...(last ? [{type, mode: 'text', x: x.slice(0, 1), y: y.slice(0, 1), ...(z && {z: z.slice(0, 1)}), text: ['   ⟦noise⟧'],
      textposition: 'middle right', textfont: {size: 11, color: inks()[0]}, hoverinfo: 'skip', showlegend: false}] : []),
  ];
}

/** @param {Base} base @returns {number[]} the largest classes, as many as have names */
function largest(base) {
  const sizes = base.classes.map(() => 0);
  for (const label of base.labels) sizes[label] += 1;
  return base.classes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a]).slice(0, NAMES);
}

/** @param {Base} base @param {number} wanted the highlighted class, below 0: none @returns {object[]} names of classes */
function names(base, wanted) {
  const chosen = wanted < 0 || base.classes.length <= NAMES ? largest(base) : [wanted];
  const [strong, faint] = inks();
  const color = chosen.map((i) => wanted < 0 || i === wanted ? strong : faint);
  const said = (i) => (i === wanted ? `<b>${base.classes[i]}</b>` : base.classes[i]);
  const type = flat(base);
  const [x, y, z] = base.positions.map((_, k) => chosen.map((i) => base.places[i][k]));
  const shown = {mode: 'text', x, y, hoverinfo: 'skip', showlegend: false, textfont: {size: 11, color}};
  if (z) return [{...shown, type: 'scatter3d', z, text: chosen.map(said), textposition: 'bottom center'}];
  const textposition = asides(base, chosen);
  const apart = {bottom: (text) => `<br>${text}`, middle: (text) => `\u2003${text}\u2003`, top: (text) => `${text}<br> `};
  // no line breaks nor bold ones there
  const text = chosen.map((i, k) => (type === 'scattergl' ? base.classes[i] : apart[textposition[k].split(' ')[0]](said(i))));
  return [{...shown, type, text, textposition}];
}

/**
 * Where the names of some classes stand about their islands: each at the first of `ASIDE` at which the least of it is lost.
 * @param {Base} base in two dimensions
 * @param {number[]} chosen classes
 * @returns {string[]} Plotly's words for it
 */
function asides(base, chosen) {
  const edges = base.positions.map((axis) => [Math.min(...axis), Math.max(...axis)]), size = [plot.offsetWidth - 28, plot.offsetHeight - 64];
  const scale = Math.min(...edges.map(([low, high], k) => size[k] / (1.16 * (high - low) || 1)));  // px; Plotly leaves a margin
  const taken = [];
  return chosen.map((i) => {
    const [x, y] = edges.map(([low, high], k) => size[k] / 2 + (k ? -1 : 1) * scale * (base.places[i][k] - (low + high) / 2));
    const wide = 5.3 * base.classes[i].length, pen = {left: x - wide, center: x - wide / 2, right: x};
    const line = {bottom: y + 14, middle: y - 7, top: y - 27};
    const boxes = ASIDE.map((aside) => {
      const [up, along] = aside.split(' ');
      return {aside, left: pen[along], right: pen[along] + wide, top: line[up], bottom: line[up] + 13};
    });
    /** @returns {number} px²: how much of it is cut off, or lies on other names */
    const lost = (box) => 13 * (Math.max(0, -box.left) + Math.max(0, box.right - size[0])) + taken.reduce((sum, other) => sum
      + Math.max(0, Math.min(box.right, other.right) - Math.max(box.left, other.left))
      * Math.max(0, Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top)), 0);
    const best = boxes.reduce((best, box) => (lost(box) < lost(best) ? box : best));
    taken.push(best);
    return best.aside;
  });
}

/** @param {Base} base @param {Partial<Overlay>} overlay @returns {object[]} all of Plotly's traces */
function traces(base, overlay) {
  const all = base.numbers.map((_, i) => i), size = base.positions.length > 2 ? 3 : base.numbers.length > FEW ? 4 : 6;
  const wanted = base.classes.indexOf(overlay.highlight), s5 = overlay.style === 's5';
  const coloured = wanted < 0 ? all : all.filter((i) => base.labels[i] === wanted);  // the highlighted class, else all
  const drawn = [];
  if (wanted >= 0) drawn.push(points(base, all.filter((i) => base.labels[i] !== wanted), {size, color: FADED}, '⟦others⟧'));
  const colour = s5 ? BLUE : coloured.map((i) => hue(base.labels[i], base.classes.length));
  drawn.push(points(base, coloured, {size, color: colour, opacity: 0.85}, wanted < 0 ? '⟦real clips⟧' : overlay.highlight));
  if (base.positions.length < 3 && coloured.length > 20) {
    const [x, y] = base.positions.map((axis) => select(axis, coloured));
    drawn.push({type: 'histogram2dcontour', x, y, nbinsx: BINS, nbinsy: BINS, ncontours: 5, hoverinfo: 'skip',
      showscale: false, showlegend: false, contours: {coloring: 'lines'}, colorscale: [[0, FADED], [1, GREY]], line: {width: 1}});
  }
  drawn.push(...names(base, wanted));
  (overlay.runs || []).forEach((run, k) => drawn.push(
    ...trail(base, run, (overlay.shown_at || {})[run.id], s5 ? run.colour : RUNS[k % RUNS.length])));
  return drawn;
}

/**
 * In three dimensions, where Plotly can't be told to hover, a ring marks the dot at which the keyboard is.
 * @param {object[]} drawn all other traces
 * @returns {object[]} its trace, if there is one
 */
function ring(drawn) {
  const [color] = inks();
  for (const {customdata = [], x, y, z} of drawn) {
    const at = z && reached ? customdata.findIndex((data) => String(data) === reached) : -1;
    if (at >= 0) return [{type: 'scatter3d', mode: 'markers', x: [x[at]], y: [y[at]], z: [z[at]], hoverinfo: 'skip',
      showlegend: false, marker: {symbol: 'circle-open', size: 18, color, line: {color, width: 3}}}];
  }
  return [];
}

function draw() {
  /** @type {Base} */
  const base = props.value;
  const overlay = leaps.overlay || {};
  if (!base || !base.positions || !window.Plotly) return;
  const impossible = base.positions.length > 2 && !WEBGL;
  element.querySelector('.flat').hidden = !impossible;
  plot.hidden = impossible;
  if (impossible || !plot.offsetWidth) return;
  /** @param {number} k */
  const axis = (k) => ({title: {text: base.axes[k] || '', font: {size: 11}}, showgrid: false, zeroline: false,
    showticklabels: false, ticks: ''});
  const axes = base.positions.length > 2 ? {scene: {xaxis: axis(0), yaxis: axis(1), zaxis: axis(2)}}
    : {xaxis: axis(0), yaxis: {...axis(1), scaleanchor: 'x'}};
  const layout = {...axes, margin: {l: 20, r: 8, t: 8, b: 28}, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    dragmode: FINGER ? false : base.positions.length > 2 ? 'orbit' : 'pan', modebar: {bgcolor: 'rgba(0,0,0,0)', color: GREY, activecolor: BLUE},
    font: {color: inks()[1], size: 11, family: 'IBM Plex Sans, system-ui, sans-serif'}, uirevision: base.key, hovermode: 'closest',
    showlegend: true, legend: {orientation: 'h', y: base.axes[0] ? -0.1 : -0.04}};
  const save = () => window.Plotly.downloadImage(plot, {format: 'svg', filename: 'leaps-map'});
  const config = {displaylogo: false, responsive: true, scrollZoom: true, displayModeBar: true,
    modeBarButtonsToAdd: [{name: '⟦Save as SVG⟧', icon: window.Plotly.Icons.disk, click: save}],
    toImageButtonOptions: {format: 'png', scale: 2, filename: 'leaps-map'}};
  if (drawnKey !== null && drawnKey !== base.key) { window.Plotly.purge(plot); hooked = false; }  // 2-D and 3-D don't mix
  if (drawnKey !== base.key) reached = '';
  drawnKey = base.key;
  const drawn = traces(base, overlay);
  window.Plotly.react(plot, [...drawn, ...ring(drawn)], layout, config);
  if (!hooked) hook();
}

function hook() {
  hooked = true;
  plot.on('plotly_click', (event) => {
    const [kind, id, step] = event.points[0].customdata || [];
    if (kind) report({kind, id, step: step ?? null});
  });
  plot.on('plotly_hover', async (event) => {
    const point = event.points[0], [kind, id] = point.customdata || [], mine = ++hovered;
    if (kind !== 'clip') return hide();
    await new Promise((done) => setTimeout(done, 150));              // only where the pointer rests
    if (mine !== hovered) return;
    const src = await poster([props.value.bank, id]);
    if (mine !== hovered || !src) return;
    card.querySelector('img').src = src; card.querySelector('span').textContent = point.text;
    const {left, top} = plot.getBoundingClientRect();
    const mouse = event.event?.clientX === undefined ? {clientX: left, clientY: top} : event.event;  // or a key
    card.style.left = `${Math.min(mouse.clientX + 16, innerWidth - 190)}px`;
    card.style.top = `${Math.min(mouse.clientY + 16, innerHeight - 140)}px`;
    card.hidden = false;
  });
  plot.on('plotly_unhover', hide);
}

function hide() { hovered += 1; card.hidden = true; }

/** @returns {{curveNumber: number, pointNumber: number, said: string, customdata: any[]}[]} all dots, the last drawn first */
function dots() {
  return plot.data.flatMap(({customdata = [], text}, curveNumber) =>
    customdata.map((data, pointNumber) => ({curveNumber, pointNumber, said: text[pointNumber], customdata: data}))).reverse();
}

// The same by keyboard: an arrow goes to the next dot, which says its name, and Enter presses it.
plot.addEventListener('keydown', (event) => {
  const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key], known = hooked ? dots() : [];
  if (event.target !== plot || event.altKey || event.ctrlKey || event.metaKey) return;  // a button of the map; a way back
  if (!known.length || (!step && event.key !== 'Enter')) return;
  event.preventDefault();
  const before = known.findIndex(({customdata}) => String(customdata) === reached);  // a run that goes on has more by now
  const {said, customdata, ...dot} = known[before < 0 ? 0 : (before + (step || 0) + known.length) % known.length];
  const [kind, id, at] = customdata;
  reached = String(customdata);
  const told = element.querySelector('.said'), flat = props.value.positions.length < 3;
  told.textContent = said;
  told.classList.toggle('heard', flat);
  if (step && flat) window.Plotly.Fx.hover(plot, [dot]);
  if (step && !flat) draw();
  if (!step) report({kind, id, step: at ?? null});
});

// The wheel scrolls the page, but for Ctrl or Cmd and where the map was pressed: Plotly hears of it only then.
element.addEventListener('wheel', (event) => { if (!(entered || event.ctrlKey || event.metaKey)) event.stopPropagation(); }, true);
document.addEventListener('pointerdown', (event) => { entered = plot.contains(event.target); }, true);

// Plotly comes with the first plot of the page, and a map in a hidden tab has no size yet.
function wait() { if (!element.isConnected) return; draw(); if (!hooked) setTimeout(wait, 300); }
new ResizeObserver(() => { if (plot.offsetWidth) draw(); }).observe(element);
window.addEventListener('leaps-overlay', draw);
watch('value', draw); wait();
