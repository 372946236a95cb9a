// Faces that were found twice, as in rdrface.alignment.duplicates.
import { bounds, containment, iou, landmarkAngle, mean } from './boxes.js';

/** Another angle of a face is kept if its expected error is below this part of the first. */
export const CLEARLY_BETTER = 0.7;

/** Of the detections of one face, the one with the lowest rank is kept. */
function rank({ detection, result }) {
  const isUpsideDown = Math.abs(landmarkAngle(result.landmarks)) > 90;
  return result.error / Math.max(detection.score, 1e-3) / (isUpsideDown ? CLEARLY_BETTER : 1);
}

/** @param {{detection: {score: number}, result: {landmarks: number[][], size: number, error: number}}[]} faces */
export function withoutDuplicates(faces) {
  const kept = [];
  for (const face of [...faces].sort((a, b) => rank(a) - rank(b))) {
    const { landmarks, size, error } = face.result;
    const same = ({ result: other }) => {
      const half = (size + other.size) / 2;
      const offsets = landmarks.map(([x, y], i) => [x - other.landmarks[i][0], y - other.landmarks[i][1]]);
      if (mean(offsets.map(([x, y]) => Math.hypot(x, y))) < 0.4 * half) return true;
      const center = Math.hypot(mean(offsets.map(([x]) => x)), mean(offsets.map(([, y]) => y)));
      if (Math.max(size, other.size) < 1.5 * Math.min(size, other.size) && center < 0.3 * half) return true;
      const boxes = [bounds(landmarks), bounds(other.landmarks)];
      return containment(...boxes) > 0.75 || (iou(...boxes) > 0.15 && error > 2 * other.error);
    };
    if (!kept.some(same)) kept.push(face);
  }
  return faces.filter((face) => kept.includes(face));
}
