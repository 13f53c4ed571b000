"""Settings of a training run: a dataclass, filled from YAML and from the command line."""

from dataclasses import dataclass
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Stage:
    """A part of the run with clips of one length."""

    until: float
    """Share of all steps at which it ends, in (0, 1]."""
    frames: int
    clips: int
    """Clips a step."""
    tune_trunk: bool = False
    """Whether the trunk's blocks from stride 8 on are trained too, at a low rate."""


@dataclass(frozen=True)
class TrainSettings:
    """Everything that a run depends on besides the packed images."""

    cache: Path
    """Folder of the packed images (see data.py)."""
    out: Path
    """Folder of checkpoints and the log."""
    trunk_weights: Path | None = None
    """ImageNet weights of the trunk; by default those of the installed package."""
    start: Path | None = None
    """Weights of a tracker to start from, instead of ImageNet's and random ones."""
    seed: int = 0
    steps: int = 4000
    crop: int = 240
    rate: float = 2e-3
    trunk_rate: float = 4e-5
    weight_decay: float = 0.02
    warmup: int = 100
    object_shares: tuple[float, ...] = (0.4, 0.3, 0.3)
    """Shares of the steps whose clips have one object, two, three and so on."""
    margin_share: float = 0.3
    """Share of the clips whose masks get a margin (see extent.py)."""
    shadow_share: float = 0.15
    """Share of the clips whose objects cast shadows."""
    threads: int = 2
    workers: int = 1
    checkpoint_every: int = 200
    validate_every: int = 400
    validation_clips: int = 12
    device: str = 'auto'
    """`auto` is a CUDA device if there is one, else the CPU."""
    half: bool = True
    """bfloat16 where it is safe."""
    refiner_start: Path | None = None
    """Weights of a refiner to start from."""
    refiner_steps: int = 2400
    refiner_rate: float = 1e-3
    refiner_crop: int = 256
    refiner_images: int = 12
    """Images a step of the refiner."""
    stages: tuple[Stage, ...] = (
        Stage(0.25, frames=3, clips=6),
        Stage(0.6, frames=5, clips=4),
        Stage(1.0, frames=8, clips=3),
    )

    def __post_init__(self) -> None:
        """Refuse settings that cannot be run."""
        if self.steps < 1 or self.crop % 16 or self.crop < 32:
            raise ValueError(
                f'steps is {self.steps} and crop {self.crop}; '
                'allowed: at least one step, a crop of 32 or more divisible by 16'
            )
        ends = [stage.until for stage in self.stages]
        if not ends or ends != sorted(ends) or ends[-1] != 1.0:
            raise ValueError(f'stages end at {ends}; allowed: ascending shares, the last one 1')

        shares = self.object_shares
        if not shares or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError(f'object_shares are {shares}; allowed: shares that sum to 1')
        for name in ('margin_share', 'shadow_share'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} is {getattr(self, name)}; allowed: 0 to 1')

    def stage(self, step: int) -> Stage:
        """Return the stage that `step` (from 0) belongs to."""
        share = step / self.steps
        return next(stage for stage in self.stages if share < stage.until)


def from_mapping(values: dict[str, Any]) -> TrainSettings:
    """Build settings from plain values; ValueError names an unknown one."""
    known = {field.name for field in fields(TrainSettings)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f'unknown training settings {unknown}; allowed: {sorted(known)}')
    missing = [name for name in ('cache', 'out') if values.get(name) is None]
    if missing:
        raise ValueError(
            f'no folder is given for {" and ".join(missing)}; allowed: one each, by '
            f'{" and ".join(f"--{name}" for name in missing)} or in the settings'
        )
    converted = dict(values)
    for name in ('cache', 'out', 'trunk_weights', 'start', 'refiner_start'):
        if converted.get(name) is not None:
            converted[name] = Path(converted[name])
    if 'object_shares' in converted:
        converted['object_shares'] = tuple(converted['object_shares'])
    if 'stages' in converted:
        converted['stages'] = tuple(Stage(**stage) for stage in converted['stages'])
    return TrainSettings(**converted)


def read_settings(path: Path | None, overrides: dict[str, Any]) -> TrainSettings:
    """Read a YAML file, if any; what `overrides` sets (not None) wins."""
    values = {} if path is None else _read_yaml(path)
    values.update({name: value for name, value in overrides.items() if value is not None})
    return from_mapping(values)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'{path} is no YAML file that can be read: {reason}') from None
    if not isinstance(values, dict | None):
        raise ValueError(f'{path} holds {values!r}; allowed: settings as NAME: VALUE')
    return values or {}
