// The 3D view: a face that turns, or the content of a GLB file.
import * as THREE from '../vendor/three.min.js';
import { CAVITY, MOUTH } from './face_model.js';
import { rotationMatrix } from './pose.js';
import { Turntable } from './turntable.js';

const CLAY = 0xcfc4b8;
const DARK = [0.16, 0.06, 0.05]; // shade of the inside of the mouth
const DISTANCE = 780; // mm from the camera to the center of the head
const CENTER = new THREE.Vector3(0, 8, -38); // mm, model frame

export class Viewer {
  /** @param {HTMLCanvasElement} canvas   @throws if WebGL is not available */
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: true });
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(20, 1, 50, 5000);
    this.#addLights();
    this.turntable = new Turntable(canvas, () => {
      if (this.turntable.touched) canvas.parentElement.classList.add('touched');
      this.render();
    });
    this.head = new THREE.Group(); // turned by the mouse
    this.base = new THREE.Group(); // turned as in the photo, or frontal
    this.head.add(this.base);
    this.scene.add(this.head);
    this.frames = 0;
    new ResizeObserver(() => this.#resize()).observe(canvas.parentElement);
    this.#resize();
  }

  /** Show faces of a model; `setVertices` follows. */
  setModel(model) {
    this.model = model;
    this.geometry = new THREE.BufferGeometry();
    this.geometry.setIndex(new THREE.BufferAttribute(model.triangles, 1));
    this.geometry.setAttribute('uv', new THREE.BufferAttribute(model.uv, 2));
    for (const name of ['position', 'normal']) {
      this.geometry.setAttribute(name, new THREE.BufferAttribute(new Float32Array(model.count * 3), 3));
    }
    this.colors = { plain: shades(model, [CAVITY, MOUTH]), photo: shades(model, [CAVITY]) };
    this.plain = new THREE.MeshStandardMaterial({ color: CLAY, roughness: 0.62, vertexColors: true });
    this.photo = new THREE.MeshBasicMaterial({ vertexColors: true });
    this.wire = new THREE.MeshBasicMaterial({ color: 0x8fb5ae, wireframe: true, transparent: true, opacity: 0.55 });
    this.mesh = new THREE.Mesh(this.geometry, this.plain);
    this.lines = new THREE.Mesh(this.geometry, this.wire);
    this.lines.visible = false;
    // The offset keeps the inside from showing through at the silhouette, where both sides have the same depth.
    const offset = { polygonOffset: true, polygonOffsetFactor: 4, polygonOffsetUnits: 40 };
    const inside = new THREE.Mesh(this.geometry, new THREE.MeshBasicMaterial({ color: 0x2b1b18, side: THREE.BackSide, ...offset }));
    inside.frustumCulled = false;
    this.mesh.frustumCulled = this.lines.frustumCulled = false;
    const ball = new THREE.SphereGeometry(1.05, 12, 8);
    this.points = new THREE.InstancedMesh(ball, new THREE.MeshBasicMaterial({ color: 0x2f8f84 }), 68);
    this.points.frustumCulled = this.points.visible = false;
    this.face = new THREE.Group();
    this.face.position.copy(CENTER).negate();
    this.face.add(this.mesh, inside, this.lines, this.points);
    this.#show(this.face);
  }

  /** Vertices (V * 3) mm of the face. */
  setVertices(vertices) {
    this.vertices = vertices;
    this.geometry.attributes.position.array.set(vertices);
    this.geometry.attributes.normal.array.set(this.model.normals(vertices));
    this.geometry.attributes.position.needsUpdate = this.geometry.attributes.normal.needsUpdate = true;
    const matrix = new THREE.Matrix4();
    const at = this.model.landmarks(vertices);
    for (let i = 0; i < 68; i++) this.points.setMatrixAt(i, matrix.makeTranslation(at[i * 3], at[i * 3 + 1], at[i * 3 + 2]));
    this.points.instanceMatrix.needsUpdate = true;
    if (this.content !== this.face) this.#show(this.face);
    this.render();
  }

  /** Texture of the face, from `faceTexture`. */
  setTexture(canvas) {
    this.photo.map?.dispose();
    this.photo.map = new THREE.CanvasTexture(canvas);
    this.photo.map.colorSpace = THREE.SRGBColorSpace;
    this.photo.map.anisotropy = 4;
    this.photo.needsUpdate = true;
    this.render();
  }

  /** @param {'photo' | 'plain' | 'mesh'} name */
  setSurface(name) {
    const textured = name === 'photo' && this.photo.map;
    this.mesh.material = textured ? this.photo : this.plain;
    this.geometry.setAttribute('color', textured ? this.colors.photo : this.colors.plain);
    this.lines.visible = this.points.visible = name === 'mesh';
    // The lines are in front of the surface on which they lie.
    Object.assign(this.plain, { polygonOffset: name === 'mesh', polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
    this.render();
  }

  /**
   * @param {'photo' | 'front' | 'side'} name
   * @param {number[]} pose P of the face in the photo
   */
  setView(name, pose) {
    const matrix = new THREE.Matrix4();
    if (name === 'photo' && pose) {
      const r = rotationMatrix(pose);
      matrix.set(r[0], r[1], r[2], 0, r[3], r[4], r[5], 0, r[6], r[7], r[8], 0, 0, 0, 0, 1);
    }
    this.base.quaternion.setFromRotationMatrix(matrix);
    this.turntable.reset(name === 'side' ? Math.PI / 2 : 0);
  }

  /** Show a GLB file instead of the face. @returns the names and values of its morph targets, see `targets` */
  async showFile(buffer) {
    const { scene, animations } = await new THREE.GLTFLoader().parseAsync(buffer, '');
    const meshes = [];
    scene.traverse((object) => object.isMesh && meshes.push(object));
    const box = new THREE.Box3().setFromObject(scene);
    const size = box.getSize(new THREE.Vector3());
    const wrapper = new THREE.Group();
    const factor = 250 / (Math.max(size.x, size.y, size.z) || 1);
    wrapper.scale.setScalar(factor);
    scene.position.sub(box.getCenter(new THREE.Vector3()));
    wrapper.add(scene);
    this.file = meshes.filter((mesh) => mesh.morphTargetDictionary);
    this.duration = animations[0]?.duration ?? 0;
    if (this.duration) {
      this.mixer = new THREE.AnimationMixer(scene);
      this.action = this.mixer.clipAction(animations[0]).play();
    }
    this.#show(wrapper);
    this.setView('front');
    return this.targets();
  }

  /** Show the file at a time of its first animation, seconds; 0 to `duration`. */
  seek(time) {
    // Stopped, so that targets which the sliders moved are written too: the mixer skips values that do not change.
    this.action.stop().play().time = time;
    this.mixer.update(0);
    this.render();
  }

  /** Name -> value of each morph target of the file. */
  targets() {
    const targets = new Map();
    for (const mesh of this.file) {
      for (const [name, i] of Object.entries(mesh.morphTargetDictionary)) targets.set(name, mesh.morphTargetInfluences[i]);
    }
    return targets;
  }

  /** Set a morph target of the file. */
  setTarget(name, value) {
    for (const mesh of this.file) {
      const i = mesh.morphTargetDictionary[name];
      if (i !== undefined) mesh.morphTargetInfluences[i] = value;
    }
    this.render();
  }

  /** Draw the next frame. */
  render() {
    this.requested ??= requestAnimationFrame(() => {
      this.requested = undefined;
      const { yaw, pitch, zoom } = this.turntable;
      this.head.rotation.set(pitch, yaw, 0, 'XYZ');
      this.camera.position.z = this.distance / zoom;
      this.renderer.render(this.scene, this.camera);
      this.frames++;
    });
  }

  #show(content) {
    if (this.content) this.base.remove(this.content);
    this.content = content;
    this.base.add(content);
    this.render();
  }

  #addLights() {
    this.scene.add(new THREE.HemisphereLight(0xffffff, 0xa89a8e, 2.0));
    for (const [strength, x, y, z] of [[2.1, -0.7, 0.8, 1], [0.6, 1, 0.1, 0.5], [0.7, 0.5, 0.6, -1]]) {
      const light = new THREE.DirectionalLight(0xffffff, strength);
      light.position.set(x, y, z);
      this.scene.add(light);
    }
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    // A narrow view is farther away, so that the face keeps its margin.
    this.distance = DISTANCE * Math.max(1, 0.92 / this.camera.aspect);
    this.camera.updateProjectionMatrix();
    this.render();
  }
}

/** Vertex colors: white, and dark in the given parts. */
function shades(model, parts) {
  const colors = new Float32Array(model.count * 3).fill(1);
  model.part.forEach((part, i) => parts.includes(part) && colors.set(DARK, i * 3));
  return new THREE.BufferAttribute(colors, 3);
}
