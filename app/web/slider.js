// A slider whose way is logarithmic: its left end is the minimum (0, mostly), then come the decades from `step` to the maximum.

/**
 * Data of the element, from Python.
 * @typedef {object} Limits
 * @property {string} min the smallest value
 * @property {string} max the largest
 * @property {string} step the smallest value above the minimum that the way shows
 * @property {string} [whole] there, where values are whole numbers
 */

const [box, number, range] = ['.log', 'input[type=number]', 'input[type=range]'].map((part) => element.querySelector(part));
const [least, most, step] = ['min', 'max', 'step'].map((name) => Number(box.dataset[name]));
const whole = 'whole' in box.dataset;
let dragging = false;
box.placeOf = (value) => place(value);                // for the marks of previews.js

/** @param {number} value */
const place = (value) => value < step ? 0 : Math.log(value / step) / Math.log(most / step);
/** @param {number} share */
const valueAt = (share) => {
  const value = step * (most / step) ** share;
  return share <= 0 ? least : whole ? Math.round(value) : Number(value.toPrecision(2));
};

/** @param {number} value */
function show(value) {
  if (document.activeElement !== number) number.value = String(value);
  if (!dragging) range.value = String(place(value));
  range.style.setProperty('--range_progress', `${100 * Number(range.value)}%`);
  range.setAttribute('aria-valuetext', String(value));
}

/** @param {number} value */
function give(value) {
  props.value = Math.min(Math.max(value, least), most);
  show(props.value);
  trigger('input');
}

range.addEventListener('pointerdown', () => { dragging = true; });
for (const end of ['pointerup', 'pointercancel', 'blur']) range.addEventListener(end, () => { dragging = false; });
range.addEventListener('input', () => {
  let share = Number(range.value);
  // an arrow key's way may be less than a digit: it goes on to the next value
  const way = 0.01 * Math.sign(share - place(props.value));
  while (!dragging && way && share > 0 && share < 1 && valueAt(share) === props.value) share += way;
  give(valueAt(share));
});
number.addEventListener('change', () => {
  if (number.value !== '') give(whole ? Math.round(Number(number.value)) : Number(number.value));
  number.value = String(props.value);
});
watch('value', () => show(Number(props.value)));
show(Number(props.value));
