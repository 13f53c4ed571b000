"""The frames since the oldest open question, from which a replay can start."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.refiners.base import RefinedMask


@dataclass
class RecentFrame:
    """What is needed to track through a frame again."""

    index: int
    image: Image = field(repr=False)
    stamp: float
    """Seconds."""
    given: Mapping[int, RefinedMask] = field(default_factory=dict, repr=False)
    """First masks of objects that appear in it."""
    corrections: dict[int, RefinedMask] = field(default_factory=dict, repr=False)
    """Masks that the operator caused, by object id."""
    gone: set[int] = field(default_factory=set)
    """Ids of objects that the operator said are not in it."""

    @property
    def nbytes(self) -> int:
        """Bytes of the image and the masks."""
        masks = [*self.given.values(), *self.corrections.values()]
        return self.image.nbytes + sum(item.mask.nbytes for item in masks)


class RecentFrames:
    """Keeps successive frames without a gap."""

    def __init__(self) -> None:
        self._frames: dict[int, RecentFrame] = {}

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def nbytes(self) -> int:
        """Bytes of the images and masks that it keeps."""
        return sum(frame.nbytes for frame in self._frames.values())

    def add(self, frame: RecentFrame) -> None:
        """Keep a frame; what is not followed by it without a gap is forgotten."""
        if self._frames and frame.index - 1 not in self._frames:
            self._frames.clear()
        self._frames[frame.index] = frame

    def find(self, index: int) -> RecentFrame | None:
        """Return the frame of this index, if it is kept."""
        return self._frames.get(index)

    def since(self, index: int, newest: int) -> int | None:
        """Return how many frames follow `index` up to `newest`; None if one is not kept."""
        wanted = range(index + 1, newest + 1)
        return len(wanted) if all(item in self._frames for item in wanted) else None

    def forget_up_to(self, index: int) -> None:
        """Forget this frame and all earlier ones."""
        for item in [item for item in self._frames if item <= index]:
            del self._frames[item]

    def clear(self) -> None:
        """Forget all frames."""
        self._frames.clear()
