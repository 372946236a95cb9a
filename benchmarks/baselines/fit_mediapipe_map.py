"""mediapipe_map.json: which vertices of MediaPipe's face mesh are the 68 points, as favorable as can be.

python fit_mediapipe_map.py TRAIN.json -o mediapipe_map.json

TRAIN.json is what training_faces.py wrote. Runs in the environment of mediapipe.txt. For each point it takes the two
vertices and the place between them with the smallest mean distance from the visible annotated points, in units of the
face's size. Every other face is mirrored: MERL-RAV's labels lie a little to one side of the photos, which is nothing
that the map should learn. Prints the distance that is left.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np
from record_mediapipe import MediaPipe
from recording import faces_by_photo, one_core, progress, read_rgb

NEAREST = 16
"""Only pairs among so many nearest vertices are tried."""

SHARES = (1.0, 0.75, 0.5, 0.25)


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, metavar="TRAIN.json")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--every", type=int, default=1, help="take every such photo only (default: all)")
    args = parser.parse_args()

    one_core()
    meshes, truths, sizes = collect(args.faces, args.every)
    vertices, weights, left = fit_map(meshes, truths, sizes)
    content = {"vertices": vertices.tolist(), "weights": weights.tolist()}
    args.out.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{len(meshes)} faces; mean distance in percent of the face's size, by point:")
    print(" ".join(f"{value:.1f}" for value in left))
    print(f"contour {left[:17].mean():.2f}, inner 51 {left[17:].mean():.2f}, all {left.mean():.2f}")


def collect(path: Path, every: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Meshes (n, 478, 2), annotated points (n, 68, 2), NaN where hidden, and sizes (n,) of the found faces."""
    peer = MediaPipe()
    meshes, truths, sizes = [], [], []
    photos = dict(list(faces_by_photo(path).items())[::every])
    for path, faces in progress(photos):
        photo = read_rgb(path)
        for face in faces:
            x0, y0, x1, y1 = face["box"]
            truth = np.array([point or (np.nan, np.nan) for point in face["landmarks"]], np.float64)
            if len(truths) % 2:
                last = photo.shape[1] - 1
                truth = np.array([point or (np.nan, np.nan) for point in face["mirrored"]], np.float64)
                truth[:, 0] += last
                mesh = peer.given(np.ascontiguousarray(photo[:, ::-1]), [last - x1, y0, last - x0, y1])
            else:
                mesh = peer.given(photo, face["box"])
            if mesh is None:
                continue
            meshes.append(mesh)
            truths.append(truth)
            sizes.append(((x1 - x0) * (y1 - y0)) ** 0.5)
    return np.array(meshes), np.array(truths), np.array(sizes)


def fit_map(meshes: np.ndarray, truths: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each annotated point, two vertices and their weights.

    Args:
        meshes: (n, V, 2) pixels.
        truths: (n, P, 2) pixels, NaN where a point is not seen.
        sizes: (n,) pixels.

    Returns:
        vertices (P, 2) int, weights (P, 2) with sum 1, mean distance that is left (P,) percent.
    """
    vertices, weights, left = [], [], []
    for point in range(truths.shape[1]):
        seen = np.isfinite(truths[:, point]).all(1)
        # The point's place from every vertex, in units of the face.
        offsets = (meshes[seen] - truths[seen, point, None]) / sizes[seen, None, None]
        nearest = np.linalg.norm(offsets, axis=-1).mean(0).argsort()[:NEAREST]
        tried = {
            (first, second, share): float(
                np.linalg.norm(share * offsets[:, first] + (1 - share) * offsets[:, second], axis=-1).mean()
            )
            for first, second in combinations(nearest.tolist(), 2)
            for share in SHARES
        }
        (first, second, share), distance = min(tried.items(), key=lambda item: item[1])
        vertices.append((first, second))
        weights.append((share, 1 - share))
        left.append(100 * distance)
    return np.array(vertices), np.array(weights), np.array(left)


if __name__ == "__main__":
    main()
