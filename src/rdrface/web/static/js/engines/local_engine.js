// Finds faces in the browser, with onnxruntime-web: the photo does not leave the computer. `make web` adds the files.
import { FaceModel } from '../face_model.js';
import { Aligner } from '../local/aligner.js';
import { RetinaFace } from '../local/detector.js';
import { decode } from '../local/pixels.js';
import { EngineError } from './engine_error.js';

const MAX_PIXELS = 50e6;

export class LocalEngine {
  privacy = 'The photo does not leave this computer.';

  constructor(base = document.baseURI) {
    this.base = base;
  }

  async faceModel() {
    this.model ??= this.#file('face_model.bin').catch((error) => {
      this.model = undefined; // the next call tries again
      throw error;
    });
    return (await this.model).slice(0);
  }

  async detect(blob, signal) {
    this.networks ??= this.#load();
    const { detector, aligner } = await this.networks.catch((error) => {
      this.networks = undefined;
      throw error;
    });
    const image = await decode(blob).catch(() => {
      throw new EngineError('bad_image', '');
    });
    const { width, height } = image;
    if (width * height > MAX_PIXELS) throw new EngineError('too_large', `This photo has more than ${MAX_PIXELS / 1e6} megapixels.`);
    const faces = await aligner.find(image, detector);
    signal?.throwIfAborted();
    return { width, height, faces, model: {} };
  }

  async #load() {
    const ort = await import('../../ort/ort.wasm.min.mjs').catch(() => {
      throw new EngineError('unreachable', 'The files of the page could not be loaded. Reload the page.');
    });
    ort.env.wasm.wasmPaths = new URL('ort/', this.base).href;
    const [graph, tensors, detectorGraph, model] = await Promise.all([
      this.#file('weights/rdr_lite.onnx'), this.#file('weights/rdr_lite.safetensors'), this.#file('weights/retinaface.onnx'), this.faceModel(),
    ]);
    const options = { executionProviders: ['wasm'] };
    const externalData = [{ path: 'rdr_lite.safetensors', data: new Uint8Array(tensors) }];
    const network = await ort.InferenceSession.create(new Uint8Array(graph), { ...options, externalData });
    const retinaface = await ort.InferenceSession.create(new Uint8Array(detectorGraph), options);
    const runner = (session) => (data, dims) => session.run({ [session.inputNames[0]]: new ort.Tensor('float32', data, dims) });
    return {
      detector: new RetinaFace(runner(retinaface)),
      aligner: new Aligner(runner(network), new FaceModel(model).names),
    };
  }

  async #file(name) {
    const response = await fetch(new URL(name, this.base)).catch(() => null);
    if (!response?.ok) throw new EngineError('unreachable', 'The files of the page could not be loaded. Check the network, then try again.');
    return response.arrayBuffer();
  }
}
