// From detections to faces: crops, retries, and the dictionaries of Face.to_dict, as in rdrface.alignment.
import { rotationMatrix } from '../pose.js';
import { bounds, boxSize, landmarkAngle, mean, radians, wrapDegrees } from './boxes.js';
import { CLEARLY_BETTER, withoutDuplicates } from './duplicates.js';
import { detections, turnsToSearch } from './face_search.js';
import { part, reduced } from './pixels.js';

const EXPANSION = 1.6, UPRIGHT_WITHIN = 25, RETRY_ABOVE = 3.5, MAX_UNCERTAINTY = 10;
const upright = (angle) => (Math.abs(wrapDegrees(angle)) < UPRIGHT_WITHIN ? 0 : wrapDegrees(angle));

export class Aligner {
  /**
   * @param {(data: Float32Array, dims: number[]) => Promise<Record<string, {data: Float32Array}>>} run the graph
   * @param {string[]} names of the 46 expressions
   * @param {number} side of the crops, pixels
   */
  constructor(run, names, side = 128) {
    Object.assign(this, { run, names, side });
  }

  /** Faces of an image, in order of decreasing score.   @param {RetinaFace} detector */
  async find(image, detector) {
    const faces = await this.#align(image, await detections(detector, image));
    const certain = selected(faces).filter(({ result }) => result.error <= RETRY_ABOVE);
    for (const turns of turnsToSearch(certain.map(({ result }) => result.landmarks))) {
      faces.push(...(await this.#align(image, await detections(detector, image, turns))));
    }
    return selected(faces).map(({ result, detection }) => this.#dictionary(image, result, detection));
  }

  async #align(image, found) {
    const faces = [];
    for (const detection of found) faces.push({ detection, result: await this.#withRetries(image, detection) });
    return faces;
  }

  async #withRetries(image, { box, detectorBox, angle }) {
    const first = { center: centerOf(box), half: (boxSize(box) * EXPANSION) / 2, angle: radians(upright(angle)) };
    let best = await this.#corrected(image, first);
    for (const turn of [0, 90, 180, 270]) {
      if (best.error <= RETRY_ABOVE || Math.abs(wrapDegrees((first.angle * 180) / Math.PI - turn)) <= UPRIGHT_WITHIN) continue;
      // The landmark box depends on the detector's angle, which may be wrong.
      const frame = { center: centerOf(detectorBox), half: first.half, angle: radians(turn) };
      const again = await this.#corrected(image, frame);
      if (again.error < CLEARLY_BETTER * best.error) best = again;
    }
    return best;
  }

  async #corrected(image, frame) {
    const aligned = await this.#crop(image, frame);
    const right = frameOf(aligned.landmarks);
    const size = (2 * right.half) / EXPANSION;
    const shift = Math.hypot(frame.center[0] - right.center[0], frame.center[1] - right.center[1]) / size;
    const turn = Math.abs(wrapDegrees(((frame.angle - right.angle) * 180) / Math.PI));
    if (shift <= 0.2 && Math.abs(Math.log(frame.half / right.half)) <= Math.log(1.25) && turn <= UPRIGHT_WITHIN) return aligned;
    const again = await this.#crop(image, right);
    return again.error < aligned.error ? again : aligned;
  }

  async #crop(image, frame) {
    const outputs = await this.run(cut(image, frame, this.side), [1, 3, this.side, this.side]);
    const landmarks = toImage(frame, outputs.landmarks.data, 2);
    const size = Math.max(boxSize(bounds(landmarks)), 1e-6);
    const uncertainty = Array.from(outputs.uncertainty.data, (value) => (100 * value * frame.half) / size);
    return { frame, outputs, landmarks, size, uncertainty, error: mean(uncertainty) };
  }

  #dictionary(image, { frame, outputs, landmarks, uncertainty, error }, { score, box }) {
    const q = Array.from(outputs.parameters.data);
    const pose = transformed(q.slice(50, 57), frame);
    const expression = q.slice(57);
    const inside = ([x, y]) => x >= -0.5 && y >= -0.5 && x <= image.width - 0.5 && y <= image.height - 0.5;
    const r = rotationMatrix(pose);
    const degrees = (value) => (value * 180) / Math.PI;
    return {
      box, score, landmarks,
      landmarks_jawline: toImage(frame, outputs.landmarks_jawline.data, 2),
      landmarks_3d: toImage(frame, outputs.projection_jawline.data, 3),
      projection: toImage(frame, outputs.projection.data, 3).map((point) => point.slice(0, 2)),
      visibility: Array.from(outputs.visibility.data, (value, i) => (inside(landmarks[i]) ? value : 0)),
      uncertainty,
      expected_error: error,
      pose: {
        yaw: degrees(Math.atan2(r[2], r[8])),
        pitch: degrees(Math.atan2(-r[5], Math.hypot(r[3], r[4]))),
        roll: degrees(Math.atan2(r[3], r[4])),
        rotation: [r.slice(0, 3), r.slice(3, 6), r.slice(6)],
      },
      parameters: { pose, identity: q.slice(0, 50), expression },
      blendshapes: Object.fromEntries(this.names.map((name, i) => [name, Math.min(Math.max(expression[i], 0), 1)])),
    };
  }
}

