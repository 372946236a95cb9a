// A GLB file of a face: neutral shape, 46 morph targets with ARKit's names, current strengths, texture. Meters, as glTF
// requires: the mesh is in mm, its node has a scale of 0.001.
import * as THREE from '../vendor/three.min.js';

/**
 * @param {FaceModel} model
 * @param {Float32Array} neutral (V * 3) mm
 * @param {ArrayLike<number>} expression 46 strengths
 * @param {THREE.BufferGeometry} like geometry with triangles, uv and the colors of the surface that is shown
 * @param {HTMLCanvasElement | null} texture
 * @returns {Promise<Blob>}
 */
export async function glbOf(model, neutral, expression, like, texture) {
  const geometry = new THREE.BufferGeometry();
  geometry.setIndex(like.index);
  for (const name of ['uv', 'color']) geometry.setAttribute(name, like.attributes[name]);
  geometry.setAttribute('position', new THREE.BufferAttribute(neutral, 3));
  geometry.setAttribute('normal', new THREE.BufferAttribute(model.normals(neutral), 3));
  geometry.morphTargetsRelative = true;
  geometry.morphAttributes.position = model.names.map((name, i) => {
    const attribute = new THREE.BufferAttribute(model.displacement(i), 3);
    attribute.name = name;
    return attribute;
  });
  let map = null;
  if (texture) {
    // glTF's v axis points down, and the exporter turns an image with flipY.
    map = new THREE.CanvasTexture(texture);
    map.colorSpace = THREE.SRGBColorSpace;
  }
  const material = texture
    ? new THREE.MeshBasicMaterial({ map, vertexColors: true, side: THREE.DoubleSide })
    : new THREE.MeshStandardMaterial({ color: 0xc9bfb4, roughness: 0.65, metalness: 0, vertexColors: true, side: THREE.DoubleSide });
  const mesh = new THREE.Mesh(geometry, material);
  mesh.name = 'face';
  mesh.scale.setScalar(0.001);
  mesh.updateMorphTargets();
  mesh.morphTargetInfluences = Array.from(expression);
  const content = await new THREE.GLTFExporter().parseAsync(mesh, { binary: true });
  return new Blob([content], { type: 'model/gltf-binary' });
}
