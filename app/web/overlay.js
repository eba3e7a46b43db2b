// Hands what is highlighted and what travels to the map (web/map.js), and tells the server when other runs than before have
// ended, so that it computes their figures. The value: {highlight, style, runs, moment, ended}.
let ended = '';
function tell() {
  window.leapsOverlay = props.value || {}; window.dispatchEvent(new Event('leaps-overlay'));
  const now = String(window.leapsOverlay.ended || '');
  if (now !== ended) { ended = now; trigger('ended'); }
}
watch('value', tell); tell();
