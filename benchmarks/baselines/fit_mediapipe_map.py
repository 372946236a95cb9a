"""Fits mediapipe_map.json, the conversion from MediaPipe's face mesh to the 68 points.

python fit_mediapipe_map.py TRAIN.json -o mediapipe_map.json

TRAIN.json is written by training_faces.py. Runs in the environment of mediapipe.txt. For each of the 68 points, the two
vertices and the position between them with the smallest mean distance to the visible annotated points are chosen; the
distance is divided by the size of the face. Every other face is mirrored, so that the map does not learn the horizontal
annotation offset of MERL-RAV. Prints the remaining distance.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np
from record_mediapipe import FaceMesh
from views import read_rgb

from recording import read_faces, use_one_core, with_progress

NEAREST = 16
"""Number of nearest vertices whose pairs are tried."""

SHARES = (1.0, 0.75, 0.5, 0.25)
"""Weights of the first vertex of a pair that are tried."""


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="TRAIN.json", help="list written by training_faces.py")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.json", help="map to write")
    parser.add_argument("--every", type=int, default=1, help="use every n-th image (default: all)")
    args = parser.parse_args()

    use_one_core()
    meshes, truths, sizes = collect(args.faces, args.every)
    vertices, weights, remaining = fit_map(meshes, truths, sizes)
    content = {"vertices": vertices.tolist(), "weights": weights.tolist()}
    args.out.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{len(meshes)} faces; mean distance in percent of the face's size, by point:")
    print(" ".join(f"{value:.1f}" for value in remaining))
    print(f"contour {remaining[:17].mean():.2f}, inner 51 {remaining[17:].mean():.2f}, all {remaining.mean():.2f}")


def collect(path: Path, every: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Meshes (n, 478, 2), annotated points (n, 68, 2), NaN where hidden, and sizes (n,) of the faces that are found."""
    face_mesh = FaceMesh()
    meshes, truths, sizes = [], [], []
    used = dict(list(read_faces(path).items())[::every])
    for image_path, faces in with_progress(used):
        image = read_rgb(image_path)
        for face in faces:
            x0, y0, x1, y1 = face["box"]
            truth = np.array([point or (np.nan, np.nan) for point in face["landmarks"]], np.float64)
            if len(truths) % 2:
                last = image.shape[1] - 1
                truth = np.array([point or (np.nan, np.nan) for point in face["mirrored"]], np.float64)
                truth[:, 0] += last
                mesh = face_mesh.align(np.ascontiguousarray(image[:, ::-1]), [last - x1, y0, last - x0, y1])
            else:
                mesh = face_mesh.align(image, face["box"])
            if mesh is None:
                continue
            meshes.append(mesh)
            truths.append(truth)
            sizes.append(((x1 - x0) * (y1 - y0)) ** 0.5)
    return np.array(meshes), np.array(truths), np.array(sizes)


def fit_map(meshes: np.ndarray, truths: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two vertices and their weights for each annotated point.

    Args:
        meshes: (n, V, 2) pixels.
        truths: (n, P, 2) pixels, NaN where a point is hidden.
        sizes: (n,) pixels.

    Returns:
        vertices (P, 2) int, weights (P, 2) with sum 1, remaining mean distance (P,) in percent.
    """
    vertices, weights, remaining = [], [], []
    for point in range(truths.shape[1]):
        visible = np.isfinite(truths[:, point]).all(1)
        # From the point to every vertex, in units of the face's size.
        offsets = (meshes[visible] - truths[visible, point, None]) / sizes[visible, None, None]
        nearest = np.linalg.norm(offsets, axis=-1).mean(0).argsort()[:NEAREST]
        distances = {
            (first, second, share): float(
                np.linalg.norm(share * offsets[:, first] + (1 - share) * offsets[:, second], axis=-1).mean()
            )
            for first, second in combinations(nearest.tolist(), 2)
            for share in SHARES
        }
        (first, second, share), distance = min(distances.items(), key=lambda item: item[1])
        vertices.append((first, second))
        weights.append((share, 1 - share))
        remaining.append(100 * distance)
    return np.array(vertices), np.array(weights), np.array(remaining)


if __name__ == "__main__":
    main()
