// The linear face model: vertices and normals from coefficients. File format: rdrface/web/face_model.py.

const TYPES = { float32: Float32Array, int16: Int16Array, uint16: Uint16Array, uint8: Uint8Array };

/** Numbers of the vertex parts, as in rdrface/web/face_surface.py. */
export const SKIN = 0, EYE = 1, CAVITY = 2, MOUTH = 3;

export class FaceModel {
  /** @param {ArrayBuffer} buffer the file */
  constructor(buffer) {
    const bytes = new Uint8Array(buffer);
    const magic = new TextDecoder().decode(bytes.subarray(0, 4));
    if (magic !== 'RDRW') throw new Error('not a face model of the page');
    const length = new DataView(buffer).getUint32(4, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    this.names = header.expression_names;
    this.identityScales = header.identity_scales;
    this.expressionScales = header.expression_scales;
    for (const [name, entry] of Object.entries(header.arrays)) {
      const count = entry.shape.reduce((a, b) => a * b, 1);
      this[name] = new TYPES[entry.dtype](buffer, 8 + length + entry.offset, count);
    }
    this.count = this.mean.length / 3;
  }

  /** The neutral face of a person, (V * 3) mm. */
  neutral(identity) {
    const shape = Float32Array.from(this.mean);
    identity.forEach((alpha, i) => this.#add(shape, this.identity, i, alpha * this.identityScales[i]));
    return shape;
  }

  /** The face with an expression, (V * 3) mm. */
  withExpression(neutral, expression) {
    const shape = Float32Array.from(neutral);
    expression.forEach((alpha, i) => {
      if (alpha) this.#add(shape, this.expression, i, alpha * this.expressionScales[i]);
    });
    return shape;
  }

  /** Displacement of every vertex at strength 1 of an expression, (V * 3) mm. */
  displacement(i) {
    return Float32Array.from(
      this.expression.subarray(i * this.count * 3, (i + 1) * this.count * 3),
      (value) => value * this.expressionScales[i],
    );
  }

  /** Unit vertex normals, (V * 3): area-weighted means of the adjacent triangles' normals. */
  normals(vertices) {
    const normals = new Float32Array(vertices.length);
    const t = this.triangles;
    for (let i = 0; i < t.length; i += 3) {
      const a = t[i] * 3, b = t[i + 1] * 3, c = t[i + 2] * 3;
      const ux = vertices[b] - vertices[a], uy = vertices[b + 1] - vertices[a + 1], uz = vertices[b + 2] - vertices[a + 2];
      const vx = vertices[c] - vertices[a], vy = vertices[c + 1] - vertices[a + 1], vz = vertices[c + 2] - vertices[a + 2];
      const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
      for (const k of [a, b, c]) {
        normals[k] += x;
        normals[k + 1] += y;
        normals[k + 2] += z;
      }
    }
    for (let i = 0; i < normals.length; i += 3) {
      const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
      normals[i] /= length;
      normals[i + 1] /= length;
      normals[i + 2] /= length;
    }
    return normals;
  }

  /** The 68 landmarks on a surface, (68 * 3), contour on the jawline. */
  landmarks(vertices) {
    const points = new Float32Array(68 * 3);
    for (let i = 0; i < 68; i++) {
      for (let corner = 0; corner < 3; corner++) {
        const weight = this.landmark_weights[i * 3 + corner];
        const vertex = this.triangles[this.landmark_triangles[i] * 3 + corner] * 3;
        for (let k = 0; k < 3; k++) points[i * 3 + k] += weight * vertices[vertex + k];
      }
    }
    return points;
  }

  #add(shape, basis, component, factor) {
    const start = component * this.count * 3;
    for (let k = 0; k < shape.length; k++) shape[k] += factor * basis[start + k];
  }
}
