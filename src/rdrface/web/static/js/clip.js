// A clip: frames at equal distances in time, sampled by the browser.
import { frameOf } from './camera.js';
import { EngineError } from './engines/engine_error.js';

const PER_SECOND = 6;
const MOST = 60;
const LONGEST = 960; // pixels

/**
 * Frames of a clip, one after the other.
 *
 * @param {File} file
 * @yields {{canvas: HTMLCanvasElement, blob: Blob, time: number, count: number}} time in seconds, count of all frames
 * @throws {EngineError} bad_clip
 */
export async function* framesOf(file) {
  const video = document.createElement('video');
  video.muted = video.playsInline = true;
  video.preload = 'auto';
  const url = URL.createObjectURL(file);
  try {
    video.src = url;
    await event(video, 'loadeddata');
    const duration = Number.isFinite(video.duration) ? video.duration : 0;
    const count = Math.max(1, Math.min(MOST, Math.floor(duration * PER_SECOND)));
    for (let i = 0; i < count; i++) {
      const time = (duration * (i + 0.5)) / count;
      video.currentTime = time;
      await event(video, 'seeked');
      yield { ...(await frameOf(video, LONGEST)), time, count };
    }
  } finally {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(url);
  }
}

function event(video, name) {
  return new Promise((done, failed) => {
    const fail = () => failed(new EngineError('bad_clip', ''));
    const timer = setTimeout(fail, 15_000);
    const settle = (how) => () => {
      clearTimeout(timer);
      how();
    };
    video.addEventListener(name, settle(done), { once: true });
    video.addEventListener('error', settle(fail), { once: true });
  });
}

/** Index of the face whose box is nearest to that of a face of the previous frame. */
export function sameFace(faces, previous) {
  if (!previous) return 0;
  const center = ({ box }) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const [x, y] = center(previous);
  const distances = faces.map((face) => Math.hypot(center(face)[0] - x, center(face)[1] - y));
  return Math.max(distances.indexOf(Math.min(...distances)), 0);
}
