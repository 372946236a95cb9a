// Tables of head pose and expression.
import { WORDS } from './expressions.js';

/** @param {object} face a dictionary of Face.to_dict */
export function measuresOf(face) {
  const { yaw, pitch, roll } = face.pose;
  const visible = face.visibility.filter((value) => value > 0.5).length;
  const turn = (value, positive, negative) => (Math.abs(value) < 0.5 ? '' : value > 0 ? positive : negative);
  const pose = [
    ['Yaw', degrees(yaw), turn(yaw, 'nose to the right of the photo', 'nose to the left of the photo')],
    ['Pitch', degrees(pitch), turn(pitch, 'nose down', 'nose up')],
    ['Roll', degrees(roll), turn(roll, 'counterclockwise, seen from the front', 'clockwise, seen from the front')],
  ];
  const quality = [
    ['Expected error', `${face.expected_error.toFixed(2)} %`, 'of the face’s size, mean over the points'],
    ['Visible points', `${visible} of 68`, ''],
    ['Detector score', face.score.toFixed(2), 'from 0 to 1'],
  ];
  const shapes = Object.entries(face.blendshapes)
    .sort((a, b) => b[1] - a[1])
    .map(([name, value]) => [WORDS.get(name) ?? name, value.toFixed(2), name, value]);
  return [
    table('Direction of the head', pose),
    table('Reliability', quality),
    table('Expression, strongest first', shapes),
  ];
}

const degrees = (value) => `${value.toFixed(1)}°`.replace('-', '−');

function table(title, rows) {
  const element = document.createElement('table');
  element.createCaption().textContent = title;
  const body = element.createTBody();
  for (const [label, value, note, share] of rows) {
    const row = body.insertRow();
    const head = document.createElement('th');
    head.scope = 'row';
    head.textContent = label;
    if (note) {
      const small = document.createElement('small');
      small.textContent = note;
      head.append(small);
    }
    row.append(head);
    const cell = row.insertCell();
    cell.textContent = value;
    if (share !== undefined) {
      cell.className = 'meter';
      cell.style.setProperty('--share', `${share * 100}%`);
    }
  }
  return element;
}
