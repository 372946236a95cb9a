// Images as arrays, and resizing as Pillow does it, so that the detector sees the same pixels as in Python.

/** @typedef {{data: Uint8Array, width: number, height: number}} Pixels RGB, row by row */

/** Decode a photo; EXIF orientation is applied.   @param {Blob} blob   @returns {Promise<Pixels>} */
export async function decode(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, k = 0; k < data.length; i += 4, k += 3) data.set([rgba[i], rgba[i + 1], rgba[i + 2]], k);
  return { data, width, height };
}

/** Python's round: halves to the even number. */
export function round(value) {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** A part of an image; outside, the pixels of its edge are repeated. */
export function part({ data, width, height }, x0, y0, columns, rows) {
  const result = new Uint8Array(columns * rows * 3);
  const clamp = (value, limit) => Math.min(Math.max(value, 0), limit - 1);
  for (let y = 0, k = 0; y < rows; y++) {
    const row = clamp(y0 + y, height) * width;
    for (let x = 0; x < columns; x++, k += 3) {
      const i = (row + clamp(x0 + x, width)) * 3;
      result[k] = data[i];
      result[k + 1] = data[i + 1];
      result[k + 2] = data[i + 2];
    }
  }
  return { data: result, width: columns, height: rows };
}

/** The image rotated counterclockwise by quarter turns. */
export function rotated(image, turns) {
  let { data, width, height } = image;
  for (let turn = 0; turn < turns; turn++) {
    const result = new Uint8Array(data.length);
    for (let y = 0, k = 0; y < width; y++) {
      for (let x = 0; x < height; x++, k += 3) {
        const i = (x * width + width - 1 - y) * 3;
        result[k] = data[i];
        result[k + 1] = data[i + 1];
        result[k + 2] = data[i + 2];
      }
    }
    [data, width, height] = [result, height, width];
  }
  return { data, width, height };
}

/** Every n-th pixel in both directions. */
export function thinned({ data, width, height }, step) {
  const first = Math.floor(step / 2);
  const columns = Math.ceil((width - first) / step), rows = Math.ceil((height - first) / step);
  const result = new Uint8Array(columns * rows * 3);
  for (let y = 0, k = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, k += 3) {
      const i = ((first + y * step) * width + first + x * step) * 3;
      result.set(data.subarray(i, i + 3), k);
    }
  }
  return { data: result, width: columns, height: rows };
}

/** Averages of blocks, as Pillow's Image.reduce. */
export function reduced({ data, width, height }, blockX, blockY) {
  const columns = Math.ceil(width / blockX), rows = Math.ceil(height / blockY);
  const result = new Uint8Array(columns * rows * 3);
  for (let y = 0, k = 0; y < rows; y++) {
    const y1 = Math.min((y + 1) * blockY, height);
    for (let x = 0; x < columns; x++) {
      const x1 = Math.min((x + 1) * blockX, width);
      const count = (x1 - x * blockX) * (y1 - y * blockY);
      for (let c = 0; c < 3; c++, k++) {
        let sum = 0;
        for (let v = y * blockY; v < y1; v++) for (let u = x * blockX; u < x1; u++) sum += data[(v * width + u) * 3 + c];
        result[k] = Math.floor((sum + count / 2) / count);
      }
    }
  }
  return { data: result, width: columns, height: rows };
}

const FILTERS = {
  hamming: [1, (x) => {
    if (x === 0) return 1;
    if (Math.abs(x) >= 1) return 0;
    return (Math.sin(Math.PI * x) / (Math.PI * x)) * (0.54 + 0.46 * Math.cos(Math.PI * x));
  }],
  bicubic: [2, (x) => {
    const t = Math.abs(x);
    if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
    return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
  }],
};

/** Resize, as Pillow's Image.resize(..., reducing_gap=gap): Hamming if it becomes smaller, else bicubic. */
export function resize(image, width, height, smaller, gap) {
  const [fx, fy] = [Math.floor(image.width / width / gap) || 1, Math.floor(image.height / height / gap) || 1];
  const boxWidth = image.width / fx, boxHeight = image.height / fy;
  const source = fx > 1 || fy > 1 ? reduced(image, fx, fy) : image;
  const filter = FILTERS[smaller ? 'hamming' : 'bicubic'];
  const across = weights(source.width, boxWidth, width, filter), down = weights(source.height, boxHeight, height, filter);
  const middle = new Uint8ClampedArray(width * source.height * 3);
  for (let y = 0, k = 0; y < source.height; y++) {
    for (let x = 0; x < width; x++, k += 3) mix(source.data, (y * source.width + across[x].first) * 3, 3, across[x].values, middle, k);
  }
  const result = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, k = 0; y < height; y++) {
    const { first, values } = down[y];
    for (let x = 0; x < width; x++, k += 3) mix(middle, (first * width + x) * 3, width * 3, values, result, k);
  }
  return { data: new Uint8Array(result.buffer), width, height };
}

function mix(data, start, step, values, result, k) {
  let r = 0, g = 0, b = 0;
  for (let i = 0, at = start; i < values.length; i++, at += step) {
    r += values[i] * data[at];
    g += values[i] * data[at + 1];
    b += values[i] * data[at + 2];
  }
  result[k] = Math.floor(r + 0.5);
  result[k + 1] = Math.floor(g + 0.5);
  result[k + 2] = Math.floor(b + 0.5);
}

function weights(size, extent, count, [support, filter]) {
  const scale = extent / count, stretch = Math.max(scale, 1);
  return Array.from({ length: count }, (_, i) => {
    const center = (i + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support * stretch + 0.5), 0);
    const last = Math.min(Math.trunc(center + support * stretch + 0.5), size);
    const values = Array.from({ length: last - first }, (_, k) => filter((k + first - center + 0.5) / stretch));
    const sum = values.reduce((a, b) => a + b, 0);
    return { first, values: values.map((value) => value / sum) };
  });
}