const centerOf = (box) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];

/** Crop frame -> image pixels. */
function toImage({ center, half, angle }, values, axes) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return Array.from({ length: values.length / axes }, (_, i) => {
    const [x, y, z] = values.slice(i * axes, i * axes + axes);
    const point = [(cos * x - sin * y) * half + center[0], (sin * x + cos * y) * half + center[1]];
    return axes === 3 ? [...point, z * half] : point;
  });
}

/** The crop around landmarks. */
function frameOf(landmarks) {
  const angle = radians(upright(landmarkAngle(landmarks)));
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const box = bounds(landmarks.map(([x, y]) => [cos * x + sin * y, cos * y - sin * x]));
  const [x, y] = centerOf(box);
  return { center: [cos * x - sin * y, sin * x + cos * y], half: (Math.max(boxSize(box), 1e-3) * EXPANSION) / 2, angle };
}

/** The network's input: (3, side, side) RGB, 0..255. */
function cut(image, { center, half, angle }, side) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const steps = Array.from({ length: side }, (_, i) => half * ((2 * i + 1) / side - 1));
  const block = Math.floor((2 * half) / side);
  const reach = half * (Math.abs(cos) + Math.abs(sin)) * (1 - 1 / side);
  let source = image, x0 = 0, y0 = 0;
  if (block > 1) {
    const low = [image.width, image.height].map((extent, k) => Math.min(Math.max(Math.floor(center[k] - reach) - block, 0), extent - 1));
    const high = [image.width, image.height].map((extent, k) => Math.min(Math.max(Math.ceil(center[k] + reach) + block + 1, low[k] + 1), extent));
    [x0, y0] = low;
    source = reduced(part(image, x0, y0, high[0] - x0, high[1] - y0), block, block);
  }
  const crop = new Float32Array(3 * side * side);
  const { data, width, height } = source;
  for (let j = 0, k = 0; j < side; j++) {
    for (let i = 0; i < side; i++, k++) {
      let x = center[0] + cos * steps[i] - sin * steps[j], y = center[1] + sin * steps[i] + cos * steps[j];
      if (block > 1) [x, y] = [(x - x0 + 0.5) / block - 0.5, (y - y0 + 0.5) / block - 0.5];
      x = Math.min(Math.max(x, 0), width - 1);
      y = Math.min(Math.max(y, 0), height - 1);
      const left = Math.floor(x), top = Math.floor(y), fx = x - left, fy = y - top;
      const right = Math.min(left + 1, width - 1), bottom = Math.min(top + 1, height - 1);
      for (let c = 0; c < 3; c++) {
        const at = (column, row) => data[(row * width + column) * 3 + c];
        crop[c * side * side + k] =
          (at(left, top) * (1 - fx) + at(right, top) * fx) * (1 - fy) + (at(left, bottom) * (1 - fx) + at(right, bottom) * fx) * fy;
      }
    }
  }
  return crop;
}

/** P in the crop frame -> P in the image, as rdrface.geometry.camera.transform_pose. */
function transformed([pitch, yaw, roll, tx, ty, tz, f], { center, half, angle }) {
  const angles = [pitch, yaw, roll - angle];
  const r = rotationMatrix(angles), scale = f * half;
  const [sideways, up] = [center[0] / scale, -center[1] / scale];
  const t = [tx, ty, tz].map((value, k) => value + sideways * r[k] + up * r[3 + k]);
  return [...angles, ...t, scale];
}

/** The faces without duplicates and without uncertain ones, best score first. */
function selected(faces) {
  const kept = withoutDuplicates(faces).filter(({ result }) => result.error <= MAX_UNCERTAINTY);
  return kept.sort((a, b) => b.detection.score - a.detection.score);
}
