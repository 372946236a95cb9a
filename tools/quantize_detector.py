"""Write the detector's int8 graph, ``weights/retinaface.int8.onnx``, and print its checksum.

    python tools/quantize_detector.py 300w=DIR merl-rav=DIR

Needs ``pip install .[train]``. The ranges are measured on training images at several sizes. The first convolution and
the three heads remain in float32.
"""
