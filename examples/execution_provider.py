"""Run on ONNX Runtime with a chosen execution provider.

python examples/execution_provider.py photo.jpg CUDAExecutionProvider CPUExecutionProvider
"""

import sys

import rdrface

source, *providers = sys.argv[1:]
aligner = rdrface.load(backend="onnxruntime", providers=providers, batch_size=16)
print(aligner.detect(source))
