// Where files come from: the two file choosers, dropping, pasting.
const $ = (id) => document.getElementById(id);

/** @param {(file: File) => void} take */
export function startInputs(take) {
  for (const id of ['photo-file', 'clip-file']) {
    $(id).addEventListener('change', ({ target }) => {
      if (target.files[0]) take(target.files[0]);
      target.value = '';
    });
  }
  let inside = 0;
  const leave = () => {
    inside = 0;
    document.body.classList.remove('dragging');
  };
  addEventListener('dragenter', (event) => {
    event.preventDefault();
    inside++;
    document.body.classList.add('dragging');
  });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('dragleave', () => --inside <= 0 && leave());
  addEventListener('drop', (event) => {
    event.preventDefault();
    leave();
    const file = event.dataTransfer.files[0];
    if (file) take(file);
  });
  addEventListener('paste', (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (file) take(file);
  });
}
