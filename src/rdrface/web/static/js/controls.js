// Connects the controls of index.html to the page.
import { startInputs } from './inputs.js';
import { press, startTabs } from './tabs.js';
import { startTheme } from './theme.js';

const $ = (id) => document.getElementById(id);

/** @param {Page} page */
export function connectControls(page) {
  const actions = {
    photo: () => $('photo-file').click(),
    clip: () => $('clip-file').click(),
    camera: () => page.openCamera(),
    example: () => page.openExample(),
    help: () => $('help').showModal(),
  };
  for (const button of document.querySelectorAll('[data-action]')) button.addEventListener('click', actions[button.dataset.action]);
  startInputs((file) => page.open(file));
  startTheme($('theme'));
  startTabs(document.querySelector('[role="tablist"]'));
  const toggles = [...document.querySelectorAll('.toggles input')];
  const show = () => {
    page.picture.show = Object.fromEntries(toggles.map((toggle) => [toggle.name, toggle.checked]));
    page.picture.draw();
  };
  for (const toggle of toggles) {
    toggle.addEventListener('change', () => {
      toggle.dataset.used = 'true';
      show();
    });
  }
  show();
  for (const button of document.querySelectorAll('[data-view], [data-surface]')) {
    button.addEventListener('click', () => {
      press(button.parentElement, button);
      if (button.dataset.view) page.view.setView(button.dataset.view);
      else page.view.setSurface(button.dataset.surface);
    });
  }
  for (const button of document.querySelectorAll('[data-download]')) button.addEventListener('click', () => page.download(button.dataset.download));
  $('reset').addEventListener('click', () => page.view.reset());
  $('neutral').addEventListener('click', () => page.view.toNeutral());
  $('shutter').addEventListener('click', () => page.takePhoto());
  $('camera-stop').addEventListener('click', () => page.stopCamera());
  $('help-close').addEventListener('click', () => $('help').close());
  $('frame').addEventListener('input', ({ target }) => page.showFrame(Number(target.value)));
  $('play').addEventListener('click', () => page.play());
}
