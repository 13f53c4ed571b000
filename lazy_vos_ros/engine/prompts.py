"""How an object is shown to the tracker for the first time."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.clicks import Click

MAX_OBJECT_ID = 65535
"""Object ids are the pixel values of 16-bit label images."""


@dataclass(frozen=True)
class Prompt:
    """One new object, given by clicks or by a mask.

    Raises
    ------
    ValueError
        If neither or both of clicks and mask are given, if none of the clicks is positive, if
        the mask is empty or not (H, W) bool or uint8, or if the id is not allowed.
    """

    clicks: tuple[Click, ...] = ()
    """At least one positive click, in the order in which they came."""
    mask: npt.NDArray[np.bool_] | npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    """(H, W) bool or uint8, not zero = object, at the size of the image."""
    label: str = ''
    """Name for people; empty: ``object N``."""
    object_id: int | None = None
    """Above every id used since the last reset, or None for the next free one."""

    def __post_init__(self) -> None:
        """Check everything that can be checked without the image."""
        if bool(self.clicks) == (self.mask is not None):
            got = 'both' if self.clicks else 'neither'
            raise ValueError(f'prompt has {got} of clicks and mask; allowed: exactly one of them')
        if self.mask is None:
            self._check_clicks()
        else:
            self._check_mask(self.mask)
        if self.object_id is not None and not 1 <= self.object_id <= MAX_OBJECT_ID:
            raise ValueError(
                f'prompt has object id {self.object_id}; allowed: 1 to {MAX_OBJECT_ID}'
            )

    def check_inside(self, height: int, width: int) -> None:
        """Raise ValueError if a click or the mask does not fit an image of this size."""
        for click in self.clicks:
            click.check_inside(height, width)
        if self.mask is not None and self.mask.shape != (height, width):
            raise ValueError(
                f'prompt has a mask of shape {self.mask.shape}; allowed: that of the image, '
                f'{(height, width)}'
            )

    def _check_clicks(self) -> None:
        if not any(click.positive for click in self.clicks):
            raise ValueError(
                'prompt has only negative clicks; allowed: at least one positive click'
            )

    @staticmethod
    def _check_mask(mask: npt.NDArray[np.bool_] | npt.NDArray[np.uint8]) -> None:
        if mask.ndim != 2 or mask.dtype not in (np.bool_, np.uint8):
            raise ValueError(
                f'prompt has a mask of shape {mask.shape} and type {mask.dtype}; '
                'allowed: (H, W), bool or uint8'
            )
        if not mask.any():
            raise ValueError('prompt has an empty mask; allowed: at least one pixel')


def number_prompts(prompts: Sequence[Prompt], last_id: int) -> dict[int, Prompt]:
    """Return the prompts by object id, giving the next free id to those that have none.

    Parameters
    ----------
    prompts
        At least one.
    last_id
        Highest id used since the last reset, 0 if none.

    Raises
    ------
    ValueError
        If there is no prompt, an id was used before or twice, or no id is left.
    """
    if not prompts:
        raise ValueError('no prompts; allowed: at least one')
    numbered: dict[int, Prompt] = {}
    for prompt in prompts:
        object_id = prompt.object_id or max((last_id, *numbered)) + 1
        if object_id <= last_id or object_id in numbered:
            raise ValueError(
                f'object id {object_id} was used already; allowed: above {last_id}, each once'
            )
        if object_id > MAX_OBJECT_ID:
            raise ValueError(
                f'too many objects: the next id is {object_id}; allowed: up to {MAX_OBJECT_ID}'
            )
        numbered[object_id] = prompt
    return dict(sorted(numbered.items()))
