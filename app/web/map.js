// Real clips as dots, runs as lines, drawn by the Plotly that Gradio brings. The value: what places.base makes. What is
// highlighted and what travels comes apart from it (web/overlay.js), so that the dots are sent only once.
const plot = element.querySelector('.plot'), card = element.querySelector('.card');
const RUNS = ['#e11d48', '#2563eb', '#16a34a', '#9333ea', '#ea580c', '#0f766e'];  // runs side by side
const FADED = 'rgba(132,146,166,0.28)', BLUE = '#4c78c8', GREY = '#718096';
let hooked = false, hovered = 0, drawnKey = null;

const hue = (k, n) => `hsl(${Math.round(360 * k / Math.max(n, 1))} 62% ${k % 2 ? 42 : 55}%)`;
const pick = (values, chosen) => chosen.map((i) => values[i]);

function points(base, chosen, style, name) {
  const [x, y, z] = base.places.map((axis) => pick(axis, chosen));
  const text = chosen.map((i) => base.classes[base.labels[i]]);
  const trace = {name, mode: 'markers', x, y, text, customdata: chosen.map((i) => ['clip', base.numbers[i]]),
    hovertemplate: '%{text}<extra></extra>', marker: style, showlegend: name !== 'others' && typeof style.color === 'string'};
  return z ? {...trace, type: 'scatter3d', z} : {...trace, type: 'scattergl'};
}

function way(base, run, moment, colour) {
  const [x, y, z] = run.places, last = run.steps.length - 1;
  const at = moment === undefined ? last : Math.max(0, run.steps.findLastIndex((step) => step <= moment));
  const size = run.steps.map((_, i) => i === at ? 15 : 4 + 4 * i / Math.max(last, 1));
  const symbol = run.far.map((far) => far ? 'circle-open' : 'circle');
  const trace = {name: run.name, mode: 'lines+markers', x, y, text: run.steps.map((step) => run.arm === 'video' ? run.name : `${run.name}, step ${step}`),
    customdata: run.steps.map((step) => ['run', run.id, step]), hovertemplate: '%{text}<extra></extra>',
    line: {color: colour, width: 2}, marker: {color: colour, size, symbol, line: {color: colour, width: 1}}};
  return z ? {...trace, type: 'scatter3d', z} : {...trace, type: 'scatter'};
}

function traces(base, over) {
  const all = base.numbers.map((_, i) => i), size = base.places.length > 2 ? 3 : base.numbers.length > 5000 ? 4 : 6;
  const light = base.classes.indexOf(over.highlight), s5 = over.style === 's5';
  const mine = light < 0 ? all : all.filter((i) => base.labels[i] === light);
  const drawn = [];
  if (light >= 0) drawn.push(points(base, all.filter((i) => base.labels[i] !== light), {size, color: FADED}, 'others'));
  const colour = s5 ? BLUE : mine.map((i) => hue(base.labels[i], base.classes.length));
  drawn.push(points(base, mine, {size, color: colour, opacity: 0.85}, light < 0 ? 'real clips' : over.highlight));
  if (base.places.length < 3 && mine.length > 20)                    // of the highlighted class, else of all
    drawn.push({type: 'histogram2dcontour', x: pick(base.places[0], mine), y: pick(base.places[1], mine), ncontours: 5,
      hoverinfo: 'skip', showscale: false, showlegend: false, contours: {coloring: 'lines'}, colorscale: [[0, FADED], [1, GREY]], line: {width: 1}});
  (over.runs || []).forEach((run, k) => drawn.push(
    way(base, run, (over.moment || {})[run.id], s5 ? run.colour : RUNS[k % RUNS.length])));
  return drawn;
}

function draw() {
  const base = props.value, over = window.leapsOverlay || {};
  if (!base || !base.places || !window.Plotly || !plot.offsetWidth) return;
  const axis = (k) => ({title: {text: base.axes[k] || '', font: {size: 11}}, showgrid: false, zeroline: false,
    showticklabels: false, ticks: ''});
  const axes = base.places.length > 2 ? {scene: {xaxis: axis(0), yaxis: axis(1), zaxis: axis(2)}}
    : {xaxis: axis(0), yaxis: {...axis(1), scaleanchor: 'x'}};
  const layout = {...axes, margin: {l: 20, r: 8, t: 8, b: 28}, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    dragmode: base.places.length > 2 ? 'orbit' : 'pan', modebar: {bgcolor: 'rgba(0,0,0,0)', color: GREY, activecolor: BLUE},
    font: {color: GREY, size: 11, family: 'IBM Plex Sans, system-ui, sans-serif'}, uirevision: base.key, hovermode: 'closest',
    showlegend: true, legend: {orientation: 'h', y: -0.04}};
  const save = () => window.Plotly.downloadImage(plot, {format: 'svg', filename: 'leaps-map'});
  const config = {displaylogo: false, responsive: true, scrollZoom: true, displayModeBar: true,
    modeBarButtonsToAdd: [{name: 'Save as SVG', icon: window.Plotly.Icons.disk, click: save}],
    toImageButtonOptions: {format: 'png', scale: 2, filename: 'leaps-map'}};
  if (drawnKey !== null && drawnKey !== base.key) { window.Plotly.purge(plot); hooked = false; }  // 2-D and 3-D don't mix
  drawnKey = base.key;
  window.Plotly.react(plot, traces(base, over), layout, config);
  if (!hooked) hook();
}

function hook() {
  hooked = true;
  plot.on('plotly_click', (event) => {
    const [kind, id, step] = event.points[0].customdata || [];
    if (kind) trigger('pick', {kind, id, step: step ?? null});
  });
  plot.on('plotly_hover', async (event) => {
    const point = event.points[0], [kind, id] = point.customdata || [], mine = ++hovered;
    if (kind !== 'clip') return hide();
    await new Promise((done) => setTimeout(done, 150));              // only where the pointer rests
    if (mine !== hovered) return;
    const src = await server.poster([props.value.bank, id]).catch(() => '');
    if (mine !== hovered || !src) return;
    card.querySelector('img').src = src; card.querySelector('span').textContent = point.text;
    const mouse = event.event || {clientX: 0, clientY: 0};
    card.style.left = `${Math.min(mouse.clientX + 16, innerWidth - 190)}px`;
    card.style.top = `${Math.min(mouse.clientY + 16, innerHeight - 140)}px`;
    card.hidden = false;
  });
  plot.on('plotly_unhover', hide);
}

function hide() { hovered += 1; card.hidden = true; }

// Plotly comes with the first plot of the page, and a map in a hidden tab has no size yet.
function wait() { if (!element.isConnected) return; draw(); if (!hooked) setTimeout(wait, 300); }
new ResizeObserver(() => { if (plot.offsetWidth) draw(); }).observe(element);
window.addEventListener('leaps-overlay', draw);
watch('value', draw); wait();
