// RetinaFace, as rdrface.detection.retinaface with its default settings; the comments there give the reasons.
import { boxSize, faceAngle, iou, merged, moved, nms } from './boxes.js';
import { part, resize, round, thinned } from './pixels.js';

const MEAN_BGR = [104, 117, 123];
const STRIDES = [8, 16, 32], SIZES = [[16, 32], [64, 128], [256, 512]];
const THRESHOLD = 0.6, MAX_SIDE = 1280, BUDGET = (9 / 16) * MAX_SIDE ** 2;

export class RetinaFace {
  /** @param {(data: Float32Array, dims: number[]) => Promise<Record<string, {data: Float32Array}>>} run the graph */
  constructor(run) {
    this.run = run;
  }

  /** Faces of an image: score, the detector's box, and five points. */
  async detect(image) {
    return nms((await this.#coarse(image)) ?? (await this.#full(image)), 0.4);
  }

  async #coarse(image) {
    const full = inputScale(image);
    const relative = Math.max(320 / round(full * Math.max(image.width, image.height)), 0.35);
    if (relative > 0.8) return null;
    const [width, height] = [image.width, image.height].map((side) => Math.max(1, round(side * full * relative)));
    let faces = await this.#pass(resizeFast(image, width, height), 0.006, 16, 16);
    if (faces.length > 1000 || !faces.some(({ score }) => score >= 0.8)) return null;
    faces = merged(faces, 0.4);
    const certain = faces.filter(({ score, box }) => score >= 0.8 && boxSize(box) >= 20);
    const unsuitable = (face) => (Math.abs(faceAngle(face)) > 20 && boxSize(face.box) < 80) || isCut(face, width, height);
    if (!certain.length || certain.some(unsuitable)) return null;
    const doubtful = faces.filter((face) => !certain.includes(face) && isDoubtful(face, certain));
    if (doubtful.length > 16) return null;
    const toImage = (some) => moved(some, image.width / width, image.height / height);
    const second = await this.#windows(image, toImage(doubtful));
    if (!second) return null;
    const all = toImage(certain);
    const added = second.filter((face) => all.every((other) => iou(face.box, other.box) < 0.4));
    const kept = toImage(doubtful.filter(({ score }) => score >= THRESHOLD));
    return [...all, ...replaceMatched(kept, () => true, added)];
  }

  async #windows(image, faces) {
    const found = [];
    for (const { box, score } of faces) {
      const side = Math.ceil(Math.max(2.5 * boxSize(box), 16));
      const [x0, y0] = [0, 1].map((k) => Math.floor((box[k] + box[k + 2]) / 2 - side / 2));
      const window = resizeFast(part(image, x0, y0, side, side), 96, 96);
      const inside = moved(merged(await this.#pass(window, 0.2, 0), 0.4), side / 96, side / 96, x0, y0);
      const central = inside.filter(({ box: other }) => {
        const offset = [x0, y0].map((start, k) => Math.abs((other[k] + other[k + 2]) / 2 - start - side / 2));
        return Math.max(...offset) < side / 4 && boxSize(other) < 0.75 * side;
      });
      const best = Math.max(0, ...central.map((face) => face.score));
      if (best > 0 && best < THRESHOLD && score < THRESHOLD) return null;
      found.push(...central.filter((face) => face.score >= THRESHOLD));
    }
    return found;
  }

  async #full(image) {
    const scale = inputScale(image);
    const resized = scaled(image, scale);
    const candidates = await this.#pass(resized, 0.3);
    const [rx, ry] = [image.width / resized.width, image.height / resized.height];
    const found = await this.#addLarge(resized, candidates.filter(({ score }) => score >= THRESHOLD));
    const faces = moved(found, rx, ry);
    return scale < 1 ? this.#addSmall(image, faces, moved(candidates, rx, ry), scale) : faces;
  }

  async #addLarge(resized, found) {
    const large = ({ box }) => boxSize(box) > 400;
    const longest = Math.max(resized.width, resized.height);
    if (longest <= 480 || (found.length && !found.some(large))) return found;
    const smaller = scaled(resized, 480 / longest);
    const faces = await this.#pass(smaller, THRESHOLD);
    return replaceMatched(found, large, moved(faces, resized.width / smaller.width, resized.height / smaller.height));
  }

