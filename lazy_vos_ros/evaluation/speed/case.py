"""What one row of the table is measured with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any


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
