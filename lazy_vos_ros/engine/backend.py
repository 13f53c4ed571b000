"""What the lazy layer needs of a tracker, and no more.

A frame is two calls: :meth:`Backend.predict` segments it, the lazy layer looks at the result, then
:meth:`Backend.commit` says what of it enters the memory.
"""

from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from typing import runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

Image = npt.NDArray[np.uint8]
"""(H, W, 3) uint8 RGB."""


class MemoryWrite(Enum):
    """What :meth:`Backend.commit` does with the frame."""

    SCHEDULED = 'scheduled'
    """Memorise it if the tracker's own schedule says so."""
    FORCED = 'forced'
    """Memorise it now and restart the schedule (IDU, a given mask)."""
    BLOCKED = 'blocked'
    """Do not memorise it; the schedule advances."""
    FROZEN = 'frozen'
    """Do not memorise it; the schedule stands still, so a due write happens on the next frame."""


class FrozenFrame(Protocol):
    """One frame as the tracker saw it; all that is needed to memorise it later.

    Only the backend that made it knows what is inside; it holds no reference to the memory.
    """

    @property
    def index(self) -> int:
        """Number of the frame since the last reset, from 0; unique until then."""
        ...

    @property
    def image(self) -> Image:
        """The original image."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps alive, the image included."""
        ...


@dataclass(frozen=True)
class Prediction:
    """The segmentation of one frame, before anything is corrected."""

    probabilities: torch.Tensor
    """(n+1, H, W) float32 at the size of the image, background first; sums to 1 over channels."""
    object_ids: tuple[int, ...]
    """Ids of channels 1..n, ascending."""
    frame: FrozenFrame


@dataclass(frozen=True)
class MemorySize:
    """How much a backend remembers."""

    working: int
    """Elements (cells of memorised frames) in the working memory."""
    long_term: int
    """Prototypes in the long-term memory."""
    capacity: int
    """Most elements that both may ever hold together."""
    nbytes: int
    """Bytes allocated for them."""


class Backend(Protocol):
    """A video object segmentation tracker with an explicit memory.

    Objects are named by positive ids that the caller chooses in ascending order and never uses
    twice. All tensors live on :attr:`device`.
    """

    @property
    def name(self) -> str:
        """Network and weights in words, e.g. ``XMem (XMem-s012.pth)``."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        ...

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of the objects being tracked, ascending."""
        ...

    def predict(self, image: Image) -> Prediction:
        """Segment the next frame; without objects, all of it is background.

        Raises
        ------
        ValueError
            If `image` is not (H, W, 3) uint8.
        RuntimeError
            If the previous prediction was not committed.
        """
        ...

    def add_objects(self, prediction: Prediction, masks: Mapping[int, torch.Tensor]) -> Prediction:
        """Return `prediction` with objects added by their (H, W) bool masks.

        Given pixels win over what was predicted there; the other objects keep their prediction.
        To be called between :meth:`predict` and :meth:`commit`, which is then FORCED.
        """
        ...

    def commit(
        self,
        prediction: Prediction,
        write: MemoryWrite = MemoryWrite.SCHEDULED,
        probabilities: torch.Tensor | None = None,
        *,
        deep_update: bool = False,
        without: Collection[int] = (),
        corrected: Collection[int] = (),
    ) -> bool:
        """Finish the frame; return whether it was memorised.

        Parameters
        ----------
        prediction
            The one that the last :meth:`predict` or :meth:`add_objects` returned.
        write
            What to do with the memory.
        probabilities
            (n+1, H, W) to be memorised in place of the predicted ones (a refined mask).
        deep_update
            Refresh the sensory memory from the memorised value also if the write is FORCED on a
            frame that the schedule would not have memorised.
        without
            Ids of objects whose memory this frame does not feed.
        corrected
            Ids of objects whose masks in `probabilities` a person made, and the refiner is sure
            of; a backend may remember them for longer.
        """
        ...

    def discard(self) -> None:
        """Give up the frame that waits for its commit, if there is one.

        It counts as a frame; the ids of the objects that it was to bring are free again.
        """
        ...

    def memorise(
        self,
        frame: FrozenFrame,
        object_ids: tuple[int, ...],
        probabilities: torch.Tensor,
        corrected: Collection[int] = (),
    ) -> bool:
        """Write an earlier frame into the working memory, with that frame's own key and value.

        What the working memory still holds of the same frame is replaced. Objects removed since
        are ignored; objects added since are not in it. `probabilities` is (n+1, H, W) with the
        channels of `object_ids`; `corrected` as in :meth:`commit`. Returns False if none of the
        objects is tracked any more.
        """
        ...

    def remove_objects(self, object_ids: tuple[int, ...]) -> None:
        """Forget objects and free their memory; KeyError names an unknown id."""
        ...

    def reset(self) -> None:
        """Forget everything but the weights."""
        ...

    def memory_size(self) -> MemorySize:
        """Return how much is remembered now."""
        ...


class Snapshot(Protocol):
    """All that a backend knew at one moment; never changed by what it does later.

    Only the backend that made it knows what is inside.
    """

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps alive at most; they may be shared with the backend."""
        ...


@runtime_checkable
class ReplayableBackend(Backend, Protocol):
    """A backend that can go back to an earlier moment, also between predict and commit."""

    def snapshot(self) -> Snapshot:
        """Return the present state; cheap, because nothing big is copied."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state of this backend; it may be restored any number of times."""
        ...
