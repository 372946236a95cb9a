// Functions on boxes, xyxy, as in rdrface.geometry.boxes and rdrface.detection.face_box.

export const boxSize = ([x0, y0, x1, y1]) => Math.sqrt((x1 - x0) * (y1 - y0));
export const wrapDegrees = (angle) => ((((angle + 180) % 360) + 360) % 360) - 180;
export const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
export const radians = (degrees) => (degrees * Math.PI) / 180;

const area = (box) => Math.max(box[2] - box[0], 0) * Math.max(box[3] - box[1], 0);

function intersection(a, b) {
  const width = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]), 0);
  return width * Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]), 0);
}

export function iou(a, b) {
  const shared = intersection(a, b);
  return shared / Math.max(area(a) + area(b) - shared, 1e-9);
}

/** The part of the smaller box that the other one covers. */
export const containment = (a, b) => intersection(a, b) / Math.max(Math.min(area(a), area(b)), 1e-9);

/** The box around points. */
export function bounds(points) {
  const [x, y] = [0, 1].map((k) => points.map((point) => point[k]));
  return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
}

/** Faces that non-maximum suppression keeps, in order of decreasing score. */
export function nms(faces, threshold) {
  const kept = [];
  for (const face of [...faces].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => iou(face.box, other.box) <= threshold)) kept.push(face);
  }
  return kept;
}

/** `nms`, with each face at the mean of the candidates that overlap it, weighted by their scores. */
export function merged(faces, threshold) {
  if (faces.length < 2) return faces;
  return nms(faces, threshold).map((kept) => {
    const box = [0, 0, 0, 0], points = Array(10).fill(0);
    let total = 0;
    for (const face of faces) {
      if (iou(kept.box, face.box) < 0.6) continue;
      total += face.score;
      face.box.forEach((value, i) => (box[i] += face.score * value));
      face.points.forEach((value, i) => (points[i] += face.score * value));
    }
    return { score: kept.score, box: box.map((value) => value / total), points: points.map((value) => value / total) };
  });
}

/** Pixels of a resized part -> pixels of the image. */
export function moved(faces, ratioX, ratioY, x0 = 0, y0 = 0) {
  const move = (values) => values.map((value, i) => (i % 2 ? (value + 0.5) * ratioY - 0.5 + y0 : (value + 0.5) * ratioX - 0.5 + x0));
  return faces.map(({ score, box, points }) => ({ score, box: move(box), points: move(points) }));
}

/** In-plane rotation, degrees, from eyes and mouth corners. */
export function faceAngle({ box, points }) {
  const x = (points[0] + points[2]) / 2 - (points[6] + points[8]) / 2;
  const y = (points[1] + points[3]) / 2 - (points[7] + points[9]) / 2;
  return Math.hypot(x, y) > (0.05 * boxSize(box)) / 1.12 ? clockwiseAngle(x, y) : 0;
}

export const clockwiseAngle = (x, y) => (Math.atan2(x, 0 - y) * 180) / Math.PI;

/** The box of a face that the edge of the image cuts, extended to the shape of a face. */
export function completedBox(box, angle, width, height) {
  const tolerance = 0.03 * boxSize(box);
  const [sin, cos] = [Math.sin(radians(angle)), Math.cos(radians(angle))];
  const aspect = Math.hypot(0.74 * cos, sin) / Math.hypot(0.74 * sin, cos);
  const sides = [box[2] - box[0], box[3] - box[1]];
  const complete = [sides[1] * aspect, sides[0] / aspect];
  const result = [...box];
  [width, height].forEach((extent, k) => {
    const first = box[k] <= -0.5 + tolerance ? 1 : 0, last = box[k + 2] >= extent - 0.5 - tolerance ? 1 : 0;
    const missing = Math.max(complete[k] - sides[k], 0) / Math.max(first + last, 1);
    result[k] -= missing * first;
    result[k + 2] += missing * last;
  });
  return result;
}

/** The landmark box of a detector's box. */
export function landmarkBox(box, angle) {
  const half = boxSize(box) / 1.12 / 2;
  const up = [Math.sin(radians(angle)), -Math.cos(radians(angle))];
  const [x, y] = [0, 1].map((k) => (box[k] + box[k + 2]) / 2 - up[k] * 0.16 * 2 * half);
  return [x - half, y - half, x + half, y + half];
}

/** In-plane rotation, degrees, from the 68 landmarks: the direction from the mouth to the eyes. */
export function landmarkAngle(landmarks) {
  const middle = (start, end, k) => mean(landmarks.slice(start, end).map((point) => point[k]));
  return clockwiseAngle(middle(36, 48, 0) - middle(48, 68, 0), middle(36, 48, 1) - middle(48, 68, 1));
}
