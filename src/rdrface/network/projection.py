"""3D-to-2D landmark projection (supplement, section 1, equation 1) as a layer of the network."""

import torch
from torch import Tensor, nn

from rdrface.geometry.contour import slide_contour_line
from rdrface.morphable.landmark_model import LandmarkModel, Slide, outline68
from rdrface.morphable.model import FaceModel


class Projection(nn.Module):
    """Q -> the 68 landmarks of the posed 3D face, S_p = M(Q)^{v}; every call computes the correspondence v.

    Args:
        model: the face model; default: the packaged one.
        slide: method of the contour landmarks, see `rdrface.geometry.contour`.
    """

    mean: Tensor
    identity_basis: Tensor
    expression_basis: Tensor
    line_weights: Tensor

    def __init__(self, model: FaceModel | None = None, slide: Slide = slide_contour_line) -> None:
        super().__init__()
        self.slide = slide
        for name, array in LandmarkModel.from_face_model(model or FaceModel.load()).buffers().items():
            self.register_buffer(name, torch.from_numpy(array))

    def forward(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 103) Q -> outline (B, 68, 3) and jawline (B, 68, 3) in the frame of P, z towards the viewer."""
        return outline68(dict(self.named_buffers()), q, self.slide)
