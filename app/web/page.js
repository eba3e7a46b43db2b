// Moves the cursor of both plots to a step: their first shape (see plots.py).
() => {
  window.leapsCursor = (step) => {
    for (const plot of document.querySelectorAll('#plots .js-plotly-plot'))
      if (window.Plotly && plot.layout && plot.layout.shapes)
        window.Plotly.relayout(plot, {'shapes[0].x0': step, 'shapes[0].x1': step, 'shapes[0].visible': true});
  };
  // A plot that was drawn while its tab was hidden is too wide until the window's size changes.
  const resized = new ResizeObserver(() => window.dispatchEvent(new Event('resize')));
  const wait = () => { const plots = document.querySelector('#plots'); plots ? resized.observe(plots) : setTimeout(wait, 200); };
  wait();
}
