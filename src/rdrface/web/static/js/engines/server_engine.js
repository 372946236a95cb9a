// Finds faces on the server that served the page: POST v1/faces.
//
// An engine has:
//   privacy         string, where photos go, shown on the first page
//   faceModel()     Promise<ArrayBuffer>, the file that rdrface.web.face_model writes
//   detect(blob, signal)
//                   Promise<{width, height, faces, model}>; faces are the dictionaries of Python's Face.to_dict()
// Both reject with EngineError, or with an AbortError if the signal aborts.
import { EngineError } from './engine_error.js';

const BY_STATUS = { 401: 'unauthorized', 403: 'unauthorized', 408: 'busy', 413: 'too_large', 429: 'busy', 503: 'busy', 504: 'busy' };
const BY_CODE = { too_many_faces: 'too_many_faces', too_many_pixels: 'too_large', body_too_large: 'too_large' };

export class ServerEngine {
  #key = '';

  constructor(base = document.baseURI) {
    this.base = base;
    const host = new URL(base).hostname;
    const own = host === 'localhost' || host === '[::1]' || host.startsWith('127.');
    this.privacy = own
      ? 'The photo stays on this computer and is not stored.'
      : `The photo is sent to ${host} and is not stored.`;
  }

  /** The API key to send, if the server asks for one. */
  set key(key) {
    this.#key = key;
  }

  async faceModel() {
    const response = await this.#fetch('v1/model', {});
    if (!response.ok) throw new EngineError('no_model', 'The 3D model could not be loaded. Reload the page.');
    return response.arrayBuffer();
  }

  async detect(blob, signal) {
    const form = new FormData();
    form.append('images', blob, blob.name ?? 'image');
    const response = await this.#fetch('v1/faces', { method: 'POST', body: form, signal });
    const content = await response.json().catch(() => null);
    if (!response.ok) throw this.#refused(response.status, content?.error);
    const image = content?.images?.[0];
    if (!image) throw new EngineError('failed', 'The server’s answer could not be read.');
    if (image.error) throw this.#refused(422, image.error);
    return { width: image.width, height: image.height, faces: image.faces, model: content.model ?? {} };
  }

  #refused(status, error) {
    const code = BY_CODE[error?.code] ?? BY_STATUS[status] ?? (status < 500 ? 'bad_image' : 'failed');
    // The server's message is for programs: it names a header.
    return new EngineError(code, status === 401 ? '' : (error?.message ?? ''));
  }

  async #fetch(path, options) {
    const headers = this.#key ? { 'X-API-Key': this.#key } : {};
    try {
      return await fetch(new URL(path, this.base), { ...options, headers });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new EngineError('unreachable', '');
    }
  }
}
