// Where the small text of a setting names a lesson, a link to it: the lesson opens. The value has the lessons' keys by the words
// that name them. Gradio's own widgets show their text as it is, so the links are put into it here; those in a closed part of
// the page are there once a click has opened it.

/**
 * The event "pick": a link was followed.
 * @typedef {object} Followed
 * @property {string} key the lesson's
 */

function link() {
  for (const text of document.querySelectorAll('.info-text:not(:has(a))')) {
    const [words, key] = Object.entries(props.value).find(([named]) => text.textContent.endsWith(named)) || [];
    if (!key) continue;
    const anchor = document.createElement('a'), before = text.textContent.slice(0, -words.length);
    anchor.href = `#lesson-${key}`;
    anchor.textContent = words;
    text.replaceChildren(before, anchor);
  }
}
for (const wait of [0, 1000, 4000]) setTimeout(link, wait);  // ms; the widgets may come later than this
document.addEventListener('click', () => setTimeout(link, 300));

document.addEventListener('click', (event) => {
  const found = event.target.closest?.('a[href^="#lesson-"]');
  if (!found) return;
  event.preventDefault();
  const lessons = document.querySelector('#lessons'), panel = lessons.closest('[role=tabpanel]');
  document.querySelector(`[role=tab][aria-controls="${panel?.id}"][aria-selected=false]`)?.click();  // from another tab
  document.querySelector('#lessons button.label-wrap:not(.open)')?.click();
  setTimeout(() => lessons.scrollIntoView({block: 'start'}));  // once it is seen
  /** @type {Followed} */
  const followed = {key: found.getAttribute('href').slice('#lesson-'.length)};
  trigger('pick', followed);
});
