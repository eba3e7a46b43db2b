// Cards of runs, each a moving thumbnail. The value: {cards: [{id, title, lines, thumb}], most, small, empty, chosen}.
// Up to `most` cards can be chosen; the event "pick" tells which, oldest choice first.
const box = element.querySelector('.cards');
let chosen = null, drawn = [], frame = 0;

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
    img.onload = () => { drawn.push({cx: canvas.getContext('2d'), img, meta: item.thumb}); draw(); };
    img.src = item.thumb.src;
  }
  button.addEventListener('click', () => choose(item.id));
  return button;
}

function choose(id) {
  const most = props.value.most;
  if (most === 1) chosen = [id];
  else chosen = chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id].slice(-most);
  press();
  trigger('pick', {ids: chosen});
}

function press() {
  for (const button of box.querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(chosen.includes(button.dataset.id)));
}

function draw() {
  for (const {cx, img, meta} of drawn) {
    const k = frame % meta.n;
    cx.drawImage(img, (k % meta.cols) * meta.w, Math.floor(k / meta.cols) * meta.h, meta.w, meta.h, 0, 0, 72, 72);
  }
}

function load() {
  const value = props.value;
  if (!value || !value.cards) return;
  drawn = [];
  // an answer to what was asked before a click must not undo the click: what is chosen here counts, and is told again
  const told = value.chosen || [];
  chosen = (chosen || told).filter((id) => value.cards.some((item) => item.id === id));
  box.classList.toggle('small', Boolean(value.small));
  box.replaceChildren(...value.cards.map(card));
  if (!value.cards.length) { const p = document.createElement('p'); p.textContent = value.empty || ''; box.append(p); }
  press();
  if (String(chosen) !== String(told)) trigger('pick', {ids: chosen});
}

function tick() {
  if (!element.isConnected) return clearInterval(timer);
  if (drawn.length && box.offsetParent && !document.hidden) { frame += 1; draw(); }
}
const timer = matchMedia('(prefers-reduced-motion: reduce)').matches ? null : setInterval(tick, 250);
watch('value', load); load();
