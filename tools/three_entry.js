// What the page uses of three.js; `tools/bundle_three.py` makes src/rdrface/web/static/vendor/three.min.js of it.
export {
  AnimationMixer,
  BufferAttribute,
  BackSide,
  BufferGeometry,
  CanvasTexture,
  DirectionalLight,
  DoubleSide,
  Group,
  HemisphereLight,
  InstancedMesh,
  Matrix4,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  PerspectiveCamera,
  SRGBColorSpace,
  Scene,
  SphereGeometry,
  Box3,
  Vector3,
  WebGLRenderer,
} from 'three';
export { GLTFExporter } from 'three/examples/jsm/exporters/GLTFExporter.js';
export { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
