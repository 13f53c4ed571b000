"""What one row of the table is measured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any

START_UP = 6.0
"""Seconds of a row apart from its frames."""

NANOSECONDS_PER_PIXEL = {'compact': 800.0}
"""Of the step with one object on two cores, roughly."""
OTHERS_PER_PIXEL = 4000.0
EACH_OBJECT_MORE = 0.3
"""Part of the step with one object that each further one adds."""


@dataclass(frozen=True)
class Case:
    """One row: a network at one size, with so many objects, in one arithmetic."""

    weights: str
    """Name of the manifest, path of a file, or ``official-random``."""
    size: int
    """Short side inside the network, pixels."""
    objects: int
    precision: str
    """``fp32``, ``fp16`` or ``bf16``."""
    width: int
    """Of the images that come in."""
    height: int
    device: str
    threads: int
    """Of PyTorch on the CPU."""
    frames: int
    """Measured ones, warm-up apart."""
    seconds: float
    """Fewer frames are measured where they would take longer; 0: however long it takes."""
    sha256: str = ''
    """Of the weights; empty for random ones."""

    @property
    def words(self) -> str:
        """The row for people."""
        objects = f'{self.objects} object{"s" if self.objects > 1 else ""}'
        return f'{self.weights} {self.size} {self.precision}, {objects}'

    @property
    def expected(self) -> float:
        """Seconds that it takes, roughly; only the ratios between rows matter."""
        pixels = self.size * self.size * self.width / self.height
        each = NANOSECONDS_PER_PIXEL.get(self.weights, OTHERS_PER_PIXEL) * 1e-9
        step = each * pixels * (1 + EACH_OBJECT_MORE * (self.objects - 1))
        frames = self.frames * step
        return START_UP + (min(frames, self.seconds) if self.seconds else frames)

    def record(self) -> dict[str, Any]:
        """Return it as it stands in a file."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Case:
        """Return the case of a file; ValueError if it is none."""
        try:
            return cls(**record)
        except TypeError as error:
            raise ValueError(f'{dict(record)!r} is no row of the table: {error}') from None
