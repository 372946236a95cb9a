// The camera: frames for the engine, one after the other, and a still photo.
import { EngineError } from './engines/engine_error.js';

const ERRORS = { NotAllowedError: 'camera_refused', SecurityError: 'camera_refused' };

export class Camera {
  /** @param {HTMLVideoElement} video plays the camera's picture, unseen */
  constructor(video) {
    this.video = video;
  }

  get running() {
    return Boolean(this.stream);
  }

  /**
   * @param {AbortSignal} signal stops the camera that is being started
   * @returns {MediaStream | null} its stream; null if it was stopped
   * @throws {EngineError} camera_refused, camera_missing or camera_insecure
   */
  async start(signal) {
    let stream;
    if (!navigator.mediaDevices?.getUserMedia) throw new EngineError('camera_insecure', '');
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: { ideal: 1280 } } });
    } catch (error) {
      throw new EngineError(ERRORS[error.name] ?? 'camera_missing', '');
    }
    if (signal.aborted) return this.stop(stream);
    this.stop();
    this.stream = this.video.srcObject = stream;
    await this.video.play();
    return signal.aborted ? this.stop(stream) : stream;
  }

  /** Stop a stream, by default the one that is shown. */
  stop(stream = this.stream) {
    stream?.getTracks().forEach((track) => track.stop());
    if (stream !== this.stream) return null;
    this.stream = null;
    this.video.srcObject = null;
    return null;
  }

  /** The current frame; for live frames, reduced to `longest` pixels. */
  frame(longest = Infinity) {
    return frameOf(this.video, longest);
  }
}

/** The current frame of a video: a canvas and a JPEG of it. */
export async function frameOf(video, longest) {
  const scale = Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.92));
  return { canvas, blob };
}
