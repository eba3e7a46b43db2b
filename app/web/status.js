// The status line. The value: {state, text}. Only the state is announced: figures that change all the time are not.
const [state, text] = [element.querySelector('b'), element.querySelector('span')];
function load() {
  const value = props.value || {};
  if (state.textContent !== value.state) { state.textContent = value.state || ''; state.dataset.state = value.state || ''; }
  text.textContent = value.text || '';
}
watch('value', load); load();
