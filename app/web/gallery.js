// Cards of runs, each a moving thumbnail.

/**
 * The value.
 * @typedef {object} Gallery
 * @property {Card[]} cards one card per run
 * @property {number} most how many cards can be chosen at once
 * @property {boolean} small whether the cards are narrow and show their titles only
 * @property {string} empty what is said where there are no cards
 * @property {string[]} chosen ids of the runs that are chosen already, oldest choice first
 *
 * @typedef {object} Card
 * @property {string} id the run's id
 * @property {string} title the run's action
 * @property {string[]} lines what is said below the title, a line each
 * @property {{action: string, model: string, judge: number | null}} order what cards can be put in order by
 * @property {import('./player.js').Sheet | null} thumb the moving thumbnail; null: the run has no clip
 *
 * @typedef {object} Picked the event "pick": other cards are chosen now
 * @property {string[]} ids the chosen runs' ids, oldest choice first
 */

const box = element.querySelector('.cards'), tools = element.querySelector('.find');
const [words, order, all] = ['input', 'select', 'button'].map((part) => tools.querySelector(part));
/** With so many cards and more, they can be searched and put in order. */
const MANY = 4;
/** Frames, four a second: motion of up to five seconds needs no button to stop it (WCAG 2.2.2). */
const A_WHILE = 20;
let playing = !matchMedia('(prefers-reduced-motion: reduce)').matches;
/** @type {string[] | null} */
let chosen = null;
/** @type {{cx: CanvasRenderingContext2D, img: HTMLImageElement, sheet: import('./player.js').Sheet}[]} */
let drawn = [];
let frame = 0;

/** @param {Picked} picked */
const report = (picked) => trigger('pick', picked);

/** @param {Card} item */
function card(item) {
  const button = document.createElement('button'), canvas = document.createElement('canvas');
  button.type = 'button'; button.dataset.id = item.id; button.title = [item.title, ...item.lines].join('\n');
  button.setAttribute('aria-label', [item.title, ...item.lines].join(', '));
  canvas.width = canvas.height = 72;
  button.append(canvas);
  for (const text of [item.title, ...(props.value.small ? [] : item.lines)]) {
    const span = document.createElement('span');
    span.textContent = text; button.append(span);
  }
  if (item.thumb) {
    const img = new Image();
    img.onload = () => { drawn.push({cx: canvas.getContext('2d'), img, sheet: item.thumb}); draw(); };
    img.src = item.thumb.src;
  }
  button.addEventListener('click', () => choose(item.id));
  return button;
}

/** @param {string} id */
function choose(id) {
  const most = props.value.most;
  if (most === 1) chosen = [id];
  else chosen = chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id].slice(-most);
  press();
  report({ids: chosen});
}

function press() {
  for (const button of box.querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(chosen.includes(button.dataset.id)));
}

function draw() {
  for (const {cx, img, sheet} of drawn) {
    const k = frame % sheet.n;
    cx.drawImage(img, (k % sheet.cols) * sheet.w, Math.floor(k / sheet.cols) * sheet.h, sheet.w, sheet.h, 0, 0, 72, 72);
  }
}

function load() {
  /** @type {Gallery} */
  const value = props.value;
  if (!value || !value.cards) return;
  drawn = [];
  // an answer to what was asked before a click must not undo the click: what is chosen here counts, and is reported again
  const sent = value.chosen || [];
  chosen = (chosen || sent).filter((id) => value.cards.some((item) => item.id === id));
  box.classList.toggle('small', Boolean(value.small));
  tools.hidden = Boolean(value.small) || value.cards.length < MANY;
  box.replaceChildren(...value.cards.map(card));
  arrange();
  if (!value.cards.length) { const p = document.createElement('p'); p.textContent = value.empty || ''; box.append(p); }
  press();
  if (String(chosen) !== String(sent)) report({ids: chosen});
}

/** Hides the cards that lack one of the words, and puts the others in order. */
function arrange() {
  const items = new Map(props.value.cards.map((item) => [item.id, item]));
  const [sought, by] = tools.hidden ? ['', ''] : [words.value, order.value];
  const asked = sought.toLowerCase().split(/\s+/).filter(Boolean);
  const buttons = [...box.querySelectorAll('button')];
  for (const button of buttons) {
    const said = button.getAttribute('aria-label').toLowerCase();
    button.hidden = !asked.every((word) => said.includes(word));
  }
  const place = new Map(props.value.cards.map((item, i) => [item.id, i]));
  const value = (button, field = by) => items.get(button.dataset.id)?.order?.[field] ?? (field === 'judge' ? -1 : '');
  const compare = (a, b) => (by === 'judge' ? value(b) - value(a) : String(value(a)).localeCompare(String(value(b))));
  const earlier = (a, b) => place.get(a.dataset.id) - place.get(b.dataset.id);
  buttons.sort((a, b) => (by && by !== 'wall' && compare(a, b)) || earlier(a, b));
  const shown = buttons.filter((button) => !button.hidden), wall = by === 'wall' && shown.length > 0;
  box.classList.toggle('wall', wall);
  box.style.gridTemplateColumns = '';
  box.replaceChildren(...buttons);
  if (wall) box.prepend(...cells(shown, value));
}

/**
 * A row per model and a column per action, with their names; runs of the same two lie in one cell.
 * @param {HTMLButtonElement[]} buttons the cards
 * @param {(button: HTMLButtonElement, field: string) => string} value what a card can be put in order by
 */
function cells(buttons, value) {
  const names = (field) => [...new Set(buttons.map((button) => value(button, field)))].sort();
  const div = (kind, ...inner) => { const made = document.createElement('div'); made.className = kind; made.append(...inner); return made; };
  const actions = names('action');
  box.style.gridTemplateColumns = `fit-content(28%) repeat(${actions.length}, 88px)`;
  const row = (model) => actions.map((action) => div('cell', ...buttons.filter(
    (button) => value(button, 'model') === model && value(button, 'action') === action)));
  return [div('name'), ...actions.map((action) => div('name', action)),
    ...names('model').flatMap((model) => [div('name row', model), ...row(model)])];
}

/** @param {boolean} on */
function toggle(on) {
  playing = on;
  all.textContent = on ? '❚❚' : '▶';
  all.setAttribute('aria-label', on ? all.dataset.still : all.dataset.moving);
}

function tick() {
  if (!element.isConnected) return clearInterval(timer);
  // small cards have no button for it: they rest after a while, but for whoever points at them
  const moving = playing && (!props.value.small || frame < A_WHILE || box.matches(':hover, :focus-within'));
  if (moving && drawn.length && box.offsetParent && !document.hidden) { frame += 1; draw(); }
}
const timer = setInterval(tick, 250);
words.addEventListener('input', arrange); order.addEventListener('change', arrange); all.addEventListener('click', () => toggle(!playing));
watch('value', load); toggle(playing); load();
