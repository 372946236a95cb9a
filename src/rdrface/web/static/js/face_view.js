// The 3D face and its sliders: one state for both.
import { FaceModel } from './face_model.js';
import { glbOf } from './glb_export.js';
import { edgesOf } from './overlay.js';
import { Sliders } from './sliders.js';
import { faceTexture } from './texture.js';
import { Viewer } from './viewer.js';

export class FaceView {
  /** @param {() => void} interrupted called before the sliders move a file, which may be playing */
  constructor(canvas, container, interrupted) {
    this.interrupted = interrupted;
    this.sliders = new Sliders(container, (name, value) => this.move(name, value));
    try {
      this.viewer = new Viewer(canvas);
    } catch {
      this.viewer = null; // no WebGL: sliders and the mesh on the photo still work
    }
    this.surface = 'photo';
    this.viewName = 'photo';
  }

  /** @param {ArrayBuffer} buffer the file of the face model */
  async load(buffer) {
    this.model = new FaceModel(buffer);
    this.edges = edgesOf(this.model);
    this.viewer?.setModel(this.model);
  }

  /** The mean face, plain, turning slowly until it is touched. */
  showMean() {
    if (!this.viewer || !this.model) return;
    this.face = null;
    this.neutral = this.model.mean;
    this.viewer.setVertices(this.model.mean);
    this.viewer.setSurface('mesh');
    this.viewer.setView('front');
    this.viewer.turntable.yaw = -0.5;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const start = performance.now();
    const turn = (now) => {
      if (document.body.dataset.screen !== 'welcome' || this.viewer.turntable.touched) return;
      this.viewer.turntable.yaw = -0.5 * Math.cos((now - start) / 2600);
      this.viewer.render();
      requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }

  /** Show a face of a photo.   @param {object} face a dictionary of Face.to_dict */
  setFace(face, image, size) {
    if (!this.model) return;
    const fresh = !this.face || Boolean(this.file);
    this.file = null;
    this.face = face;
    this.neutral = this.model.neutral(face.parameters.identity);
    this.expression = Float32Array.from(face.parameters.expression);
    if (this.viewer) {
      this.texture = faceTexture(this.model, this.model.withExpression(this.neutral, this.expression), face, image, size);
      this.viewer.setTexture(this.texture);
      this.viewer.setSurface(this.surface);
      if (fresh || this.viewName === 'photo') this.#turnAsInPhoto(fresh);
    }
    this.reset();
  }

  /** Show a GLB file; the sliders move its morph targets.   @returns {number} seconds of its animation, or 0 */
  async showFile(buffer) {
    if (!this.viewer) throw new Error('no WebGL');
    const targets = await this.viewer.showFile(buffer);
    this.file = new Map(targets);
    this.sliders.set(targets);
    return this.viewer.duration;
  }

  /** Show the file at a time of its animation. */
  seek(time) {
    this.viewer.seek(time);
    this.file = this.viewer.targets();
    this.sliders.set(this.file);
  }

  /** Move one expression. */
  move(name, value) {
    if (this.file) {
      this.interrupted();
      return this.viewer.setTarget(name, value);
    }
    if (!this.face) return;
    this.expression[this.model.names.indexOf(name)] = value;
    this.#update();
  }

  /** Back to the expression of the photo, or of the file. */
  reset() {
    if (this.file) {
      this.interrupted();
      for (const [name, value] of this.file) this.viewer.setTarget(name, value);
      return this.sliders.set(this.file);
    }
    if (!this.face) return;
    this.expression = Float32Array.from(this.face.parameters.expression);
    this.#setSliders();
    this.#update();
  }

  /** All expressions to 0. */
  toNeutral() {
    if (this.file) {
      this.interrupted();
      for (const name of this.file.keys()) this.viewer.setTarget(name, 0);
      return this.sliders.set(new Map([...this.file.keys()].map((name) => [name, 0])));
    }
    if (!this.face) return;
    this.expression.fill(0);
    this.sliders.set(new Map(this.model.names.map((name) => [name, 0])));
    this.#update();
  }

  setSurface(name) {
    this.surface = name;
    this.viewer?.setSurface(name);
  }

  setView(name) {
    this.viewName = name;
    this.viewer?.setView(name, this.face?.parameters.pose);
  }

  /** What `drawFace` needs to draw the mesh of a face on its photo. */
  overlayMesh(face) {
    if (!this.model) return null;
    const neutral = this.model.neutral(face.parameters.identity);
    const vertices = this.model.withExpression(neutral, face.parameters.expression);
    return { edges: this.edges, vertices, normals: this.model.normals(vertices) };
  }

  /** @returns {Promise<Blob>} the face with its current expression */
  toGlb() {
    const texture = this.surface === 'photo' ? this.texture : null;
    return glbOf(this.model, this.neutral, this.expression, this.viewer.geometry, texture);
  }

  #turnAsInPhoto(fresh) {
    const { yaw, pitch, zoom } = this.viewer.turntable;
    this.viewer.setView('photo', this.face.parameters.pose);
    // A new frame of the camera or of a clip keeps the view that was chosen with the mouse.
    if (!fresh) Object.assign(this.viewer.turntable, { yaw, pitch, zoom });
  }

  #setSliders() {
    this.sliders.set(new Map(this.model.names.map((name, i) => [name, Math.min(Math.max(this.expression[i], 0), 1)])));
  }

  #update() {
    this.vertices = this.model.withExpression(this.neutral, this.expression);
    this.viewer?.setVertices(this.vertices);
  }
}
