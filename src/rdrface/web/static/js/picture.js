// The photo with what is drawn on it, and one button per face.
import { drawFace } from './overlay.js';

export class Picture {
  /** @param {(index: number) => void} chosen called when a face is chosen */
  constructor(stage, chosen) {
    this.stage = stage;
    this.chosen = chosen;
    this.photo = stage.querySelector('#photo');
    this.overlay = stage.querySelector('#overlay');
    this.boxes = stage.querySelector('#face-boxes');
    this.show = {};
    this.faces = [];
    this.selected = 0;
    new ResizeObserver(() => this.draw()).observe(stage);
  }

  /** @param {CanvasImageSource} image   @param {{width: number, height: number}} size */
  setImage(image, size) {
    Object.assign(this, { image, size, faces: [] });
    this.boxes.replaceChildren();
    this.draw();
  }

  /** @param {object[]} faces dictionaries of Face.to_dict   @param {(face: object) => object | null} meshOf */
  setFaces(faces, selected, meshOf) {
    Object.assign(this, { faces, selected, meshOf });
    if (this.boxes.childElementCount !== (faces.length > 1 ? faces.length : 0)) this.#makeButtons();
    this.draw();
  }

  draw() {
    if (!this.image) return;
    const ratio = Math.min(devicePixelRatio, 2);
    const { clientWidth, clientHeight } = this.stage;
    const view = this.#view();
    const scale = Math.min(clientWidth / view.width, clientHeight / view.height);
    const left = (clientWidth - view.width * scale) / 2, top = (clientHeight - view.height * scale) / 2;
    for (const canvas of [this.photo, this.overlay]) {
      const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const context = canvas.getContext('2d');
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, width, height);
      context.setTransform(scale * ratio, 0, 0, scale * ratio, (left - view.x * scale) * ratio, (top - view.y * scale) * ratio);
    }
    const photo = this.photo.getContext('2d');
    photo.imageSmoothingQuality = 'high';
    photo.save();
    photo.beginPath();
    photo.rect(view.x, view.y, view.width, view.height);
    photo.clip();
    photo.drawImage(this.image, 0, 0);
    photo.restore();
    this.paint(this.overlay.getContext('2d'), 1 / scale);
    [...this.boxes.children].forEach((button, i) => {
      const [x0, y0, x1, y1] = this.faces[i].box;
      const box = { left: left + (x0 - view.x) * scale, top: top + (y0 - view.y) * scale, width: (x1 - x0) * scale, height: (y1 - y0) * scale };
      for (const [name, value] of Object.entries(box)) button.style.setProperty(name, `${value}px`);
      button.setAttribute('aria-pressed', String(i === this.selected));
    });
  }

  /** Draw the chosen face; `unit` is image pixels per screen pixel. */
  paint(context, unit) {
    const face = this.faces[this.selected];
    if (!face) return;
    context.save();
    context.translate(0.5, 0.5); // (0, 0) is the center of the first pixel
    drawFace(context, face, this.show, unit, this.show.mesh ? this.meshOf(face) : null);
    context.restore();
  }

  /** The photo in its own resolution with what is shown on it. @returns {Promise<Blob>} a PNG */
  toPng() {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, this.size);
    const context = canvas.getContext('2d');
    context.drawImage(this.image, 0, 0);
    this.paint(context, Math.max(this.size.width, this.size.height) / 900);
    return new Promise((done) => canvas.toBlob(done, 'image/png'));
  }

  /** The visible part of the photo, image pixels. */
  #view() {
    const face = this.faces[this.selected];
    const { width, height } = this.size;
    if (!this.show.zoom || !face) return { x: 0, y: 0, width, height };
    const [x0, y0, x1, y1] = face.box;
    const side = Math.min(1.9 * Math.max(x1 - x0, y1 - y0), Math.max(width, height));
    const clamp = (center, extent) => Math.max(Math.min(center - side / 2, extent - side), Math.min(0, (extent - side) / 2));
    const x = Math.max(clamp((x0 + x1) / 2, width), 0), y = Math.max(clamp((y0 + y1) / 2, height), 0);
    return { x, y, width: Math.min(side, width), height: Math.min(side, height) };
  }

  #makeButtons() {
    const buttons = this.faces.length > 1 ? this.faces : [];
    this.boxes.replaceChildren(...buttons.map((_, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-label', `Face ${i + 1}`);
      button.addEventListener('click', () => this.chosen(i));
      return button;
    }));
  }
}
