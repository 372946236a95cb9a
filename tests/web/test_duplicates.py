"""The page without a server keeps the same detections of a face as Python."""

from dataclasses import replace
from typing import Any

import numpy as np

from rdrface.alignment.duplicates import without_duplicates
from rdrface.face import Face
from some_face import some_face


def some_faces(rng: np.random.Generator) -> list[Face]:
    """Two to four faces around one place: of different sizes, errors and scores, some of them upside down."""
    faces = []
    for _ in range(rng.integers(2, 5)):
        face = some_face(
            center=tuple(rng.uniform(120, 220, 2)),
            size=float(rng.choice([40, 70, 100, 110])),
            angles=(0.0, 0.0, float(rng.choice([0.0, np.pi]))),
        )
        uncertainty = np.full(68, rng.uniform(1, 8), np.float32)
        faces.append(replace(face, uncertainty=uncertainty, score=float(rng.uniform(0.5, 1))))
    return faces


def test_the_same_faces_are_kept_as_in_python(page: Any) -> None:
    rng = np.random.default_rng(0)
    groups = [some_faces(rng) for _ in range(100)]
    expected = [[faces.index(face) for face in without_duplicates(faces)] for faces in groups]
    found = page.execute_async_script(
        """const [groups, done] = arguments;
        import(new URL('js/local/duplicates.js', document.baseURI)).then(({ withoutDuplicates }) => {
          done(groups.map((faces) => withoutDuplicates(faces).map((face) => faces.indexOf(face))));
        }, (error) => done(error.stack));""",
        [
            [
                {
                    "detection": {"score": face.score},
                    "result": {
                        "landmarks": face.landmarks.tolist(),
                        "size": face.size,
                        "error": face.expected_error,
                    },
                }
                for face in faces
            ]
            for faces in groups
        ],
    )
    assert found == expected
    assert 0.2 < np.mean([len(kept) < len(faces) for kept, faces in zip(expected, groups, strict=True)]) < 1
