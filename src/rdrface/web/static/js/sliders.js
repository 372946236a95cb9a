// The sliders of the expressions.
import { GROUPS, WORDS } from './expressions.js';

const FIRST = 'Mouth'; // open at the start: its values differ from 0 in most photos

export class Sliders {
  /** @param {(name: string, value: number) => void} moved called when a person moves a slider */
  constructor(container, moved) {
    this.inputs = new Map();
    container.replaceChildren(...GROUPS.map(([title, entries]) => this.#group(title, entries)));
    container.addEventListener('input', ({ target }) => {
      this.#label(target);
      moved(target.name, Number(target.value));
    });
  }

  /** Move all sliders to the values of a map, or of an object; others are disabled. */
  set(values) {
    const entries = values instanceof Map ? values : new Map(Object.entries(values));
    for (const [name, input] of this.inputs) {
      input.disabled = !entries.has(name);
      input.value = entries.get(name) ?? 0;
      this.#label(input);
    }
  }

  #group(title, entries) {
    const group = document.createElement('details');
    group.open = title === FIRST;
    const summary = document.createElement('summary');
    summary.textContent = title;
    group.append(summary, ...entries.map(([label, ...names]) => this.#entry(label, names)));
    return group;
  }

  #entry(label, names) {
    const entry = document.createElement('div');
    entry.className = 'slider';
    const title = document.createElement('span');
    title.textContent = label;
    entry.append(title);
    names.forEach((name, i) => {
      const row = document.createElement('label');
      const side = document.createElement('i');
      side.textContent = names.length === 1 ? '' : i ? 'Right' : 'Left';
      const input = document.createElement('input');
      Object.assign(input, { type: 'range', min: 0, max: 1, step: 0.01, name, value: 0 });
      input.setAttribute('aria-label', WORDS.get(name));
      const output = document.createElement('output');
      row.append(side, input, output);
      entry.append(row);
      this.inputs.set(name, input);
    });
    return entry;
  }

  #label(input) {
    input.style.setProperty('--share', `${input.value * 100}%`);
    input.nextElementSibling.value = Number(input.value).toFixed(2);
  }
}
