// Gradio counts how long an event takes, seen or not, 60 times a second, and that of its own start for ever: as often the browser
// would compose the page anew. Twice a second is enough.
const compose = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (then) =>
  /performance\.now\(\)[^]*1e3/.test(then) ? setTimeout(then, 500) : compose(then);
