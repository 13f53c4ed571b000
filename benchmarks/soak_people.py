"""Who adds, answers and removes in a long run: one actor is kept, the others come and go."""

from collections import Counter
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from lazy_vos_ros.engine.backend import FrozenFrame
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.tracker import LazyTracker

Mask = npt.NDArray[np.bool_]

SMALLEST = 20
"""Pixels of an actor that a person would click on."""


def click_on(mask: Mask) -> Click | None:
    """Return a click on the pixel of the mask next to its centre; None if too little is seen."""
    rows, columns = np.nonzero(mask)
    if len(rows) < SMALLEST:
        return None
    nearest = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    return Click(float(columns[nearest]), float(rows[nearest]))


class HelpedRefiner:
    """A refiner for a scene that no network has learnt: a disc where `refiner` finds nothing."""

    name = 'helped'

    def __init__(self, refiner: Refiner, radius: float) -> None:
        self._refiner = refiner
        self._radius = radius

    def refine(
        self,
        frame: FrozenFrame,
        clicks: Sequence[Click],
        *,
        object_id: int,
        prior: torch.Tensor | None = None,
    ) -> RefinedMask:
        """Return the mask of `refiner`, or a disc around the first click."""
        refined = self._refiner.refine(frame, clicks, object_id=object_id, prior=prior)
        if refined.mask.any():
            return refined
        height, width = refined.mask.shape
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
        far = (rows - clicks[0].y) ** 2 + (columns - clicks[0].x) ** 2
        return RefinedMask(far <= self._radius**2, refined.score)


class Director:
    """Starts and ends the tracking of actors by masks and clicks; the first one stays.

    Parameters
    ----------
    actors
        How many there are.
    seed
        Of the random spans for which one is tracked or left alone.
    """

    def __init__(self, actors: int, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._until = [0] * actors
        self.tracked: dict[int, int] = {}
        """Object id to actor."""
        self.counts: Counter[str] = Counter()

    def direct(
        self, tracker: LazyTracker, index: int, masks: Sequence[Mask]
    ) -> list[tuple[int, Prompt]]:
        """Remove who has to go; return the actors and prompts that appear in this frame."""
        actors_on = {actor: item for item, actor in self.tracked.items()}
        arrivals = []
        for actor, mask in enumerate(masks):
            if index < self._until[actor]:
                continue
            if actor in actors_on and actor > 0:
                tracker.remove_object(actors_on[actor])
                del self.tracked[actors_on[actor]]
                self.counts['removed'] += 1
                self._until[actor] = index + int(self._random.integers(20, 200))
            elif actor not in actors_on and (click := click_on(mask)) is not None:
                by_click = self._random.random() < 1 / 3
                prompt = Prompt(clicks=(click,)) if by_click else Prompt(mask=mask)
                arrivals.append((actor, prompt))
                self._until[actor] = index + int(self._random.integers(100, 600))
        return arrivals

    def note_added(self, object_ids: Sequence[int], actors: Sequence[int]) -> None:
        """Take down the ids that the tracker gave."""
        self.tracked.update(zip(object_ids, actors, strict=True))
        self.counts['added'] += len(object_ids)


@dataclass(frozen=True)
class _Errand:
    due: int
    request_id: str
    answer: Answer


class Person:
    """Answers three of five questions some frames later, skips one, leaves one to expire."""

    def __init__(self) -> None:
        self._errands: deque[_Errand] = deque()
        self.counts: Counter[str] = Counter()

    def hear(self, request: CorrectionRequest, mask: Mask, index: int) -> None:
        """Decide what will be said to a question about an actor with this true mask."""
        self.counts['asked'] += 1
        turn = self.counts['asked'] % 5
        if turn == 4:
            return
        seen = click_on(mask)
        said: Answer = Skip() if turn == 3 else seen or Absent()
        self._errands.append(_Errand(index + 5 + 10 * turn, request.request_id, said))

    def speak(self, tracker: LazyTracker, index: int) -> None:
        """Give the answers that are due; those to questions that were closed are dropped."""
        waiting = {request.request_id for request in tracker.open_requests}
        for errand in [item for item in self._errands if item.due <= index]:
            self._errands.remove(errand)
            if errand.request_id not in waiting:
                self.counts['too late'] += 1
                continue
            self.counts[tracker.answer(errand.request_id, errand.answer).kind.value] += 1
