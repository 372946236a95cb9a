// Drawing of a face on its photo. Positions are image pixels; the canvas is transformed to the visible part.
import { SKIN } from './face_model.js';
import { project } from './pose.js';

const GROUPS = [
  [17, 22], [22, 27], [27, 31], [31, 36], [36, 42, true], [42, 48, true], [48, 60, true], [60, 68, true],
];
const COLOR = { line: '#7fe3d4', point: '#ffffff', jawline: '#ffc65c', mesh: 'rgba(160, 236, 224, .42)', halo: 'rgba(8, 16, 18, .55)' };

/**
 * @param {CanvasRenderingContext2D} context transformed to image pixels
 * @param {object} face a dictionary of Face.to_dict
 * @param {Record<string, boolean>} show points, outline, jawline, mesh, hidden, uncertainty
 * @param {number} unit image pixels per screen pixel
 * @param {{edges: Uint32Array, vertices: Float32Array, normals: Float32Array} | null} mesh of the face, mm
 */
export function drawFace(context, face, show, unit, mesh) {
  const size = faceSize(face.landmarks);
  // Thinner lines on faces that are small on the screen.
  const scale = Math.min(Math.max(size / unit / 260, 0.45), 1.5) * unit;
  context.lineCap = context.lineJoin = 'round';
  if (show.mesh && mesh) drawMesh(context, face, mesh, unit);
  if (show.uncertainty) drawUncertainty(context, face, size, scale, show);
  const contours = [];
  if (show.jawline) contours.push([face.landmarks_jawline, COLOR.jawline, [5 * scale, 4 * scale]]);
  if (show.outline) contours.push([face.landmarks, COLOR.line, []]);
  for (const [points, color, dash] of contours) {
    drawLine(context, points.slice(0, 17), false, color, scale, dash);
    if (show.points) drawPoints(context, face, points, 0, 17, color, scale, show);
  }
  if (!show.points) return;
  for (const [start, end, closed] of GROUPS) {
    const points = face.landmarks.slice(start, end);
    drawLine(context, points, closed, COLOR.line, scale, []);
  }
  drawPoints(context, face, face.landmarks, 17, 68, COLOR.line, scale, show);
}

/** sqrt(width * height) of the box of points. */
export function faceSize(points) {
  const [x, y] = [0, 1].map((k) => points.map((point) => point[k]));
  return Math.sqrt((Math.max(...x) - Math.min(...x)) * (Math.max(...y) - Math.min(...y)));
}

function drawLine(context, points, closed, color, scale, dash) {
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (closed) context.closePath();
  context.setLineDash(dash);
  for (const [style, width] of [[COLOR.halo, 3.2], [color, 1.5]]) {
    context.strokeStyle = style;
    context.lineWidth = width * scale;
    context.stroke();
  }
  context.setLineDash([]);
}

function drawPoints(context, face, points, start, end, color, scale, show) {
  for (let i = start; i < end; i++) {
    const hidden = face.visibility[i] <= 0.5;
    if (hidden && !show.hidden) continue;
    const [x, y] = points[i];
    context.beginPath();
    context.arc(x, y, (hidden ? 3.1 : 2.5) * scale, 0, 2 * Math.PI);
    context.fillStyle = hidden ? COLOR.halo : COLOR.point;
    context.fill();
    context.strokeStyle = hidden ? color : COLOR.halo;
    context.lineWidth = (hidden ? 1.3 : 0.9) * scale;
    context.stroke();
  }
}

function drawUncertainty(context, face, size, scale, show) {
  for (let i = 0; i < 68; i++) {
    if (face.visibility[i] <= 0.5 && !show.hidden) continue;
    if (i < 17 && !show.outline) continue;
    const [x, y] = face.landmarks[i];
    context.beginPath();
    context.arc(x, y, Math.max((face.uncertainty[i] / 100) * size, 1.5 * scale), 0, 2 * Math.PI);
    context.fillStyle = 'rgba(255, 124, 92, .3)';
    context.fill();
    context.strokeStyle = 'rgba(255, 148, 118, .95)';
    context.lineWidth = 1.1 * scale;
    context.stroke();
  }
}

function drawMesh(context, face, { edges, vertices, normals }, unit) {
  const at = project(vertices, face.parameters.pose);
  const still = project(normals, [...face.parameters.pose.slice(0, 3), 0, 0, 0, 1]);
  context.beginPath();
  for (let i = 0; i < edges.length; i += 2) {
    const a = edges[i] * 3, b = edges[i + 1] * 3;
    if (still[a + 2] < 0 || still[b + 2] < 0) continue;
    context.moveTo(at[a], at[a + 1]);
    context.lineTo(at[b], at[b + 1]);
  }
  context.strokeStyle = COLOR.mesh;
  context.lineWidth = 0.8 * unit;
  context.stroke();
}

/** Each edge of the visible skin once, (2 * E) vertex indices. */
export function edgesOf(model) {
  const seen = new Set();
  const t = model.triangles;
  for (let i = 0; i < t.length; i += 3) {
    for (const [a, b] of [[t[i], t[i + 1]], [t[i + 1], t[i + 2]], [t[i + 2], t[i]]]) {
      if (model.part[a] === SKIN && model.part[b] === SKIN) seen.add(Math.min(a, b) * 65536 + Math.max(a, b));
    }
  }
  return Uint32Array.from([...seen].flatMap((key) => [Math.floor(key / 65536), key % 65536]));
}
