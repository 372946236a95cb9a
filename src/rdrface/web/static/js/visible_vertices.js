// How well the photo shows each vertex: 0 hidden or seen edge-on, 1 facing the viewer.
import { CAVITY, MOUTH } from './face_model.js';
import { faceSize } from './overlay.js';

const GRID = 320; // cells along the longer side of the face
// Distance from the outline within which the photo is not used: mm, pixels, and in units of the expected error; the
// largest one counts, as in rdrface.scene.texture. The fit is not more exact, and the background would show.
const MARGIN = 1.6, MARGIN_PIXELS = 1.2, MARGIN_ERROR = 0.5;
const BEHIND = 5; // mm behind the nearest surface at which a vertex counts as hidden

const smooth = (low, high, value) => {
  const t = Math.min(Math.max((value - low) / (high - low), 0), 1);
  return t * t * (3 - 2 * t);
};

/** Distance from the outline, in pixels, within which the photo is not used.   @param {object} face of Face.to_dict */
export function outlineMargin(face) {
  const error = (face.expected_error / 100) * faceSize(face.landmarks);
  return Math.max(MARGIN * face.parameters.pose[6], MARGIN_PIXELS, MARGIN_ERROR * error);
}

/**
 * @param {FaceModel} model
 * @param {Float32Array} at (V * 3) positions in the image, pixels; z towards the viewer
 * @param {number} scale pixels per mm
 * @param {number} margin see `outlineMargin`
 * @param {number} width, height of the image
 * @returns {Float32Array} (V)
 */
export function visibleVertices(model, at, scale, margin, width, height) {
  const { cells, cell, x0, y0, columns, rows } = depthGrid(model.triangles, at);
  const outlined = nearOutline(cells, columns, rows, margin / cell);
  // Normals point inwards in image pixels, where y points down.
  const normals = model.normals(at);
  const result = new Float32Array(model.count);
  const open = openMouth(model, at, scale);
  const outside = outsidePhoto(model, at, width, height);
  for (let i = 0; i < model.count; i++) {
    if (outside[i] || model.part[i] === CAVITY) continue;
    if (model.part[i] === MOUTH) {
      result[i] = open * smooth(0.12, 0.5, -normals[i * 3 + 2]);
      continue;
    }
    const index = Math.round((at[i * 3 + 1] - y0) / cell) * columns + Math.round((at[i * 3] - x0) / cell);
    const hidden = outlined[index] || cells[index] - at[i * 3 + 2] > BEHIND * scale;
    result[i] = hidden ? 0 : smooth(0.12, 0.5, -normals[i * 3 + 2]);
  }
  return spread(model, spread(model, result));
}

/** (V) 1 at vertices of triangles that reach beyond the photo: nothing between them is taken from it either. */
function outsidePhoto(model, at, width, height) {
  const isOutside = (i) => at[i * 3] < 0 || at[i * 3 + 1] < 0 || at[i * 3] > width - 1 || at[i * 3 + 1] > height - 1;
  const result = new Uint8Array(model.count);
  const t = model.triangles;
  for (let i = 0; i < t.length; i += 3) {
    const corners = t.subarray(i, i + 3);
    if (corners.some(isOutside)) corners.forEach((corner) => (result[corner] = 1));
  }
  return result;
}

/** 1 in cells within `margin` cells of an empty one. Beyond the grid, cells are empty. */
function nearOutline(cells, columns, rows, margin) {
  const reach = Math.max(1, Math.round(margin));
  const empty = Uint8Array.from(cells, (depth) => (depth === -Infinity ? 1 : 0));
  const isWide = widen(empty, columns, rows, 1, columns, reach);
  return widen(isWide, rows, columns, columns, 1, reach);
}

/** Each 1 spread over `reach` cells to both sides, along `length` cells that are `step` apart, in `lines` that are `stride` apart. */
function widen(cells, length, lines, step, stride, reach) {
  const result = new Uint8Array(cells.length).fill(1);
  for (let line = 0; line < lines; line++) {
    // Cells from `clear` on are 0, up to the current one.
    for (let i = 0, clear = 0; i < length; i++) {
      if (cells[line * stride + i * step]) clear = i + 1;
      if (i - clear >= 2 * reach) result[line * stride + (i - reach) * step] = 0;
    }
  }
  return result;
}

/** 0 if the lips are closed, 1 if the photo shows what is between them. */
function openMouth(model, at, scale) {
  const points = model.landmarks(at);
  const distance = Math.hypot(points[62 * 3] - points[66 * 3], points[62 * 3 + 1] - points[66 * 3 + 1]);
  return smooth(1.5, 4, distance / scale);
}

function depthGrid(triangles, at) {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (let i = 0; i < at.length; i += 3) {
    x0 = Math.min(x0, at[i]);
    x1 = Math.max(x1, at[i]);
    y0 = Math.min(y0, at[i + 1]);
    y1 = Math.max(y1, at[i + 1]);
  }
  const cell = Math.max(x1 - x0, y1 - y0) / GRID || 1;
  const columns = Math.ceil((x1 - x0) / cell) + 2, rows = Math.ceil((y1 - y0) / cell) + 2;
  const cells = new Float32Array(columns * rows).fill(-Infinity);
  const corner = (i) => [(at[i * 3] - x0) / cell, (at[i * 3 + 1] - y0) / cell, at[i * 3 + 2]];
  for (let t = 0; t < triangles.length; t += 3) {
    eachPixel(corner(triangles[t]), corner(triangles[t + 1]), corner(triangles[t + 2]), columns, rows, (index, u, v, w, a, b, c) => {
      cells[index] = Math.max(cells[index], u * a[2] + v * b[2] + w * c[2]);
    });
  }
  return { cells, cell, x0, y0, columns, rows };
}

/** Calls `paint(index, u, v, w, a, b, c)` for each pixel center in the triangle of a, b, c: [x, y, ...]. */
export function eachPixel(a, b, c, columns, rows, paint) {
  const area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
  if (!area) return;
  const left = Math.max(Math.ceil(Math.min(a[0], b[0], c[0])), 0);
  const right = Math.min(Math.floor(Math.max(a[0], b[0], c[0])), columns - 1);
  const top = Math.max(Math.ceil(Math.min(a[1], b[1], c[1])), 0);
  const bottom = Math.min(Math.floor(Math.max(a[1], b[1], c[1])), rows - 1);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const v = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area;
      const w = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area;
      const u = 1 - v - w;
      if (u >= -1e-6 && v >= -1e-6 && w >= -1e-6) paint(y * columns + x, u, v, w, a, b, c);
    }
  }
}

/** Each vertex at most the mean of its own value and the smallest of its neighbors: softens the border of hidden parts. */
function spread(model, values) {
  const lowest = Float32Array.from(values);
  const t = model.triangles;
  for (let i = 0; i < t.length; i += 3) {
    const low = Math.min(values[t[i]], values[t[i + 1]], values[t[i + 2]]);
    for (let k = 0; k < 3; k++) lowest[t[i + k]] = Math.min(lowest[t[i + k]], low);
  }
  return values.map((value, i) => (value + lowest[i]) / 2);
}
