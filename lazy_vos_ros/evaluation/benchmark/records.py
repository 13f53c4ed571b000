"""What one tracked sequence leaves behind, as values that any process can send and any file hold.

Figures are not in it: they follow from it by the choice of frames, see `figures.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from typing import Any


@dataclass(frozen=True)
class ObjectRecord:
    """One object of one sequence."""

    object_id: int
    """In the data set."""
    first: int
    """Index of the first frame annotated with it; its life begins there."""
    frames: int
    """Length of its life: to the end of the video."""
    scored: tuple[int, ...]
    """Annotated frames of its life, counted from its first one."""
    present: tuple[bool, ...]
    """For each of them whether the object is in the ground truth."""
    j: tuple[float, ...]
    """For each of them the Jaccard index."""
    f: tuple[float, ...]
    """For each of them the boundary F-measure."""
    corrections: tuple[int, ...]
    """Frames of its life that the person corrected, ascending."""
    events: Mapping[str, int] = field(default_factory=dict)
    """How often each kind of event happened, by its name."""


@dataclass(frozen=True)
class SequenceRecord:
    """One sequence, tracked once."""

    name: str
    seed: int
    frames: int
    seconds: float
    """Time of all steps, the person's and the scoring left out."""
    backend: str
    refiner: str
    device: str
    settings: Mapping[str, Any]
    """Of :meth:`~lazy_vos_ros.evaluation.benchmark.settings.Settings.record`."""
    objects: tuple[ObjectRecord, ...]
    """Ascending by id."""
    notes: tuple[str, ...] = ()
    """What was unusual, for people."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SequenceRecord:
        """Return the record that :meth:`to_json` made plain.

        Raises
        ------
        ValueError
            If it is not one.
        """
        try:
            objects = tuple(
                ObjectRecord(**{name: _frozen(value) for name, value in item.items()})
                for item in content['objects']
            )
            values = {name: _frozen(value) for name, value in content.items()}
            return cls(**{**values, 'objects': objects})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f'this is no record of a sequence: {error}') from None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
