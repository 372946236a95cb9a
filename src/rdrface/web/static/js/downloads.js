// Content of the files to download.

/** @param {{name: string, width: number, height: number, frames: {time: number | null, faces: object[]}[]}} result */
export function jsonOf({ name, width, height, frames }) {
  const content =
    frames.length === 1 && frames[0].time === null
      ? { image: name, width, height, faces: frames[0].faces }
      : { clip: name, width, height, frames };
  return new Blob([JSON.stringify(content, null, 1)], { type: 'application/json' });
}

/** One row per face, with the columns of `rdrface detect` and the blendshapes. */
export function csvOf({ name, frames }) {
  const first = frames.flatMap((frame) => frame.faces)[0];
  const shapes = first ? Object.keys(first.blendshapes) : [];
  const points = [...Array(68).keys()];
  const clip = frames.length > 1 || frames[0].time !== null;
  const head = [
    'image', ...(clip ? ['time'] : []), 'face', 'box_x0', 'box_y0', 'box_x1', 'box_y1', 'score', 'yaw', 'pitch', 'roll',
    ...points.flatMap((i) => [`x${i}`, `y${i}`]),
    ...points.map((i) => `visibility${i}`), ...points.map((i) => `uncertainty${i}`), 'expected_error', ...shapes,
  ];
  const rows = frames.flatMap(({ time, faces }) =>
    faces.map((face, i) => [
      quoted(name), ...(clip ? [time.toFixed(3)] : []), i, ...face.box, face.score,
      face.pose.yaw, face.pose.pitch, face.pose.roll, ...face.landmarks.flat(), ...face.visibility, ...face.uncertainty,
      face.expected_error, ...shapes.map((shape) => face.blendshapes[shape]),
    ]),
  );
  return new Blob([[head, ...rows].map((row) => row.join(',')).join('\r\n') + '\r\n'], { type: 'text/csv' });
}

// A name that starts like a formula would be run by spreadsheets.
const quoted = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

/** Let the browser save a file. */
export function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
