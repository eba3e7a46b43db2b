// Hands what is highlighted and what travels to the map (web/map.js). The value: {highlight, style, runs, moment}.
function tell() { window.leapsOverlay = props.value || {}; window.dispatchEvent(new Event('leaps-overlay')); }
watch('value', tell); tell();
