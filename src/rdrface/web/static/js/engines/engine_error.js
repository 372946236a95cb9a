// Errors of an engine. `code` selects the title that the page shows, see messages.js.
export class EngineError extends Error {
  /**
   * @param {string} code "unreachable", "too_large", "too_many_faces", "bad_image", "busy", "unauthorized", "no_model" or "failed"
   * @param {string} message for people: what happened and what to do
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
