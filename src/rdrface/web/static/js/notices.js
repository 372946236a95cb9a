// What the page says while it works, and when something goes wrong.
import { canRetry, messageOf, otherFile } from './messages.js';

const $ = (id) => document.getElementById(id);

export class Notices {
  constructor() {
    $('message-close').addEventListener('click', () => this.hideMessage());
    document.addEventListener('keydown', (event) => event.key === 'Escape' && this.hideMessage());
    $('message-retry').addEventListener('click', () => {
      this.hideMessage();
      this.retry?.();
    });
    $('message-other').addEventListener('click', () => {
      this.hideMessage();
      $(`${otherFile($('message').dataset.code)}-file`).click();
    });
    $('cancel').addEventListener('click', () => this.cancel?.());
  }

  /** Show that the page works; short work shows nothing. */
  busy(text, cancel) {
    this.cancel = cancel;
    $('busy-text').textContent = text;
    this.timer ??= setTimeout(() => ($('busy').hidden = false), 150);
    document.body.setAttribute('aria-busy', 'true');
  }

  done() {
    clearTimeout(this.timer);
    this.timer = undefined;
    $('busy').hidden = true;
    document.body.removeAttribute('aria-busy');
  }

  /** @param {string} code see messages.js   @param {string} detail   @param {(() => void) | undefined} retry */
  message(code, detail, retry) {
    const { title, text } = messageOf(code, detail);
    $('message-title').textContent = title;
    $('message-text').textContent = text;
    $('message').dataset.code = code;
    this.retry = retry;
    $('message-retry').hidden = !retry || !canRetry(code);
    $('message-other').hidden = !otherFile(code);
    $('message').hidden = false;
  }

  hideMessage() {
    $('message').hidden = true;
  }
}
