"""Run on ONNX Runtime with a chosen execution provider.

python examples/execution_provider.py photo.jpg CUDAExecutionProvider CPUExecutionProvider
"""

import sys

import rdrface

if len(sys.argv) < 3:
    sys.exit(__doc__)
source, *providers = sys.argv[1:]
try:
    aligner = rdrface.load(backend="onnxruntime", providers=providers)
    print(aligner.detect(source))
except (ValueError, rdrface.errors.RdrError) as error:  # an unknown provider; no ONNX Runtime, an unreadable image
    sys.exit(str(error))
