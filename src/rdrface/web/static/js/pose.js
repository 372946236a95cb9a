// Rotation and scaled orthographic projection, as in rdrface.geometry: P = pitch, yaw, roll, t_x, t_y, t_z, f.

/** Rows of R = R_z(roll) R_y(yaw) R_x(pitch), flat (9). */
export function rotationMatrix([pitch, yaw, roll]) {
  const [cp, cy, cr] = [pitch, yaw, roll].map(Math.cos);
  const [sp, sy, sr] = [pitch, yaw, roll].map(Math.sin);
  return [
    cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp,
    sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp,
    -sy, cy * sp, cy * cp,
  ];
}

/** Image positions (V * 3): x right, y down, z towards the viewer, pixels; from vertices (V * 3) mm. */
export function project(vertices, pose) {
  const r = rotationMatrix(pose);
  const [tx, ty, tz, f] = pose.slice(3);
  const result = new Float32Array(vertices.length);
  for (let i = 0; i < vertices.length; i += 3) {
    const x = vertices[i] + tx, y = vertices[i + 1] + ty, z = vertices[i + 2] + tz;
    result[i] = f * (r[0] * x + r[1] * y + r[2] * z);
    result[i + 1] = -f * (r[3] * x + r[4] * y + r[5] * z);
    result[i + 2] = f * (r[6] * x + r[7] * y + r[8] * z);
  }
  return result;
}
