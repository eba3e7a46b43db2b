// Hands what is highlighted and which trails are shown to the map (map.js), and tells the server when other runs than before
// have ended, so that it computes their figures.

/**
 * The value.
 * @typedef {object} Overlay
 * @property {string} highlight the highlighted class, '' for none
 * @property {'class' | 's5'} style colours: one per class, or those of the paper's figure S5
 * @property {Trail[]} runs one trail per run and one per video of the visitor's own
 * @property {Record<string, number>} shown_at a run's id -> the step at which it is shown; without one, its last step
 * @property {string[]} ended the bank's digest, the map's recipe and the ids of the shown runs that have ended
 *
 * @typedef {object} Trail where a run was on the map, from its first step to its newest; a video has one position
 * @property {string} id the run's id, or `video:` and the video's index
 * @property {string} name as the legend has it
 * @property {'LEAPS' | 'without R_feat' | 'video'} arm the arm of figure S5 that the run belongs to
 * @property {string} colour the arm's colour in figure S5, for CSS
 * @property {number[]} steps one step per position; 0 for a video
 * @property {number[][]} positions one row per axis (2 or 3), in it one coordinate per step, without a unit
 * @property {boolean[]} far one per step: whether its position is far from all real clips in the original space
 */

/** @type {import('./page.js').Leaps} */
const leaps = window.leaps ??= {};
let ended = '';

function update() {
  leaps.overlay = props.value || {}; window.dispatchEvent(new Event('leaps-overlay'));
  const now = String(leaps.overlay.ended || '');
  if (now !== ended) { ended = now; trigger('ended'); }   // the event carries nothing
}
watch('value', update); update();
