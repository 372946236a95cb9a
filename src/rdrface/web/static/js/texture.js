// Texture of the 3D face: the photo, projected with the pose of the face.
//
// Parts that the photo does not show are taken from the mirrored side; where neither side is visible, the color of the
// nearest visible skin fades into the mean color of the visible skin.
import { EYE, MOUTH, SKIN } from './face_model.js';
import { project } from './pose.js';
import { eachPixel, outlineMargin, visibleVertices } from './visible_vertices.js';

const DARK = [48, 22, 20]; // inside of the mouth
const SPREAD_STEPS = 40; // edges over which a color spreads into hidden parts
const MAX_SOURCE = 1024; // pixels of the longer side of the face's part of the photo

/**
 * @param {FaceModel} model
 * @param {Float32Array} vertices (V * 3) mm, the face as in the photo
 * @param {object} face a dictionary of Face.to_dict
 * @param {CanvasImageSource} photo
 * @param {{width: number, height: number}} size of the photo
 * @param {number} side of the square texture, pixels
 * @returns {HTMLCanvasElement}
 */
export function faceTexture(model, vertices, face, photo, size, side = 768) {
  const at = project(vertices, face.parameters.pose);
  const shown = visibleVertices(model, at, face.parameters.pose[6], outlineMargin(face), size.width, size.height);
  const source = part(at, photo, size);
  const plain = meanColor(source, at, shown);
  const filled = filledColors(model, at, source, shown, plain);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d');
  const image = context.createImageData(side, side);
  const { data } = image;
  data.set(background(model, side, plain));
  const height = new Float32Array(side * side).fill(-1);
  // Corner: place in the texture, height, then position in the photo and visibility of the vertex and of its mirror image,
  // then its color where neither is visible.
  const corner = (i) => {
    const m = model.mirror[i];
    return [
      model.uv[i * 2] * side - 0.5, (1 - model.uv[i * 2 + 1]) * side - 0.5, model.height[i],
      at[i * 3], at[i * 3 + 1], shown[i], at[m * 3], at[m * 3 + 1], shown[m],
      ...filled.subarray(i * 3, i * 3 + 3),
    ];
  };
  const corners = Array.from({ length: model.count }, (_, i) => corner(i));
  const own = [0, 0, 0], other = [0, 0, 0];
  const t = model.triangles;
  for (let i = 0; i < t.length; i += 3) {
    const isMouth = model.part[t[i]] === MOUTH;
    eachPixel(corners[t[i]], corners[t[i + 1]], corners[t[i + 2]], side, side, (index, u, v, w, a, b, c) => {
      const mix = (k) => u * a[k] + v * b[k] + w * c[k];
      const h = mix(2);
      if (h < height[index]) return;
      height[index] = h;
      const first = mix(5), second = mix(8);
      sample(source, mix(3), mix(4), own);
      if (first < 1) sample(source, mix(6), mix(7), other);
      for (let k = 0; k < 3; k++) {
        const rest = other[k] * second + (isMouth ? DARK[k] : mix(9 + k)) * (1 - second);
        data[index * 4 + k] = first < 1 ? own[k] * first + rest * (1 - first) : own[k];
      }
    });
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The texture before anything is drawn: dark around the sheet between the lips, which is below the face. */
function background(model, side, plain) {
  let top = 0;
  model.part.forEach((part, i) => part === MOUTH && (top = Math.max(top, model.uv[i * 2 + 1])));
  const dark = Math.floor((1 - top) * side) - 8;
  const data = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < data.length; i += 4) data.set([...(i >= dark * side * 4 ? DARK : plain), 255], i);
  return data;
}

/** Pixels of the part of the photo that the face covers. */
function part(at, photo, size) {
  let x0 = size.width, y0 = size.height, x1 = 0, y1 = 0;
  for (let i = 0; i < at.length; i += 3) {
    x0 = Math.min(x0, at[i]);
    x1 = Math.max(x1, at[i]);
    y0 = Math.min(y0, at[i + 1]);
    y1 = Math.max(y1, at[i + 1]);
  }
  x0 = Math.max(Math.floor(x0) - 2, 0);
  y0 = Math.max(Math.floor(y0) - 2, 0);
  const width = Math.max(Math.min(Math.ceil(x1) + 3, size.width) - x0, 1);
  const height = Math.max(Math.min(Math.ceil(y1) + 3, size.height) - y0, 1);
  const scale = Math.min(1, MAX_SOURCE / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(Math.round(width * scale), 1);
  canvas.height = Math.max(Math.round(height * scale), 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(photo, x0, y0, width, height, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { data, width: canvas.width, height: canvas.height, x0, y0, scale };
}

/** Color of the photo at image position (x, y), bilinear, into `color`. */
function sample(source, x, y, color) {
  const { data, width, height, x0, y0, scale } = source;
  const px = Math.min(Math.max((x - x0 + 0.5) * scale - 0.5, 0), width - 1);
  const py = Math.min(Math.max((y - y0 + 0.5) * scale - 0.5, 0), height - 1);
  const left = Math.min(Math.floor(px), Math.max(width - 2, 0)), top = Math.min(Math.floor(py), Math.max(height - 2, 0));
  const fx = px - left, fy = py - top;
  const right = width > 1 ? 4 : 0, below = height > 1 ? width * 4 : 0;
  const start = (top * width + left) * 4;
  for (let k = 0; k < 3; k++) {
    const i = start + k;
    color[k] =
      (data[i] * (1 - fx) + data[i + right] * fx) * (1 - fy) + (data[i + below] * (1 - fx) + data[i + below + right] * fx) * fy;
  }
}

/** (V * 3) colors that spread over the mesh from the vertices that the photo shows, on either side; the mean far from them. */
function filledColors(model, at, source, shown, plain) {
  const known = new Float32Array(model.count * 3), weight = new Float32Array(model.count);
  const own = [0, 0, 0], other = [0, 0, 0];
  for (let i = 0; i < model.count; i++) {
    if (model.part[i] !== SKIN) continue;
    const m = model.mirror[i];
    sample(source, at[i * 3], at[i * 3 + 1], own);
    sample(source, at[m * 3], at[m * 3 + 1], other);
    const first = shown[i], second = (1 - first) * shown[m];
    weight[i] = first + second;
    for (let k = 0; k < 3; k++) known[i * 3 + k] = first * own[k] + second * other[k];
  }
  let colors = new Float32Array(model.count * 3).map((_, i) => plain[i % 3]);
  const t = model.triangles;
  for (let step = 0; step < SPREAD_STEPS; step++) {
    const sum = new Float32Array(model.count * 3), count = new Float32Array(model.count);
    for (let i = 0; i < t.length; i += 3) {
      for (let a = 0; a < 3; a++) {
        const to = t[i + a], from = t[i + ((a + 1) % 3)], also = t[i + ((a + 2) % 3)];
        count[to] += 2;
        for (let k = 0; k < 3; k++) sum[to * 3 + k] += colors[from * 3 + k] + colors[also * 3 + k];
      }
    }
    colors = sum.map((value, i) => {
      const v = Math.floor(i / 3);
      return known[i] + (1 - weight[v]) * (count[v] ? value / count[v] : plain[i % 3]);
    });
  }
  // Eyeballs have no edges to the skin: unseen, they look like closed lids.
  for (let i = 0; i < model.count; i++) {
    if (model.part[i] !== EYE) continue;
    const from = nearestSkin(model, i) * 3;
    colors.copyWithin(i * 3, from, from + 3);
  }
  return colors;
}

function nearestSkin(model, vertex) {
  const { mean } = model;
  let nearest = vertex, least = Infinity;
  for (let i = 0; i < model.count; i++) {
    if (model.part[i] !== SKIN) continue;
    const distance = (mean[i * 3] - mean[vertex * 3]) ** 2 + (mean[i * 3 + 1] - mean[vertex * 3 + 1]) ** 2;
    if (distance < least) [nearest, least] = [i, distance];
  }
  return nearest;
}

function meanColor(source, at, shown) {
  const sum = [0, 0, 0], color = [0, 0, 0];
  let total = 0;
  shown.forEach((weight, i) => {
    if (weight < 0.5) return;
    sample(source, at[i * 3], at[i * 3 + 1], color);
    for (let k = 0; k < 3; k++) sum[k] += weight * color[k];
    total += weight;
  });
  return total ? sum.map((value) => value / total) : [176, 150, 136];
}
