// Marks sliders at the recommended and the paper's value, and shows beside them what their lowest, usual and highest value do.

/**
 * The value.
 * @typedef {object} Previews
 * @property {Record<string, string>} known the settings that have a picture, by the labels of their sliders
 * @property {Record<string, Record<string, number>>} marks where each slider is marked: values by what they are
 */

const card = element.querySelector('.card'), image = card.querySelector('img');
const THUMB = 16;                                     // px, the knob's width
const DELAY = 500;                                    // ms: only where the pointer rests
/** @type {Map<string, string>} */
const loaded = new Map();
/** @type {Element | null} */
let shown = null;
let timer = 0;
/** Whether something is being dragged: who does so looks at the clip, which the card would hide. */
let held = false;
/** Whether the clip stays at the top of the window, above the sliders; as in page.css. */
const narrow = matchMedia('(max-width: 768px)');

/** @param {EventTarget | null} target @returns {[Element, string] | null} the slider around it, and its setting's name */
function sliderOf(target) {
  const box = target instanceof Element && (target.closest('.log-slider') || target.closest('.block'));
  const range = box && box.querySelector("input[type=range][aria-label^='range slider for ']");
  const name = range && props.value.known[range.getAttribute('aria-label').slice('range slider for '.length)];
  return name ? [box, name] : null;
}

function hide() { clearTimeout(timer); shown = null; card.hidden = true; }

/** @param {EventTarget | null} target */
function point(target) {
  const found = sliderOf(target);
  if (!found) return hide();
  if (found[0] === shown) return;
  hide();
  shown = found[0];
  timer = setTimeout(() => show(...found), DELAY);
}

/** @param {Element} box @param {string} name */
async function show(box, name) {
  if (!loaded.has(name)) loaded.set(name, await server.picture(name).catch(() => ''));
  if (box !== shown || !loaded.get(name)) return;
  image.src = loaded.get(name);
  card.hidden = false;
  const place = box.getBoundingClientRect(), above = place.top - card.offsetHeight - 6;
  card.style.left = `${Math.max(4, Math.min(place.left, innerWidth - card.offsetWidth - 4))}px`;
  card.style.top = `${above > 0 && !narrow.matches ? above : place.bottom + 6}px`;
}

/** Puts the marks above (recommended) and below (the paper's) the sliders' ways. */
function mark() {
  for (const old of document.querySelectorAll('#controls .mark.placed')) old.remove();
  for (const [label, values] of Object.entries(props.value.marks || {})) {
    const range = document.querySelector(`#controls input[type=range][aria-label=${JSON.stringify('range slider for ' + label)}]`);
    if (!range || !range.offsetWidth) continue;
    const log = range.closest('.log'), least = Number(range.min), most = Number(range.max);
    for (const [kind, value] of Object.entries(values)) {
      const share = Math.min(1, Math.max(0, log ? log.placeOf(value) : (value - least) / (most - least)));
      const sign = document.createElement('i');
      sign.className = `mark placed ${kind}`;
      sign.dataset.value = String(value);
      sign.style.left = `${range.offsetLeft + THUMB / 2 + share * (range.offsetWidth - THUMB)}px`;
      sign.style.top = `${range.offsetTop + range.offsetHeight / 2}px`;
      range.after(sign);
    }
  }
}

watch('value', mark);
new ResizeObserver(mark).observe(document.querySelector('#controls') || element);
mark();
for (const kind of ['pointermove', 'focusin']) document.addEventListener(kind, (event) => { if (!held) point(event.target); });
document.addEventListener('pointerdown', () => { held = true; }, true);
for (const kind of ['pointerup', 'pointercancel']) document.addEventListener(kind, () => { held = false; }, true);
for (const kind of ['pointerdown', 'scroll', 'keydown']) document.addEventListener(kind, hide, true);
// a slider that Tab has reached may itself have made the page scroll
document.addEventListener('scroll', () => point(document.querySelector(':focus-visible')), true);
