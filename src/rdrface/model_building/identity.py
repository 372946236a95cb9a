"""Identity: random plausible adults from MakeHuman's targets, and their principal components.

Components are computed separately for the symmetric and the antisymmetric part of the faces, so that the mirrored face
has the same coefficients up to a sign per mode.
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
SEED = 20171022
LOCAL_SIGMA = 0.25
LOCAL_LIMIT = 1.2
OWN_SHARE = 0.25
"""Part of a local target's deviation that the two sides of a face do not share."""

FOLDERS = ("asym", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
EXCLUDED = re.compile(r"head-trans|neck-trans|head-angle|head-back|neck-back|measure-|asymm-|neck-scale")
DAMPED = re.compile(r"^asym-|(nose|mouth)-scale-depth|(nose|mouth)-trans-(in|out|forward|backward)")
"""Targets that would make heads, not faces, differ; and targets used at a quarter of the strength."""

OPPOSITES = {
    "incr": "decr", "up": "down", "in": "out", "forward": "backward", "uncompress": "compress", "convex": "concave",
}  # fmt: skip


@dataclass(frozen=True)
class LocalTarget:
    """A signed control: the displacements (V, 3) added for positive and, if there is one, for negative values."""

    name: str
    positive: np.ndarray
    negative: np.ndarray | None


def average_adult(source: SourceMesh, folder: Path) -> np.ndarray:
    """(19158, 3) decimetres: mean over gender, ancestry, young and old, of middling muscle and weight."""
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
    """Local face targets, each with its opposite where there is one, sorted by name."""
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
    """(people, V, 3) shapes from gender, age, ancestry, muscle and weight."""
    male = rng.beta(0.35, 0.35, people)
    old = rng.beta(0.8, 1.2, people)
    child = np.where(rng.random(people) < 0.12, rng.uniform(0, 0.4, people), 0)
    ancestry = rng.dirichlet([0.5, 0.5, 0.5], people)
    muscle = np.clip(rng.normal(0, 0.35, people), -1, 1)
    weight = np.clip(rng.normal(0, 0.40, people), -1, 1)
    genders = {"female": 1 - male, "male": male}
    # A face is either between child and young or between young and old.
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
    return base[kept] + np.einsum("kn,kvc->nvc", np.array(coefficients), np.array(displacements), optimize=True)


def _local_coefficients(targets: list[LocalTarget], people: int, rng: np.random.Generator) -> np.ndarray:
    """(targets, people) signed strengths; the two sides of a face share most of theirs."""
    shared: dict[str, np.ndarray] = {}
    rows = []
    for target in targets:
        side, _, rest = target.name.partition("-")
        key = rest if side in ("l", "r") else target.name
        if key not in shared:
            shared[key] = rng.normal(0, 1, people)
        strength = shared[key]
        if key == rest:
            strength = np.sqrt(1 - OWN_SHARE**2) * strength + OWN_SHARE * rng.normal(0, 1, people)
        sigma = LOCAL_SIGMA * (0.25 if DAMPED.search(target.name) else 1.0)
        strength = np.clip(sigma * strength, -LOCAL_LIMIT, LOCAL_LIMIT)
        rows.append(strength if target.negative is not None else np.abs(strength))
    return np.array(rows)


def sample_people(source: SourceMesh, mesh: FaceMesh, folder: Path, people: int = PEOPLE) -> np.ndarray:
    """(people, V, 3) float64 random adults, decimetres, not aligned."""
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
    """Generalized similarity Procrustes to a symmetric mean.

    Args:
        shapes: (n, V, 3). weights: (V,) importance of each vertex for the alignment. mirror: (V,).

    Returns:
        aligned shapes (n, V, 3) and the symmetric mean (V, 3), in the scale of the first mean.
    """
    w = weights / weights.sum()
    centerd = shapes - np.einsum("v,nvc->nc", w, shapes)[:, None]
    mean = centerd.mean(0)
    size = np.sqrt(np.einsum("v,vc->", w, mean**2))
    aligned = centerd
    for _ in range(rounds):
        mean = (mean + mirrored(mean, mirror)) / 2
        mean = mean * size / np.sqrt(np.einsum("v,vc->", w, mean**2))
        u, s, vt = np.linalg.svd(np.einsum("v,nvc,vd->ncd", w, centerd, mean, optimize=True))
        flip = np.ones_like(s)
        flip[:, 2] = np.sign(np.linalg.det(u @ vt))
        scale = (s * flip).sum(1) / np.einsum("v,nvc->n", w, centerd**2)
        rotation = (u * flip[:, None, :]) @ vt
        aligned = scale[:, None, None] * (centerd @ rotation)
        mean = aligned.mean(0)
    return aligned, (mean + mirrored(mean, mirror)) / 2


def principal_components(
    shapes: np.ndarray, mean: np.ndarray, weights: np.ndarray, mirror: np.ndarray, modes: int = NUM_IDENTITY
) -> tuple[np.ndarray, np.ndarray, float]:
    """Unit-variance components of the symmetric and antisymmetric parts, sorted by weighted variance.

    Returns:
        basis (modes, V, 3), sign (modes,) of each mode in the mirror (+1 symmetric, -1 antisymmetric), and the share
        of the weighted variance that the modes hold.
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
    """(V,) weights for the components: area, five times as much within about 12 mm of a landmark.

    Args:
        shape: (V, 3) mm. points: (N, 3) mm landmarks.
    """
    nearest = np.full(len(shape), np.inf)
    for point in points:
        nearest = np.minimum(nearest, ((shape - point) ** 2).sum(1))
    return vertex_areas(shape, mesh.triangles) * (0.25 + 4 * np.exp(-nearest / (2 * 12.0**2)))