  async #addSmall(image, found, candidates, scale) {
    const small = candidates.filter(({ box }) => boxSize(box) * scale < 20);
    if (!small.length) return found;
    const size = Math.max(...small.map(({ box }) => boxSize(box)));
    const limits = [image.width, image.height].map((extent, k) => {
      const low = Math.min(...small.map(({ box }) => box[k])), high = Math.max(...small.map(({ box }) => box[k + 2]));
      const margin = Math.max(0.1 * (high - low), 5 * size);
      return [Math.max(Math.floor(low - margin), 0), Math.min(Math.ceil(high + margin) + 1, extent)];
    });
    const [[x0, x1], [y0, y1]] = limits;
    const near = part(image, x0, y0, x1 - x0, y1 - y0);
    const resized = scaled(near, Math.min(1, Math.sqrt((9 * BUDGET) / (near.width * near.height))));
    const faces = moved(await this.#pass(resized, THRESHOLD), near.width / resized.width, near.height / resized.height, x0, y0);
    return replaceMatched(found, ({ box }) => boxSize(box) * scale < 20, faces.filter(({ box }) => boxSize(box) * scale < 40));
  }

  /** Faces of an image before NMS, in its pixels. */
  async #pass(image, threshold, border = 32, multiple = 32) {
    const { data, width, height } = padded(image, border, multiple);
    const { conf, loc, landmarks } = await this.run(data, [1, 3, height, width]);
    const faces = [];
    let index = 0;
    STRIDES.forEach((stride, level) => {
      const rows = Math.ceil(height / stride), columns = Math.ceil(width / stride);
      for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) for (const side of SIZES[level]) {
        const score = conf.data[index * 2 + 1];
        if (score >= threshold) faces.push(decoded(index, score, [(x + 0.5) * stride, (y + 0.5) * stride], side, loc.data, landmarks.data, border + 0.5));
        index++;
      }
    });
    return faces;
  }
}

function decoded(index, score, center, side, loc, landmarks, origin) {
  const at = center.map((value, k) => value + loc[index * 4 + k] * 0.1 * side - origin);
  const half = [2, 3].map((k) => (Math.exp(loc[index * 4 + k] * 0.2) * side) / 2);
  const points = Array.from({ length: 10 }, (_, k) => center[k % 2] + landmarks[index * 10 + k] * 0.1 * side - origin);
  return { score, box: [at[0] - half[0], at[1] - half[1], at[0] + half[0], at[1] + half[1]], points };
}

function padded(image, border, multiple) {
  const [width, height] = [image.width, image.height].map((side) => Math.ceil((side + 2 * border) / multiple) * multiple);
  const wide = part(image, -border, -border, width, height);
  const data = new Float32Array(3 * width * height);
  for (let c = 0; c < 3; c++) {
    for (let i = 0, k = c * width * height; i < width * height; i++, k++) data[k] = wide.data[i * 3 + 2 - c] - MEAN_BGR[c];
  }
  return { data, width, height };
}

function inputScale({ width, height }) {
  const longest = Math.max(width, height);
  if (longest <= 160) return 160 / longest;
  return Math.min(1, Math.max(MAX_SIDE / longest, Math.min(Math.sqrt(BUDGET / (width * height)), (8 * MAX_SIDE) / longest)));
}

function scaled(image, scale) {
  if (scale === 1) return image;
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, round(side * scale)));
  return resize(image, width, height, scale < 1, 2);
}

function resizeFast(image, width, height) {
  if (image.width === width && image.height === height) return image;
  const factor = Math.min(image.width / width, image.height / height);
  return resize(factor >= 6 ? thinned(image, Math.floor(factor / 2)) : image, width, height, factor > 1, 1);
}

function isCut({ box }, width, height) {
  const margin = 0.02 * boxSize(box);
  return box[0] < margin || box[1] < margin || box[2] > width - 1 - margin || box[3] > height - 1 - margin;
}

function isDoubtful({ score, box }, certain) {
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const overlapping = certain.some(({ box: [x0, y0, x1, y1] }) => x > x0 && x < x1 && y > y0 && y < y1);
  const share = Math.min(Math.max((boxSize(box) - 20) / 20, 0), 1);
  return score >= (overlapping ? 0.3 : 0.006 + share * 0.094);
}

/** The chosen faces replaced by those of a second pass; chosen faces without a match stay. */
function replaceMatched(found, chosen, second) {
  const kept = found.filter((face) => !chosen(face) || second.every((other) => iou(face.box, other.box) < 0.1));
  return [...kept, ...second];
}
