// Long work that goes on, a line each, over all tabs.

/**
 * The value.
 * @typedef {object} Tray
 * @property {{title: string, share: number | null, said: string}[]} items what goes on, how much of it is done, and what is said of it
 */

const box = element.querySelector('aside');

function show() {
  /** @type {Tray} */
  const {items = []} = props.value || {};
  box.hidden = !items.length;
  box.replaceChildren(...items.map(({title, share, said}) => {
    const line = document.createElement('div'), name = document.createElement('b'), rest = document.createElement('span');
    const bar = document.createElement('progress');
    name.textContent = title; rest.textContent = said;
    bar.setAttribute('aria-label', title);
    if (share !== null) bar.value = share;
    line.append(name, bar, rest);
    return line;
  }));
}
watch('value', show); show();
