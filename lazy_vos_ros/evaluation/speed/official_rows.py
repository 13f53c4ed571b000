"""Rows of this engine beside a checkout of the published code."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lazy_vos_ros.engine.build import tracker_entry
from lazy_vos_ros.engine.weights import checked_path
from lazy_vos_ros.evaluation.speed.measure import OFFICIAL_RANDOM
from lazy_vos_ros.evaluation.speed.official_comparison import State
from lazy_vos_ros.evaluation.speed.official_comparison import compare
from lazy_vos_ros.evaluation.speed.official_comparison import load_official
from lazy_vos_ros.evaluation.speed.official_comparison import random_state
from lazy_vos_ros.evaluation.speed.results_file import Row
from lazy_vos_ros.evaluation.speed.scene import MovingScene
from lazy_vos_ros.evaluation.speed.table import aligned

HEAD = (
    'weights',
    'image',
    'type',
    'obj',
    'ours fps',
    'official fps',
    'ratio',
    'largest diff',
    'px',
)


@dataclass(frozen=True)
class OfficialCase:
    """One row: both codes on the same frames with the same weights."""

    folder: str
    """Of the published code."""
    weights: str
    width: int
    height: int
    objects: int
    precision: str
    device: str
    threads: int
    frames: int

    @property
    def words(self) -> str:
        """The row for people."""
        return f'{self.weights} {self.width}x{self.height} {self.precision}, both codes'

    @property
    def expected(self) -> float:
        """Seconds that it takes, roughly."""
        return 10e-6 * self.frames * self.width * self.height * (0.7 + 0.3 * self.objects)

    def record(self) -> dict[str, Any]:
        """Return it as it stands in a file."""
        return asdict(self)


def measure_beside(
    case: OfficialCase, on_frame: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Run both codes and return the figures; see :meth:`Comparison.facts`.

    Raises
    ------
    ValueError, RuntimeError
        If the folder is no checkout of the published code, or the weights are not of it.
    """
    torch.set_num_threads(case.threads)
    scene = MovingScene(case.height, case.width, case.objects)
    frames = 0

    def done() -> None:
        nonlocal frames
        frames += 1
        on_frame(frames)

    return compare(
        load_official(Path(case.folder)),
        list(scene.frames(case.frames)),
        np.stack([scene.mask(0, number + 1) for number in range(case.objects)]),
        state=state_of(case.weights),
        device=case.device,
        precision=case.precision,
        done=done,
    ).facts()


def state_of(weights: str) -> State:
    """Return the entries of a published checkpoint, or random ones of its layout.

    Raises
    ------
    ValueError, RuntimeError
        If they are not of the published layout, or not on this machine.
    """
    if weights == OFFICIAL_RANDOM:
        return random_state()
    entry = tracker_entry(weights)
    if entry.network != 'official':
        raise ValueError(
            f'weights {weights} are of the network {entry.network}; allowed beside the published '
            f'code: xmem, xmem-s012, a file of that layout, {OFFICIAL_RANDOM}'
        )
    state: State = torch.load(checked_path(entry), map_location='cpu', weights_only=True)
    return state


def official_table(rows: Sequence[Row]) -> str:
    """Return the rows as a table; those with errors below it."""
    good = [cells(row) for row in rows if 'figures' in row]
    texts = [aligned([HEAD, *good])] if good else []
    texts += [row_words(row) for row in rows if 'error' in row]
    return '\n'.join(texts)


def cells(row: Row) -> tuple[str, ...]:
    """Return the cells of one row."""
    case, figures = row['case'], row['figures']
    return (
        case['weights'],
        f'{case["width"]}x{case["height"]}',
        case['precision'],
        str(case['objects']),
        f'{figures["ours_fps"]:.2f}',
        f'{figures["official_fps"]:.2f}',
        f'{figures["ratio"]:.2f}',
        f'{figures["largest_difference"]:.1e}',
        str(figures['differing_pixels']),
    )


def row_words(row: Row) -> str:
    """Return one finished row as a line."""
    case = row['case']
    name = f'{case["weights"]} {case["precision"]}'
    if 'error' in row:
        return f'{name}: {row["error"]}'
    return f'{name}: {row["figures"]["ratio"]:.2f} times as fast as the published code'
