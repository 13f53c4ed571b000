"""What the lazy layer needs of a refiner."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.clicks import Click


@dataclass(frozen=True)
class RefinedMask:
    """What a refiner makes of the clicks."""

    mask: torch.Tensor
    """(H, W) bool at the size of the image."""
    score: float
    """How good the refiner believes it to be, 0..1; decides overlaps of corrected objects."""


class Refiner(Protocol):
    """One or more clicks on one frame give the mask of one object."""

    @property
    def name(self) -> str:
        """Method and weights in words."""
        ...

    def refine(
        self,
        frame: FrozenFrame,
        clicks: Sequence[Click],
        *,
        object_id: int,
        prior: torch.Tensor | None = None,
    ) -> RefinedMask:
        """Return the mask of the clicked object.

        Parameters
        ----------
        frame
            The frame that was clicked on; an embedding made for it is kept while `frame.index`
            stays the same, so that further clicks cost little.
        clicks
            At least one, inside the image, in the order in which they came.
        object_id
            The object meant; only an oracle looks at it.
        prior
            (H, W) float32 predicted probability of the object, for refiners that use it.

        Raises
        ------
        ValueError
            If there is no click or one lies outside the image.
        """
        ...


def check_clicks(frame: FrozenFrame, clicks: Sequence[Click]) -> None:
    """Raise ValueError if there is no click or one lies outside the frame's image."""
    if not clicks:
        raise ValueError('no clicks; allowed: at least one')
    for click in clicks:
        click.check_inside(*frame.image.shape[:2])
