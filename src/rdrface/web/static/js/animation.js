// Play button and time slider of an animated GLB file.
const $ = (id) => document.getElementById(id);

export class AnimationControls {
  /** @param {(time: number) => void} seek shows a time, seconds */
  constructor(seek) {
    this.seek = seek;
    $('animation-play').addEventListener('click', () => (this.playing ? this.pause() : this.play()));
    $('animation-time').addEventListener('input', ({ target }) => {
      this.pause();
      this.#show(Number(target.value));
    });
    this.close();
  }

  /** Show the controls of a file; it plays at once, unless the system asks for less motion.   @param {number} duration seconds */
  open(duration) {
    this.close();
    this.duration = duration;
    // The value of a range is limited by its maximum: set that first.
    $('animation-time').max = duration;
    $('animation').hidden = false;
    this.#show(0);
    if (!matchMedia('(prefers-reduced-motion: reduce)').matches) this.play();
  }

  close() {
    this.pause();
    $('animation').hidden = true;
  }

  /** Play from the current time, in a loop. */
  play() {
    const run = (this.playing = {});
    this.#label();
    let last = performance.now();
    const step = (now) => {
      if (this.playing !== run) return;
      const next = this.time + Math.max(now - last, 0) / 1000;
      last = now;
      this.#show(next > this.duration ? 0 : next);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  pause() {
    this.playing = null;
    this.#label();
  }

  #show(time) {
    this.time = time;
    const slider = $('animation-time');
    slider.value = time;
    const text = `${time.toFixed(1)} s`;
    slider.setAttribute('aria-valuetext', `${text} of ${this.duration.toFixed(1)} s`);
    slider.style.setProperty('--share', `${(100 * time) / this.duration}%`);
    $('animation-seconds').value = text;
    this.seek(time);
  }

  #label() {
    $('animation-play').setAttribute('aria-label', this.playing ? 'Pause' : 'Play');
    $('animation-play').classList.toggle('playing', Boolean(this.playing));
  }
}
