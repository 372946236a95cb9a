// Turns and zooms an object with mouse, touch, wheel and keys. A finger that moves up or down scrolls the page.

const RADIANS_PER_PIXEL = 0.008;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Turntable {
  /**
   * @param {HTMLElement} element receives the events
   * @param {() => void} changed called after each change of `yaw`, `pitch` (radians) or `zoom`
   */
  constructor(element, changed) {
    Object.assign(this, { element, changed, yaw: 0, pitch: 0, zoom: 1, touched: false });
    const pointers = new Map();
    let spread = 0;
    element.addEventListener('pointerdown', (event) => {
      pointers.set(event.pointerId, event);
      element.setPointerCapture(event.pointerId);
      spread = 0;
    });
    element.addEventListener('pointermove', (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      pointers.set(event.pointerId, event);
      if (pointers.size === 1) return this.turn(event.clientX - last.clientX, event.clientY - last.clientY);
      const [a, b] = [...pointers.values()];
      const distance = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (spread) this.scale(distance / spread);
      spread = distance;
    });
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      element.addEventListener(name, (event) => pointers.delete(event.pointerId));
    }
    element.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.scale(Math.exp(-event.deltaY * 0.001));
    }, { passive: false });
    element.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Turn as by a drag of (x, y) pixels. */
  turn(x, y) {
    this.touched = true;
    this.yaw += x * RADIANS_PER_PIXEL;
    this.pitch = Math.min(Math.max(this.pitch + y * RADIANS_PER_PIXEL, -1.4), 1.4);
    this.changed();
  }

  scale(factor) {
    this.touched = true;
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.5), 5);
    this.changed();
  }

  reset(yaw = 0) {
    Object.assign(this, { yaw, pitch: 0, zoom: 1 });
    this.changed();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (KEYS[event.key]) this.turn(...KEYS[event.key].map((step) => step * 12));
    else if (event.key === '+' || event.key === '=') this.scale(1.15);
    else if (event.key === '-') this.scale(1 / 1.15);
    else if (event.key === 'Home') this.reset();
    else return;
    event.preventDefault();
  }
}
