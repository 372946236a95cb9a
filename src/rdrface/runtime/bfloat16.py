"""bfloat16 for the convolutions and large matrix products of an OpenVINO model.

OpenVINO's own setting, INFERENCE_PRECISION_HINT, also changes the operators between them. The geometry needs float32:
bfloat16 has three significant digits.
"""

from typing import Any

from rdrface.runtime.weights import is_face_model

MIN_PRODUCT = 2**19
"""Matrix products with fewer weights remain in float32: they take little time, and the cells of the LSTMs need the
precision (docs/speed.md)."""

_CONVOLUTIONS = ("Convolution", "GroupConvolution", "ConvolutionBackpropData")
_PASSED = ("Convert", "Reshape", "Transpose", "Concat")
"""Operators between a constant and the operator that uses it as weights."""


def use_bfloat16(model: Any) -> bool:
    """Convert the inputs of the heavy operators of a model to bfloat16, and their outputs back to float32.

    Args:
        model: `openvino.Model` in float32; changed in place, unless it has no matrix products, and therefore no
            geometry.

    Returns:
        Whether the model was changed. If not, OpenVINO's own setting is faster, because it converts less.
    """
    from openvino import opset13

    operators = model.get_ordered_ops()
    if not any(operator.get_type_name() == "MatMul" for operator in operators):
        return False
    converted: dict[tuple[str, int], Any] = {}
    heavy = [operator for operator in operators if _is_heavy(operator)]
    for operator in heavy:
        users = list(operator.output(0).get_target_inputs())
        for index in (0, 1):
            source = operator.input_value(index)
            key = (source.get_node().get_friendly_name(), source.get_index())
            if key not in converted:
                converted[key] = opset13.convert(source, "bf16")
            operator.input(index).replace_source_output(converted[key].output(0))
        operator.validate_and_infer_types()
        back = opset13.convert(operator.output(0), "f32")
        for user in users:
            user.replace_source_output(back.output(0))
    model.validate_nodes_and_infer_types()
    return True


def _is_heavy(operator: Any) -> bool:
    kind = operator.get_type_name()
    if kind not in (*_CONVOLUTIONS, "MatMul"):
        return False
    source = operator.input_value(1).get_node()
    if source.get_output_partial_shape(0).is_dynamic:
        return False
    count = 1
    for side in source.get_output_shape(0):
        count *= side
    weights = source
    while weights.get_type_name() in _PASSED:
        weights = weights.input_value(0).get_node()
    if weights.get_type_name() != "Constant" or is_face_model(weights.get_friendly_name()):
        return False
    return kind in _CONVOLUTIONS or count >= MIN_PRODUCT
