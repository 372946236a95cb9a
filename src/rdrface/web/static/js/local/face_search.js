// Detections in a photo, also if it is stored sideways or upside down, as in rdrface.aligner.
import { clockwiseAngle, completedBox, faceAngle, landmarkBox, wrapDegrees } from './boxes.js';
import { rotated } from './pixels.js';

/** @typedef {{score: number, detectorBox: number[], box: number[], angle: number}} Detection `box`: landmark box */

/** Detections in the image rotated counterclockwise by quarter turns, converted to the image.   @returns {Promise<Detection[]>} */
export async function detections(detector, image, turns = 0) {
  const turned = rotated(image, turns);
  const faces = await detector.detect(turned);
  return faces.map((face) => {
    const angle = faceAngle(face);
    const box = landmarkBox(completedBox(face.box, angle, turned.width, turned.height), angle);
    const back = (some) => backRotated(some, turned, turns);
    return { score: face.score, detectorBox: back(face.box), box: back(box), angle: wrapDegrees(angle + 90 * turns) };
  });
}

function backRotated(box, { width, height }, turns) {
  let sides = [height, width];
  for (let i = 0; i < turns; i++) {
    const [x0, y0, x1, y1] = box;
    box = [sides[0] - 1 - y1, x0, sides[0] - 1 - y0, x1];
    sides = sides.reverse();
  }
  return box;
}

/** Quarter turns to search too: none if the certain faces of the photo are upright.   @param {number[][][]} certain landmarks */
export function turnsToSearch(certain) {
  if (!certain.length) return [1, 3, 2];
  const counts = [0, 0, 0, 0];
  for (const landmarks of certain) {
    const middle = (start, end, k) => landmarks.slice(start, end).reduce((sum, point) => sum + point[k], 0) / (end - start);
    const angle = clockwiseAngle(middle(36, 48, 0) - middle(48, 68, 0), middle(36, 48, 1) - middle(48, 68, 1));
    counts[((Math.round(angle / 90) % 4) + 4) % 4]++;
  }
  const turns = counts.indexOf(Math.max(...counts));
  return turns ? [turns] : [];
}
