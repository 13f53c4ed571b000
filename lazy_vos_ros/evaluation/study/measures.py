"""The measures of uncertainty of one object in one frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.entropy import entropy_map
from lazy_vos_ros.engine.labels import most_probable
from lazy_vos_ros.engine.uncertainty import FrameMaps
from lazy_vos_ros.engine.uncertainty import object_uncertainty
from lazy_vos_ros.evaluation.study.committee import Votes
from lazy_vos_ros.evaluation.study.epistemic import EPISTEMIC

DILATIONS = (LazyConfig().dilation_ratio, 0.1, 0.2, 0.5, 1.0)
"""Growth of a round mask's area by the dilation; it always grows by a rim of one pixel."""


@dataclass(frozen=True)
class Measure:
    """One way to say how unsure a committee is of an object."""

    name: str
    """`S` entropy or `V` epistemic uncertainty over the frame; `S_R`, `V_R` near the mask."""
    dilation: float | None = None
    """Of the masked ones: growth of the mask's area, 0..1."""

    @property
    def label(self) -> str:
        """Unique, for columns of tables, e.g. `S` or `S_R@0.05`."""
        return self.name if self.dilation is None else f'{self.name}@{self.dilation:g}'


def measures_of(members: int, dilations: Sequence[float]) -> tuple[Measure, ...]:
    """Return what a committee of so many members can tell; one alone has no V.

    Raises
    ------
    ValueError
        If there is no dilation, or one is not in [0, 1] or is named twice.
    """
    allowed = all(0 <= dilation <= 1 for dilation in dilations)
    if not dilations or not allowed or len(set(dilations)) < len(dilations):
        raise ValueError(
            f'dilations are {list(dilations)}; allowed: one or more different numbers, 0 to 1'
        )
    names = ('S', 'V') if members > 1 else ('S',)
    return tuple(
        Measure(name if dilation is None else f'{name}_R', dilation)
        for name in names
        for dilation in (None, *dilations)
    )


class FrameMeasures:
    """Takes the measures of one frame from the votes on it."""

    def __init__(self, votes: Votes, epistemic: str) -> None:
        """Compute the maps over the frame; `epistemic` is a key of :data:`EPISTEMIC`."""
        mean = votes.members.mean(0)
        self._channels = most_probable(mean).cpu().numpy()
        self._ids = votes.object_ids
        self._maps = {'S': self._as_map(entropy_map(mean))}
        if len(votes.members) > 1:
            self._maps['V'] = self._as_map(EPISTEMIC[epistemic](votes.members))

    def mask(self, object_id: int) -> npt.NDArray[np.bool_]:
        """Return (H, W) where the object is the most probable in the members' mean."""
        return np.asarray(self._channels == self._channel(object_id))

    def value(self, measure: Measure, object_id: int) -> float:
        """Return one measure of one object; a masked one is 0 if its mask is empty."""
        maps = self._maps[measure.name[0]]
        if measure.dilation is None:
            return float(maps.entropy.mean(dtype=np.float64))
        return object_uncertainty(maps, self._channel(object_id), _settings(measure.dilation))

    def _channel(self, object_id: int) -> int:
        return 1 + self._ids.index(object_id)

    def _as_map(self, values: torch.Tensor) -> FrameMaps:
        """Return a map in the shape in which S_R is taken from the entropy."""
        return FrameMaps(values.cpu().numpy(), self._channels)


@cache
def _settings(dilation: float) -> LazyConfig:
    """Return the settings of the lazy layer with this dilation."""
    return replace(LazyConfig(), dilation_ratio=dilation)
