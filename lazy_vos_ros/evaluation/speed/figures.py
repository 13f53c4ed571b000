"""What is measured of one case, and how it is summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import numpy as np

BLOCKS = 50
"""Most points of the course over the length of the video."""


@dataclass(frozen=True)
class FrameTime:
    """One frame as it was measured; seconds."""

    predict: float
    lazy: float
    commit: float
    refine: float
    cpu: float
    """Of all threads of the process: does not count what other programs took."""
    memorised: bool
    resident: float
    """MiB after the frame."""

    @property
    def total(self) -> float:
        """The whole step."""
        return self.predict + self.lazy + self.commit + self.refine


@dataclass(frozen=True)
class Figures:
    """One row of the table, times in milliseconds and memory in MiB."""

    backend: str
    refiner: str
    frames: int
    plain_ms: dict[str, float]
    """p50 and p95 of frames that are not memorised."""
    memory_ms: dict[str, float]
    """The same of frames that are."""
    fps: float
    """By the mean of all frames."""
    cpu_ms: float
    """Mean CPU time of a frame over all threads."""
    parts_ms: dict[str, float]
    """Means of predict, lazy and commit."""
    lazy_share: float
    """Of the lazy layer in the time of all frames."""
    pseudo_ms: float | None
    """What a pseudo-correction adds to a frame; None if there was no mask to correct."""
    user_ms: float | None
    """What an operator's correction costs: refiner and memory."""
    warm_up_s: float
    """Loading, the first frame and the warm-up."""
    resident_mib: dict[int, float]
    """After a tenth of the frames, and after all."""
    peak_mib: float
    device_peak_mib: float
    memory_elements: int
    memory_mib: float
    """Allocated for the tracker's memory."""
    floor: dict[str, float]
    """A plain frame's floating-point operations (GFLOP), bytes that must be moved at least (MB)
    and those that all its operations move (MB), the machine's rates (GFLOP/s, GB/s), and the
    milliseconds that follow."""
    course: list[dict[str, float]] = field(default_factory=list)
    """Medians over blocks of frames: last frame of the block, ms, CPU ms, MiB."""

    def record(self) -> dict[str, Any]:
        """Return it as it stands in a file."""
        return asdict(self)

    def share(self, milliseconds: float | None) -> float | None:
        """Return the part of a plain frame so lengthened that these milliseconds are."""
        if milliseconds is None:
            return None
        whole = milliseconds + self.plain_ms['p50']
        return milliseconds / whole if whole else 0.0


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50 and p95 in milliseconds; empty without values."""
    if not seconds:
        return {}
    p50, p95 = np.percentile(seconds, (50, 95))
    return {'p50': round(1e3 * float(p50), 3), 'p95': round(1e3 * float(p95), 3)}


def mean_ms(seconds: Sequence[float]) -> float:
    """Return the mean in milliseconds; 0 without values."""
    return round(1e3 * float(np.mean(seconds)), 3) if seconds else 0.0


def course(times: Sequence[FrameTime]) -> list[dict[str, float]]:
    """Return medians over at most BLOCKS blocks of equal length."""
    length = max(1, -(-len(times) // BLOCKS))
    points = []
    for begin in range(0, len(times), length):
        block = times[begin : begin + length]
        points.append(
            {
                'frame': begin + len(block),
                'ms': round(1e3 * float(np.median([item.total for item in block])), 3),
                'cpu_ms': round(1e3 * float(np.median([item.cpu for item in block])), 3),
                'mib': round(float(np.median([item.resident for item in block])), 2),
            }
        )
    return points
