"""Read configurations from TOML files. Unknown keys are errors: a misspelled option could waste a day of training."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rdrface.errors import ConfigError
from rdrface.training.config import StageConfig, TrainingConfig
from rdrface.training.renamed import LOSSES, RUN_KEYS, STAGE_KEYS, STAGES

T = TypeVar("T")


def shipped_configs() -> dict[str, Path]:
    """Name -> file of the packaged configurations."""
    folder = Path(__file__).parent / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_config(name: str | Path) -> TrainingConfig:
    """Read a configuration.

    Args:
        name: name of a packaged configuration (see `shipped_configs`), or path of a TOML file.

    Raises:
        ConfigError: the file does not exist or is not TOML, a key is unknown or was renamed, or a value has the wrong
            type or is invalid.
    """
    path = shipped_configs().get(str(name), Path(name))
    if not path.is_file():
        known = ", ".join(shipped_configs())
        raise ConfigError(f"no configuration {str(name)!r}; give the path of a TOML file, or one of {known}")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a valid TOML file: {error}") from error
    stages = table.pop("stage", [])
    if not isinstance(stages, list):
        raise ConfigError(f"{path}: write stages as [[stage]] tables, with double brackets")
    for number, stage in enumerate(stages):
        if not isinstance(stage, dict):
            raise ConfigError(f"{path}: stage {number} must be a table, written as [[stage]]; got {stage!r}")
    _check_renamed(path, table, stages)
    built = tuple(_build(StageConfig, stage, f"{path}, stage {number}") for number, stage in enumerate(stages))
    return _build(TrainingConfig, {**table, "stage": built}, str(path))


def _check_renamed(path: Path, table: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> None:
    """Raise ConfigError with the new names if a file contains names of release 0.1 or of later versions."""
    loss = table.get("loss")
    found = [(RUN_KEYS, name) for name in table]
    found += [(LOSSES, name) for name in (loss if isinstance(loss, dict) else {})]
    for stage in stages:
        found += [(STAGE_KEYS, name) for name in stage]
        found.append((STAGES, str(stage.get("train"))))
    changes = {name: renamed[name] for renamed, name in found if name in renamed}
    if changes:
        listed = ", ".join(f"{old!r} -> {new!r}" for old, new in changes.items())
        # The key that got another type.
        hint = " (crop_sizes is a list, for example [128])" if "crop_sizes" in changes.values() else ""
        raise ConfigError(
            f"{path} contains names of an earlier version of rdrface; replace them by the new ones: {listed}{hint}"
        )


def _build(kind: type[T], values: dict[str, Any], where: str) -> T:
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; the keys are {', '.join(hints)}")
    missing = [f.name for f in dataclasses.fields(kind) if _required(f) and f.name not in values]  # type: ignore[arg-type]
    if missing:
        raise ConfigError(f"{where}: {missing[0]!r} is missing; add it")
    checked = {name: _checked(value, hints[name], f"{where}: {name}") for name, value in values.items()}
    return kind(**checked)


def _required(f: "dataclasses.Field[Any]") -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


def _checked(value: Any, hint: Any, where: str) -> Any:
    if isinstance(hint, types.GenericAlias):
        hint = typing.get_origin(hint)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where} must be {hint.__name__}; got {value!r}")
    return value
