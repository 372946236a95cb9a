"""An ellipsoid with parallel lines and a mesh: a simple head whose contour is known exactly."""

import numpy as np

from rdrface.geometry.rotation import rotation_matrix

AXES = np.array([70.0, 100.0, 85.0])
SAMPLES = 24
REACH = np.deg2rad(85)  # the lines end just before the point nearest to the viewer
ROUND = np.linspace(np.pi, 2 * np.pi, 17)  # from the left of the image over the chin to the right


def lines_and_normals(batch: int) -> tuple[np.ndarray, np.ndarray]:
    """(batch, 17, SAMPLES, 3) float32 points from the silhouette of the frontal ellipsoid to its front; normals."""
    along = np.linspace(0, REACH, SAMPLES)
    unit = np.stack(
        (
            np.cos(ROUND)[:, None] * np.cos(along),
            np.sin(ROUND)[:, None] * np.cos(along),
            np.broadcast_to(np.sin(along), (17, SAMPLES)),
        ),
        axis=-1,
    )
    lines, normals = unit * AXES, unit / AXES
    return tuple(np.repeat(each[None], batch, axis=0).astype(np.float32) for each in (lines, normals))


def rim(pose: np.ndarray) -> np.ndarray:
    """(B, 17) exact s of the occluding contour, 0 where the jawline faces the viewer."""
    w = rotation_matrix(pose[:, :3].astype(np.float64))[:, None, 2, :]
    sideways = w[..., 0] * np.cos(ROUND) / AXES[0] + w[..., 1] * np.sin(ROUND) / AXES[1]
    along = np.arctan2(-sideways, w[..., 2] / AXES[2])
    return np.clip(along / REACH, 0, 1) * (SAMPLES - 1)


def mesh(stacks: int = 60, slices: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """(V, 3) float32 vertices and (F, 3) triangles, with normals that point outwards."""
    polar, round_ = np.linspace(0, np.pi, stacks + 1), np.linspace(0, 2 * np.pi, slices, endpoint=False)
    unit = np.stack(
        (
            np.sin(polar)[:, None] * np.cos(round_),
            np.sin(polar)[:, None] * np.sin(round_),
            np.cos(polar)[:, None] * np.ones(slices),
        ),
        axis=-1,
    )
    i, j = np.meshgrid(np.arange(stacks), np.arange(slices), indexing="ij")
    a, b = i * slices + j, (i + 1) * slices + j
    c, d = (i + 1) * slices + (j + 1) % slices, i * slices + (j + 1) % slices
    triangles = np.concatenate((np.stack((a, b, c), -1).reshape(-1, 3), np.stack((a, c, d), -1).reshape(-1, 3)))
    return (unit.reshape(-1, 3) * AXES).astype(np.float32), triangles


def random_poses(batch: int, seed: int, roll: float = 0.5) -> np.ndarray:
    """(batch, 7) float32 poses with pitch within 45 and yaw within 90 degrees."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-1, 1, (batch, 3)) * (np.pi / 4, np.pi / 2, roll)
    return np.concatenate((angles, rng.normal(0, 5, (batch, 3)), rng.uniform(0.5, 4, (batch, 1))), 1).astype(np.float32)
