// Drawing of a face on its photo. Positions are image pixels; the canvas is transformed to the visible part.
import { SKIN } from './face_model.js';
import { project } from './pose.js';

const GROUPS = [
  [17, 22], [22, 27], [27, 31], [31, 36], [36, 42, true], [42, 48, true], [48, 60, true], [60, 68, true],
];
const FAINT = 0.32; // opacity of lines with a hidden end: in profiles they cross the visible side
const RING = 0.75; // opacity of hidden points
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
    drawLine(context, points.slice(0, 17), face.visibility.slice(0, 17), false, color, scale, dash);
    if (show.points) drawPoints(context, face, points, 0, 17, color, scale, show);
  }
  if (!show.points) return;
  for (const [start, end, closed] of GROUPS) {
    drawLine(context, face.landmarks.slice(start, end), face.visibility.slice(start, end), closed, COLOR.line, scale, []);
  }
  drawPoints(context, face, face.landmarks, 17, 68, COLOR.line, scale, show);
}

/** sqrt(width * height) of the box of points. */
export function faceSize(points) {
  const [x, y] = [0, 1].map((k) => points.map((point) => point[k]));
  return Math.sqrt((Math.max(...x) - Math.min(...x)) * (Math.max(...y) - Math.min(...y)));
}

/** A line through points; parts with a hidden end are faint and thin. */
function drawLine(context, points, visibility, closed, color, scale, dash) {
  const ends = points.map((_, i) => [i, i + 1]).slice(0, -1);
  if (closed) ends.push([points.length - 1, 0]);
  const isHidden = ([a, b]) => visibility[a] <= 0.5 || visibility[b] <= 0.5;
  context.setLineDash(dash);
  context.globalAlpha = FAINT;
  strokeRuns(context, points, ends.filter(isHidden), [[color, 1.1]], scale);
  context.globalAlpha = 1;
  strokeRuns(context, points, ends.filter((pair) => !isHidden(pair)), [[COLOR.halo, 3.2], [color, 1.5]], scale);
  context.setLineDash([]);
}

/** Strokes edges [a, b] between points; edges that follow each other are one line. */
function strokeRuns(context, points, edges, strokes, scale) {
  if (!edges.length) return;
  context.beginPath();
  let last = -1;
  for (const [a, b] of edges) {
    if (a !== last) context.moveTo(...points[a]);
    context.lineTo(...points[b]);
    last = b;
  }
  for (const [style, width] of strokes) {
    context.strokeStyle = style;
    context.lineWidth = width * scale;
    context.stroke();
  }
}

function drawPoints(context, face, points, start, end, color, scale, show) {
  for (const hidden of [true, false]) {
    if (hidden && !show.hidden) continue;
    for (let i = start; i < end; i++) {
      if (face.visibility[i] <= 0.5 !== hidden) continue;
      context.beginPath();
      context.arc(...points[i], (hidden ? 2.3 : 2.5) * scale, 0, 2 * Math.PI);
      if (hidden) {
        context.globalAlpha = RING;
        context.strokeStyle = color;
      } else {
        context.fillStyle = COLOR.point;
        context.fill();
        context.strokeStyle = COLOR.halo;
      }
      context.lineWidth = 0.9 * scale;
      context.stroke();
      context.globalAlpha = 1;
    }
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
