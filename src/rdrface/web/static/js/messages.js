// Wording of everything that can go wrong.
const TEXTS = {
  unreachable: ['The server does not answer', 'Check that rdrface serve is running, then try again.'],
  too_large: ['This photo is too large', 'Choose a smaller photo, or save this one with fewer pixels.'],
  too_many_faces: ['Too many faces', 'Cut out a part of the photo with fewer faces.'],
  bad_image: ['This file could not be read as a photo', 'Choose a JPEG, PNG or WebP file.'],
  busy: ['The server is busy', 'Wait a moment, then try again.'],
  unauthorized: ['The server asks for a key', 'Open the page with #key=YOUR-KEY at the end of its address.'],
  no_model: ['The 3D model could not be loaded', 'Reload the page.'],
  failed: ['Something went wrong', 'Try again. If it happens every time, the log of the server has the reason.'],
  no_face: ['No face found', 'Try a photo in which the face is larger, sharper, or less covered.'],
  camera_refused: [
    'The camera is blocked',
    'Allow this page to use the camera: the camera sign in the address bar of the browser changes it.',
  ],
  camera_missing: ['No camera found', 'Connect a camera, or choose a photo instead.'],
  camera_insecure: ['The camera needs a secure address', 'Browsers allow it on https and on localhost only.'],
  bad_clip: ['This clip cannot be played', 'This browser cannot read the file. MP4 (H.264) and WebM work in most browsers.'],
  bad_glb: ['This GLB file could not be read', 'Choose a file that this page or rdrface wrote.'],
};

/** Title and text of a code; `detail` is the message of the engine, if it has one. */
export function messageOf(code, detail = '') {
  const [title, text] = TEXTS[code] ?? TEXTS.failed;
  if (!detail) return { title, text };
  // Messages of the server are parts of sentences.
  return { title, text: detail[0].toUpperCase() + detail.slice(1) + (/[.!?]$/.test(detail) ? '' : '.') };
}

// Errors that the same file would give again.
const PERMANENT = new Set(['too_large', 'too_many_faces', 'bad_image', 'bad_clip', 'bad_glb', 'camera_insecure']);

/** Whether it can help to try the same again. */
export const canRetry = (code) => !PERMANENT.has(code);

const FILES = new Map([
  ...['too_large', 'too_many_faces', 'bad_image', 'no_face', 'bad_glb'].map((code) => [code, 'photo']),
  ['bad_clip', 'clip'],
]);

/** 'photo' or 'clip', the file chooser with which to choose another file, if that helps. */
export const otherFile = (code) => FILES.get(code);

const side = (value, positive, negative) => `${Math.round(Math.abs(value))}° ${value > 0 ? positive : negative}`;

/** One sentence on the direction of the head. Angles below 3 degrees are not named. */
export function poseSentence({ yaw, pitch, roll }) {
  const turn = [];
  if (Math.abs(yaw) >= 3) turn.push(side(yaw, 'to the right of the photo', 'to the left of the photo'));
  if (Math.abs(pitch) >= 3) turn.push(side(pitch, 'down', 'up'));
  const parts = turn.length ? [`turned ${turn.join(' and ')}`] : [];
  if (Math.abs(roll) >= 3) parts.push(`tilted ${side(roll, 'counterclockwise', 'clockwise')}`);
  return parts.length ? `Head ${parts.join(', ')}` : 'Head straight ahead';
}

export const HIGH_ERROR = 6; // percent of the face size, as in rdrface.drawing.faces.UNCERTAIN

export const warningOf = (face) =>
  face.expected_error > HIGH_ERROR
    ? `This result is uncertain: points are expected to be off by ${face.expected_error.toFixed(0)} % of the face. The face may be blurred, tiny or covered.`
    : '';
