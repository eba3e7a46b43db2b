// The model's five best guesses.

/**
 * The value.
 * @typedef {object} Bars
 * @property {[label: string, share: number][]} rows one row per guess, best first; share: its probability, 0 to 1
 * @property {string} wanted the label that is synthesized; its row stands out
 */

const list = element.querySelector('ol');
function load() {
  /** @type {Bars} */
  const value = props.value;
  if (!value || !value.rows) return;
  while (list.children.length > value.rows.length) list.lastChild.remove();
  value.rows.forEach(([label, share], k) => {
    if (!list.children[k]) {
      const li = document.createElement('li');
      li.append(document.createElement('span'), document.createElement('b'), document.createElement('i'));
      list.append(li);
    }
    const [name, number, bar] = list.children[k].children, percent = (100 * share).toFixed(share < 0.1 ? 1 : 0) + ' %';
    name.textContent = label; name.title = label; number.textContent = percent;
    bar.style.setProperty('--p', (100 * share) + '%');
    list.children[k].classList.toggle('wanted', label === value.wanted);
  });
}
watch('value', load); load();
