// The status line. Only the state is announced: figures that change all the time are not.

/**
 * The value.
 * @typedef {object} Status
 * @property {string} state one word: loading, ready, queued, running, paused, done, stopped, error, demo; CSS colours some
 * @property {string} word what it is called in the page's language
 * @property {string} text the rest of the line
 */

const [state, text] = [element.querySelector('b'), element.querySelector('span')];
function load() {
  /** @type {Partial<Status>} */
  const value = props.value || {};
  if (state.textContent !== value.word) { state.textContent = value.word || ''; state.dataset.state = value.state || ''; }
  text.textContent = value.text || '';
}
watch('value', load); load();
