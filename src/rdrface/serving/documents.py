"""The documents of the API, for its OpenAPI description and for reading requests."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from rdrface.landmarks import NUM_LANDMARKS
from rdrface.morphable.params import NUM_EXPRESSION, NUM_IDENTITY, NUM_POSE

Point = Annotated[list[float], Field(min_length=2, max_length=2)]
Point3D = Annotated[list[float], Field(min_length=3, max_length=3)]
Points = Annotated[list[Point], Field(min_length=NUM_LANDMARKS, max_length=NUM_LANDMARKS)]
PerLandmark = Annotated[list[float], Field(min_length=NUM_LANDMARKS, max_length=NUM_LANDMARKS)]


class Base64Images(BaseModel):
    """A request with base64."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"additionalProperties": False})

    images: list[str] = Field(min_length=1, description="image files, each encoded in base64 (RFC 4648, section 4)")


class PoseDocument(BaseModel):
    """Rotation of a head."""

    yaw: float = Field(description="degrees; positive: the nose points to the right of the image")
    pitch: float = Field(description="degrees; positive: the nose points down")
    roll: float = Field(description="degrees; positive: counterclockwise as seen by someone whom the face looks at")
    rotation: Annotated[list[Point3D], Field(min_length=3, max_length=3)] = Field(
        description="rotation matrix, model frame to camera frame"
    )


class ParametersDocument(BaseModel):
    """Parameters of the 3D face."""

    pose: list[float] = Field(
        min_length=NUM_POSE, max_length=NUM_POSE, description="pitch, yaw, roll (radians), t_x, t_y, t_z (mm), f"
    )
    identity: list[float] = Field(min_length=NUM_IDENTITY, max_length=NUM_IDENTITY)
    expression: list[float] = Field(min_length=NUM_EXPRESSION, max_length=NUM_EXPRESSION)


class FaceDocument(BaseModel):
    """A face, as `rdrface.Face.to_dict` writes it. Positions are pixels of the upright image."""

    box: list[float] = Field(min_length=4, max_length=4, description="landmark box x0, y0, x1, y1")
    score: float = Field(ge=0, le=1, description="score of the detector")
    landmarks: Points = Field(description="68 points, contour on the visible outline")
    landmarks_jawline: Points = Field(description="68 points, contour on the jawline, also where it is hidden")
    landmarks_3d: Annotated[list[Point3D], Field(min_length=NUM_LANDMARKS, max_length=NUM_LANDMARKS)]
    projection: Points = Field(description="projected points of the 3D face")
    custom_landmarks: list[Point] | None = Field(None, description="only with weights for other landmarks")
    visibility: PerLandmark = Field(description="probability that a point is visible")
    uncertainty: PerLandmark = Field(description="expected error of each point, percent of the face size")
    expected_error: float = Field(ge=0, description="mean of `uncertainty`")
    pose: PoseDocument
    parameters: ParametersDocument
    blendshapes: dict[str, float] = Field(description="46 expression coefficients by ARKit's names, 0 to 1")


class ErrorDocument(BaseModel):
    """What went wrong."""

    code: str = Field(description="short name that does not change between versions")
    message: str


class ImageDocument(BaseModel):
    """Result of one image."""

    width: int | None = Field(description="pixels of the upright image; null if it was refused")
    height: int | None = Field(description="pixels of the upright image; null if it was refused")
    faces: list[FaceDocument]
    error: ErrorDocument | None = Field(description="null if the image was processed")


class ModelDocument(BaseModel):
    """The network that found the faces."""

    version: str = Field(description="version of rdrface")
    crop_size: int = Field(description="side of the network's crops, pixels")
    precision: str


class FacesDocument(BaseModel):
    """Result of a request: one entry per image, in their order."""

    images: list[ImageDocument]
    model: ModelDocument


class ErrorResponse(BaseModel):
    """Answer to a request that was refused."""

    error: ErrorDocument


class StatusDocument(BaseModel):
    """State of the server."""

    status: str


def error_content(code: str, message: str) -> dict[str, Any]:
    """The content of an `ErrorResponse`."""
    return {"error": {"code": code, "message": message}}
