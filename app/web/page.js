// Runs once, when the page is there.
() => {
  /** @type {Leaps} */
  const leaps = window.leaps ??= {};
  leaps.moveCursor = (step) => {                      // the cursor is the first shape of both plots (see plots.py)
    for (const plot of document.querySelectorAll('#plots .js-plotly-plot'))
      if (window.Plotly && plot.layout && plot.layout.shapes)
        window.Plotly.relayout(plot, {'shapes[0].x0': step, 'shapes[0].x1': step, 'shapes[0].visible': true});
  };
  // A plot that was drawn while its tab was hidden is too wide until the window's size changes, and makes room for its legend
  // only when it is looked at once more.
  const settle = () => {
    for (const plot of document.querySelectorAll('#plots .js-plotly-plot'))
      if (window.Plotly && plot.layout?.legend) window.Plotly.relayout(plot, {'legend.y': plot.layout.legend.y});
  };
  const resized = new ResizeObserver(() => { window.dispatchEvent(new Event('resize')); setTimeout(settle, 500); });
  const wait = () => {
    const plots = document.querySelector('#plots');
    plots ? resized.observe(plots) : setTimeout(wait, 200);
  };
  wait();
  // On a phone the closer look comes below the controls; the Tab key shall meet it there, too.
  const narrow = matchMedia('(max-width: 768px)');   // as in page.css
  const place = () => {
    const closer = document.querySelector('#closer');
    closer ? document.querySelector(narrow.matches ? '#columns' : '#stage').append(closer) : setTimeout(place, 200);
  };
  narrow.addEventListener('change', place);
  place();
  // What is too wide can be scrolled by keyboard, too. What comes and goes on the page changes its height.
  new ResizeObserver(() => {
    for (const wide of document.querySelectorAll('#closer-table, #versus-table, #versus .tracks, #study-table, #table, #map-numbers'))
      wide.scrollWidth > wide.clientWidth ? wide.tabIndex = 0 : wide.removeAttribute('tabindex');
  }).observe(document.body);
}

/**
 * The page's one global object, `window.leaps`. Any script may run first, so each makes it where it is missing.
 * @typedef {object} Leaps
 * @property {(step: number) => void} [moveCursor] moves the cursor of both plots to a step; the timeline calls it
 * @property {Partial<import('./overlay.js').Overlay>} [overlay] the map's newest overlay; the event `leaps-overlay` tells of it
 */
