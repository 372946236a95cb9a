"""The linear face model: mean + identity + expression (S of equation 1), one source for NumPy and PyTorch."""

from typing import Any

from array_api_compat import array_namespace


def blend(mean: Any, identity_basis: Any, expression_basis: Any, alpha_id: Any, alpha_exp: Any) -> Any:
    """3D points of faces: ``mean + alpha_id @ identity_basis + alpha_exp @ expression_basis``.

    Args:
        mean: (N, 3) mm.
        identity_basis: (I, N, 3) mm per standard deviation.
        expression_basis: (E, N, 3) mm at strength 1.
        alpha_id: (B, I) identity coefficients.
        alpha_exp: (B, E) expression coefficients.

    Returns:
        (B, N, 3) mm, of the same array type.

    Raises:
        ValueError: wrong number of coefficients.
    """
    if alpha_id.shape[-1] != identity_basis.shape[0] or alpha_exp.shape[-1] != expression_basis.shape[0]:
        raise ValueError(
            f"expected alpha_id (B, {identity_basis.shape[0]}) and alpha_exp (B, {expression_basis.shape[0]}); "
            f"got {tuple(alpha_id.shape)} and {tuple(alpha_exp.shape)}"
        )
    xp = array_namespace(mean, identity_basis, expression_basis, alpha_id, alpha_exp)
    count = mean.shape[0]
    # Two plain matrix products: fast on every device and simple in an exported graph.
    offset = alpha_id @ xp.reshape(identity_basis, (identity_basis.shape[0], count * 3))
    offset = offset + alpha_exp @ xp.reshape(expression_basis, (expression_basis.shape[0], count * 3))
    return mean + xp.reshape(offset, (-1, count, 3))
