// Plays one or several clips in step.

/**
 * The value.
 * @typedef {object} Player
 * @property {Track[]} tracks one track per clip, from left to right
 * @property {string | null} strip id of the track whose frames make the film strip; null: there is no strip
 *
 * @typedef {object} Sheet a clip's frames in one picture, row by row
 * @property {string} src the picture, as a data address
 * @property {number} n how many frames there are
 * @property {number} cols how many frames lie side by side
 * @property {number} w a frame's width, in px
 * @property {number} h a frame's height, in px
 *
 * @typedef {object} Caption
 * @property {string} id tells the tracks of one player apart
 * @property {string} label
 * @property {string} note
 *
 * @typedef {Caption & Partial<Sheet>} Track a clip with its caption. Without `src` it keeps the picture that its id already
 *   has, so that a clip that stays is sent only once; where `src` is null, its frame is empty.
 *
 * @typedef {object} Figure a track on the page; `asked` counts the pictures that were asked for
 * @property {HTMLElement} figure
 * @property {HTMLCanvasElement} canvas
 * @property {CanvasRenderingContext2D} cx
 * @property {HTMLElement} name
 * @property {HTMLElement} note
 * @property {HTMLImageElement | null} img
 * @property {Sheet | null} sheet
 * @property {number} asked
 */

const $ = (selector) => element.querySelector(selector);
const player = $('.player'), tracks = $('.tracks'), strip = $('.strip'), film = $('.strip canvas'), mark = $('.strip i');
const play = $('.play'), scrub = $('.frame'), count = $('.count'), speed = $('.speed');
const FPS = 8;
/** @type {Map<string, Figure>} */
const known = new Map();
let position = 0, length = 1;                         // the frame that is shown, and how many there are
let playing = !matchMedia('(prefers-reduced-motion: reduce)').matches;
/** @type {string | null} */
let stripId = null;

/** @param {string} id @returns {Figure} the one of this id, made where it is missing */
function figureOf(id) {
  if (known.has(id)) return known.get(id);
  const figure = document.createElement('figure'), canvas = document.createElement('canvas');
  const caption = document.createElement('figcaption');
  const name = document.createElement('b'), note = document.createElement('span');
  canvas.setAttribute('role', 'img');
  caption.append(name, note); figure.append(canvas, caption);
  const made = {figure, canvas, cx: canvas.getContext('2d'), name, note, img: null, sheet: null, asked: 0};
  known.set(id, made);
  return made;
}

/** @param {Figure} t @param {Track} item */
function show(t, item) {
  t.name.textContent = item.label || ''; t.note.textContent = item.note || ''; t.note.title = item.note || '';
  t.canvas.setAttribute('aria-label', [item.label, item.note].filter(Boolean).join(', '));
  if (item.src === undefined || item.src === null) {
    if (item.src === null) { t.img = null; t.cx.clearRect(0, 0, t.canvas.width, t.canvas.height); }
    return;
  }
  const mine = ++t.asked, img = new Image();
  img.onload = () => {
    if (mine !== t.asked) return;                     // a newer picture was asked for meanwhile
    t.img = img; t.sheet = /** @type {Sheet} */ (item);
    if (t.canvas.width !== item.w || t.canvas.height !== item.h) { t.canvas.width = item.w; t.canvas.height = item.h; }
    measure(); draw();
    if (item.id === stripId) drawStrip();
  };
  img.src = item.src;
}

function load() {
  /** @type {Player} */
  const value = props.value;
  if (!value || !value.tracks) return;
  stripId = value.strip || null;
  const shown = value.tracks.map((item) => figureOf(item.id));
  for (const [id, t] of known) if (!shown.includes(t)) { t.figure.remove(); known.delete(id); }
  shown.forEach((t, k) => { if (tracks.children[k] !== t.figure) tracks.insertBefore(t.figure, tracks.children[k] || null); });
  value.tracks.forEach((item) => show(figureOf(item.id), item));
  drawStrip();
}

function measure() {
  length = Math.max(1, ...[...known.values()].filter((t) => t.img).map((t) => t.sheet.n));
  position %= length; scrub.max = length - 1;
}

/**
 * @param {Sheet} sheet
 * @param {number} frame
 * @returns {[x: number, y: number, w: number, h: number]} where a frame lies on its sheet, in px
 */
function source(sheet, frame) {
  return [(frame % sheet.cols) * sheet.w, Math.floor(frame / sheet.cols) * sheet.h, sheet.w, sheet.h];
}

function draw() {
  for (const t of known.values()) {
    if (!t.img) continue;
    t.cx.drawImage(t.img, ...source(t.sheet, Math.floor(position * t.sheet.n / length)), 0, 0, t.sheet.w, t.sheet.h);
  }
  scrub.value = position; count.textContent = `${position + 1} / ${length}`;
  mark.style.left = `${100 * position / length}%`; mark.style.width = `${100 / length}%`;
}

function drawStrip() {
  const t = known.get(stripId);
  const there = Boolean(t && t.img);
  if (there) strip.hidden = false;
  strip.style.visibility = there ? '' : 'hidden';     // once it was there, it keeps its place
  if (!there) return;
  const cells = Math.min(t.sheet.n, element.clientWidth < 520 ? 8 : 16), w = 72, h = Math.round(w * t.sheet.h / t.sheet.w);
  if (film.width !== cells * w || film.height !== h) { film.width = cells * w; film.height = h; }
  const cx = film.getContext('2d');
  for (let k = 0; k < cells; k++)
    cx.drawImage(t.img, ...source(t.sheet, Math.floor(k * t.sheet.n / cells)), k * w, 0, w - 2, h);
}

/** @param {boolean} on */
function toggle(on) {
  playing = on;
  play.textContent = on ? '❚❚' : '▶';
  play.setAttribute('aria-label', on ? play.dataset.moving : play.dataset.resting);
}

/** @param {number} frame goes on at the other end where it is out of range */
function go(frame) { toggle(false); position = (frame + length) % length; draw(); }

// A timer, not requestAnimationFrame: that would have the browser compose 60 pictures a second for these few.
function tick() {
  if (!element.isConnected) return;
  if (playing && length > 1 && !document.hidden && element.offsetParent) { position = (position + 1) % length; draw(); }
  setTimeout(tick, 1000 / (FPS * Number(speed.value)));
}

play.addEventListener('click', () => toggle(!playing));
scrub.addEventListener('input', () => go(Number(scrub.value)));
strip.addEventListener('click', (event) => go(Math.floor(length * event.offsetX / strip.clientWidth)));
player.addEventListener('keydown', (event) => {
  if (event.target !== player) return;                // buttons and sliders have their own keys
  if (event.key === ' ') toggle(!playing);
  else if (event.key === 'ArrowRight') go(position + 1);
  else if (event.key === 'ArrowLeft') go(position - 1);
  else return;
  event.preventDefault();
});
watch('value', load); load(); toggle(playing); tick();
