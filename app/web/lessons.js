// Where the small text of a setting names a lesson, a link to it: the lesson opens. The value has the lessons' keys by the words
// that name them. Gradio's own widgets show their text as it is, so the links are put into it here; those in a closed part of
// the page are there once a click has opened it.

/**
 * The event "pick": a link was followed.
 * @typedef {object} Followed
 * @property {string} key the lesson's
 */

/** How an address begins, after the page's, that leads to a lesson. */
const HASH = '#lesson-';

function link() {
  for (const text of document.querySelectorAll('.info-text:not(:has(a))')) {
    const [words, key] = Object.entries(props.value).find(([named]) => text.textContent.endsWith(named)) || [];
    if (!key) continue;
    const anchor = document.createElement('a'), before = text.textContent.slice(0, -words.length);
    anchor.href = HASH + key;
    anchor.textContent = words;
    text.replaceChildren(before, anchor);
  }
}
for (const wait of [0, 1000, 4000]) setTimeout(link, wait);  // ms; the widgets may come later than this
document.addEventListener('click', () => setTimeout(link, 300));

document.addEventListener('click', (event) => {
  const found = event.target.closest?.(`a[href^="${HASH}"]`);
  if (!found) return;
  event.preventDefault();
  follow(found.getAttribute('href').slice(HASH.length));
});

/** @param {string} key a lesson's: opens it, from whatever tab */
function follow(key) {
  const lessons = document.querySelector('#lessons'), panel = lessons.closest('[role=tabpanel]');
  document.querySelector(`[role=tab][aria-controls="${panel?.id}"][aria-selected=false]`)?.click();  // from another tab
  document.querySelector('#lessons button.label-wrap:not(.open)')?.click();
  setTimeout(() => lessons.scrollIntoView({block: 'start'}));  // once it is seen
  /** @type {Followed} */
  const followed = {key};
  trigger('pick', followed);
}

// The page's address may name one. It opens once the stage shows something, as then the page can be pressed.
function opened() {
  document.querySelector('#player figure') ? follow(location.hash.slice(HASH.length)) : setTimeout(opened, 200);
}
if (location.hash.startsWith(HASH)) opened();
