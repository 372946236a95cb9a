// The page: what it shows, and what happens when something is opened, chosen or downloaded.
import { AnimationControls } from './animation.js';
import { Camera } from './camera.js';
import { framesOf, sameFace } from './clip.js';
import { connectControls } from './controls.js';
import { csvOf, jsonOf, save } from './downloads.js';
import { FaceView } from './face_view.js';
import { poseSentence, warningOf } from './messages.js';
import { measuresOf } from './measures.js';
import { Notices } from './notices.js';
import { Picture } from './picture.js';
import { press } from './tabs.js';

const LIVE_LONGEST = 640; // pixels of a live frame of the camera
const SMALL = 0.33; // share of the photo
const $ = (id) => document.getElementById(id);

export class Page {
  constructor(engine) {
    this.engine = engine;
    this.notices = new Notices();
    this.view = new FaceView($('model'), $('sliders'), () => this.animation.pause());
    this.animation = new AnimationControls((time) => this.view.seek(time));
    this.picture = new Picture($('picture-stage'), (index) => this.choose(index));
    this.camera = new Camera($('video'));
    this.frames = [];
    this.frame = 0;
    this.selected = 0;
  }

  async start() {
    $('privacy').textContent = this.engine.privacy;
    this.#readKey();
    this.#connect();
    if (!this.view.viewer) {
      $('no-webgl').hidden = false;
      document.querySelector('[data-download="glb"]').disabled = true;
    }
    await this.#try(async () => {
      await this.view.load(await this.engine.faceModel());
      if (document.body.dataset.screen === 'welcome') this.view.showMean();
      else if (this.face) this.choose(this.selected); // a photo was opened before the model arrived
    }, () => this.start());
    document.body.dataset.ready = 'true';
  }

  /** Show a file: a photo, a clip or a GLB file. */
  open(file) {
    this.stopCamera();
    if (/\.glb$/i.test(file.name)) return this.openGlb(file);
    return file.type.startsWith('video/') ? this.openClip(file) : this.openPhoto(file);
  }

  openPhoto(file) {
    return this.#try(async (signal) => {
      this.notices.busy('Finding faces …', () => this.controller.abort());
      // Files that the browser cannot show may still be bad only for the browser: the engine judges first.
      const [result, image] = await Promise.all([this.engine.detect(file, signal), createImageBitmap(file).catch(() => null)]);
      if (!image) throw Object.assign(new Error(), { code: 'bad_image' });
      const size = { width: image.width, height: image.height };
      this.setFrames(file.name, size, [{ time: null, image, faces: result.faces }]);
      if (!result.faces.length) this.notices.message('no_face');
    }, () => this.openPhoto(file));
  }

  openClip(file) {
    return this.#try(async (signal) => {
      this.notices.busy('Reading the clip …', () => this.controller.abort());
      const frames = [];
      for await (const { canvas, blob, time, count } of framesOf(file)) {
        const { faces } = await this.engine.detect(blob, signal);
        frames.push({ time, image: canvas, faces });
        this.notices.busy(`Frame ${frames.length} of ${count} …`, () => this.controller.abort());
      }
      const { width, height } = frames[0].image;
      this.setFrames(file.name, { width, height }, frames);
      if (!frames.some((frame) => frame.faces.length)) this.notices.message('no_face');
    }, () => this.openClip(file));
  }

  openGlb(file) {
    return this.#try(async () => {
      const duration = await this.view.showFile(await file.arrayBuffer()).catch(() => {
        throw Object.assign(new Error(), { code: 'bad_glb' });
      });
      Object.assign(this, { frames: [], face: null }); // also stops a clip that is playing
      this.#screen('file');
      $('tab-expression').click(); // the only tab of this screen
      $('summary-text').textContent = file.name;
      $('warning').hidden = true;
      if (duration) this.animation.open(duration);
    });
  }

  async openExample() {
    const response = await fetch('example.jpg').catch(() => null);
    if (!response?.ok) return this.notices.message('unreachable', '', () => this.openExample());
    return this.open(new File([await response.blob()], 'example.jpg', { type: 'image/jpeg' }));
  }

  async openCamera() {
    if (this.camera.running) return;
    await this.#try(async (signal) => {
      const stream = await this.camera.start(signal);
      if (!stream) return;
      this.#screen('camera');
      this.#live(stream);
    }, () => this.openCamera());
  }

  stopCamera() {
    this.camera.stop();
    if (document.body.dataset.screen !== 'camera') return;
    this.#screen(this.frames.length ? 'result' : 'welcome');
    if (!this.frames.length) this.view.showMean();
  }

  async takePhoto() {
    const { blob } = await this.camera.frame();
    this.stopCamera();
    await this.openPhoto(new File([blob], 'camera.jpg', { type: 'image/jpeg' }));
  }

  /** Show results: one frame of a photo, or the frames of a clip. */
  setFrames(name, size, frames) {
    Object.assign(this, { name, size, frames, selected: 0 });
    this.#screen('result');
    this.#zoomIfSmall(frames[0].faces, size);
    $('frame').max = frames.length - 1;
    this.view.setView('photo', null);
    press(document.querySelector('[aria-label="View"]'), document.querySelector('[data-view="photo"]'));
    this.showFrame(0);
  }

  showFrame(index) {
    const previous = this.face;
    this.frame = index;
    const { image, faces, time } = this.frames[index];
    if (index && time !== null) this.selected = sameFace(faces, previous);
    this.picture.setImage(image, this.size);
    $('frame').value = index;
    $('frame-time').value = time === null ? '' : `${time.toFixed(1)} s`;
    this.choose(Math.min(this.selected, Math.max(faces.length - 1, 0)));
  }

  /** Zoom to a single small face, until the person uses the toggle. */
  #zoomIfSmall(faces, { width, height }) {
    const toggle = document.querySelector('.toggles [name="zoom"]');
    if (toggle.dataset.used) return;
    const [x0, y0, x1, y1] = faces[0]?.box ?? [0, 0, width, height];
    toggle.checked = faces.length === 1 && Math.max((x1 - x0) / width, (y1 - y0) / height) < SMALL;
    this.picture.show.zoom = toggle.checked;
  }

  /** Choose a face of the current frame. */
  choose(index) {
    this.selected = index;
    const { faces, image } = this.frames[this.frame];
    this.face = faces[index];
    this.#enable(Boolean(this.face));
    this.picture.setFaces(faces, index, (face) => this.view.overlayMesh(face));
    this.#describe(faces, index);
    if (!this.face) return;
    this.view.setFace(this.face, image, this.size);
    $('measures').replaceChildren(...measuresOf(this.face));
  }

  /** @param {'png' | 'glb' | 'json' | 'csv'} kind */
  async download(kind) {
    const stem = this.name.replace(/\.[^.]*$/, '') || 'face';
    const result = { name: this.name, ...this.size, frames: this.frames.map(({ time, faces }) => ({ time, faces })) };
    const make = { png: () => this.picture.toPng(), glb: () => this.view.toGlb(), json: () => jsonOf(result), csv: () => csvOf(result) };
    try {
      save(await make[kind](), `${stem}.${kind}`);
    } catch (error) {
      this.#report(error);
    }
  }

  #describe(faces, index) {
    const count = faces.length > 1 ? `Face ${index + 1} of ${faces.length}. ` : '';
    const face = this.face;
    const visible = face?.visibility.filter((value) => value > 0.5).length;
    const text = face
      ? `${count}${poseSentence(face.pose)}. ${visible} of 68 points visible; expected error ${face.expected_error.toFixed(1)} % of the face.`
      : 'No face in this picture.';
    $('summary-text').textContent = text;
    $('overlay').setAttribute('aria-label', `Photo with landmarks. ${text}`);
    const warning = face ? warningOf(face) : '';
    $('warning').textContent = warning;
    $('warning').hidden = !warning;
  }

  /** Frames of the camera, as fast as the engine answers. */
  async #live(stream) {
    const isShown = () => this.camera.stream === stream;
    while (isShown()) {
      const { canvas, blob } = await this.camera.frame(LIVE_LONGEST);
      try {
        const { faces } = await this.engine.detect(blob);
        if (!isShown()) return;
        this.size = { width: canvas.width, height: canvas.height };
        this.frames = [{ time: null, image: canvas, faces }];
        this.name = 'camera.jpg';
        this.showFrame(0);
      } catch (error) {
        if (!isShown()) return;
        this.stopCamera();
        return this.notices.message(error.code ?? 'failed', error.message, () => this.openCamera());
      }
    }
  }

  /** Run work that can be canceled, and show its errors. */
  async #try(work, retry) {
    this.controller?.abort();
    const controller = (this.controller = new AbortController());
    this.notices.hideMessage();
    try {
      await work(controller.signal);
    } catch (error) {
      if (error.name !== 'AbortError') this.#report(error, retry);
    } finally {
      if (this.controller === controller) this.notices.done();
    }
  }

  #report(error, retry) {
    if (!error.code) console.warn(error);
    this.notices.message(error.code ?? 'failed', error.code ? error.message : '', retry);
  }

  /** Whether there is a face to turn and to move. */
  #enable(enabled) {
    document.body.classList.toggle('no-face', !enabled);
    for (const panel of document.querySelectorAll('.model, .details')) panel.inert = !enabled;
  }

  #screen(name) {
    document.body.dataset.screen = name;
    this.animation.close();
    this.#enable(name === 'welcome' || name === 'file' || Boolean(this.face));
    $('camera-bar').hidden = name !== 'camera';
    $('timeline').hidden = name !== 'result' || this.frames.length < 2;
    $('reset').textContent = name === 'file' ? 'As in the file' : 'Back to the photo';
  }

  /** An API key after #key= in the address. */
  #readKey() {
    // Not as a form: a key can contain + and &. Browsers escape only a few characters of a fragment.
    const key = location.hash.match(/^#key=(.+)$/)?.[1].replace(/%(20|22|3C|3E|60)/gi, decodeURIComponent);
    if (key) this.engine.key = key;
  }

  #connect() {
    if (this.connected) return;
    this.connected = true;
    addEventListener('hashchange', () => this.#readKey());
    connectControls(this);
  }

  /** Play the frames of a clip once, at the speed of the clip. */
  async play() {
    const first = this.frame + 1 < this.frames.length ? this.frame + 1 : 0;
    const frames = this.frames;
    for (let i = first; i < frames.length; i++) {
      await new Promise((done) => setTimeout(done, i ? 1000 * (frames[i].time - frames[i - 1].time) : 0));
      if (this.frames !== frames || (i > first && this.frame !== i - 1)) return;
      this.showFrame(i);
    }
  }
}
