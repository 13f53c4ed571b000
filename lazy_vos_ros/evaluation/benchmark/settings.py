"""Everything on which the numbers of a run depend, in one value that can be sent anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from math import ceil
from math import inf
from math import isfinite
from typing import Any

from lazy_vos_ros import __version__
from lazy_vos_ros.evaluation.benchmark.methods import Method

INITS = ('mask', 'click')
OPERATORS = ('gt_center', 'largest_error')
"""Where the simulated person clicks; see `evaluation/operators.py`."""
ORACLE = 'oracle'
SECONDS_A_MINUTE = 60.0


@dataclass(frozen=True)
class Settings:
    """How sequences are tracked; equal settings and weights give equal numbers.

    Raises
    ------
    ValueError
        At construction, naming what is not allowed.
    """

    method: Method
    backend: str = 'xmem'
    weights: str = 'auto'
    refiner: str = 'auto'
    """`oracle`, or what :func:`~lazy_vos_ros.engine.refiners.make_refiner` takes."""
    device: str = 'auto'
    size: int | None = None
    """Short side at which the network works; None: what suits the weights."""
    precision: str = 'fp32'
    """Arithmetic of the tracker's network: fp32, fp16 or bf16."""
    init: str = 'mask'
    """How an object is shown: by its true mask, or by a click on the centre of it."""
    operator: str = 'gt_center'
    fps: float = 6.0
    """Frames per second of the videos."""
    merge_objects: bool = False
    one_question_in: int | None = None
    """Most one question in so many frames, over all objects; None: as the method asks."""
    random_mean: float = 5.0
    """Mean number of corrections of an object, where the method draws them at random."""
    operator_delay: float = 0.0
    """Seconds from a question to its answer."""
    late: str = 'memory'
    """What is done with late answers: one of :data:`~..delayed_operator.LATE`."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Of every file of weights, by its name."""

    def __post_init__(self) -> None:
        """Check what no other place checks."""
        if self.init not in INITS:
            raise ValueError(f'init is {self.init!r}; allowed: {", ".join(INITS)}')
        if self.operator not in OPERATORS:
            raise ValueError(f'operator is {self.operator!r}; allowed: {", ".join(OPERATORS)}')
        if not (isfinite(self.fps) and self.fps > 0):
            raise ValueError(f'fps is {self.fps}; allowed: a number above 0')
        if self.one_question_in is not None and self.one_question_in < 1:
            raise ValueError(
                f'one question in {self.one_question_in} frames; allowed: at least 1 frame'
            )
        self._check_delay()
        if not (isfinite(self.random_mean) and self.random_mean >= 0):
            raise ValueError(f'random mean is {self.random_mean}; allowed: a number from 0')

    def _check_delay(self) -> None:
        if not (isfinite(self.operator_delay) and self.operator_delay >= 0):
            raise ValueError(f'delay is {self.operator_delay}; allowed: seconds from 0')
        if self.operator_delay and (self.method.scheduled or not self.method.asks):
            raise ValueError(
                f'method {self.method.name} asks nobody; allowed with a delay: one that asks'
            )
        if self.operator_delay and self.late == 'next-frame' and self.refiner == ORACLE:
            raise ValueError(
                'an oracle knows no mask for a click of another frame; allowed with late answers '
                'in the next frame: a real refiner'
            )

    @property
    def delay_frames(self) -> int:
        """Frames from a question to its answer; 0: within the frame."""
        return ceil(self.operator_delay * self.fps)

    @property
    def clock_fps(self) -> float:
        """Frames per second by the stamps that the tracker sees.

        The tracker's budget counts questions per minute of its stamps; with `one_question_in`
        that many frames last a minute.
        """
        if self.one_question_in is None:
            return self.fps
        return self.one_question_in / SECONDS_A_MINUTE

    def record(self) -> dict[str, Any]:
        """Return the settings as plain values, for files and for people."""
        values = asdict(self)
        values['lazy'] = values.pop('method')['config']
        values |= {
            'method': self.method.name,
            'random': self.method.random,
            'interval': self.method.interval,
            'sha256': dict(self.sha256),
            'version': __version__,
        }
        values['lazy'] = {
            name: str(value) if value == inf else value for name, value in values['lazy'].items()
        }
        return json.loads(json.dumps(values))  # type: ignore[no-any-return]


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return what differs between two records of settings, one text for each field."""
    texts = []
    for name in sorted(one.keys() | other.keys()):
        before, now = one.get(name), other.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            texts += [f'{name} {text}' for text in differences(before, now)]
        elif before != now:
            texts.append(f'{name}: {before}, now {now}')
    return texts


def seed_of(seed: int, *parts: object) -> int:
    """Return a seed that depends on all parts and on nothing else, the same on all machines."""
    text = json.dumps([seed, *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], 'big')
