"""How the simulated person attends to the tracker while a sequence runs.

One object of this kind a sequence. It takes part in two ways, and a further one (an operator who
answers late, say) is a further class with the same two, and a line in :func:`attend_to`:

* `operator` is given to `LazyTracker` and is asked within the step. It answers at once, or returns
  None: then the question stays open.
* `after_frame` is called after each frame with the tracker and the frame's result. There it may
  call `tracker.answer` for questions of earlier frames whose time has come, or `tracker.correct`.
  What is scored is `tracker.latest`, which both of them refresh for the newest frame.

Delays in seconds are `settings.fps` frames a second; the stamps of the tracker may run by another
clock (`settings.clock_fps`).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lazy_vos_ros.engine.corrector import Operator
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.evaluation.benchmark.cast import Cast
from lazy_vos_ros.evaluation.benchmark.person import Person
from lazy_vos_ros.evaluation.benchmark.settings import Settings
from lazy_vos_ros.evaluation.benchmark.settings import seed_of
from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.delayed_operator import Delayed


class Attendance(Protocol):
    """How the person attends to one sequence."""

    operator: Operator | None
    """Asked within the step; None: questions stay open."""

    def after_frame(self, tracker: LazyTracker, result: FrameResult) -> None:
        """Do what the person does after a frame."""
        ...


class AtOnce:
    """Answers every question in the frame in which it is asked (the paper's protocol)."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.operator: Operator | None = self._answer

    def _answer(self, request: CorrectionRequest) -> Answer:
        return self._person.answer(request.frame_index, request.object_id, request.mask)

    def after_frame(self, tracker: LazyTracker, result: FrameResult) -> None:
        """Do nothing; everything was answered."""


class OnSchedule:
    """Corrects objects in frames that were fixed beforehand, whatever the tracker says."""

    def __init__(self, person: Person, cast: Cast, frames: dict[int, frozenset[int]]) -> None:
        """Take, for each object of the data set, the frames in which it is corrected."""
        self._person = person
        self._cast = cast
        self._frames = frames
        self.operator: Operator | None = None

    def after_frame(self, tracker: LazyTracker, result: FrameResult) -> None:
        """Correct the objects whose turn it is."""
        index = result.frame_index
        for object_id, frames in self._frames.items():
            tracker_id = self._cast.tracker_id(object_id)
            if index not in frames or tracker_id is None or tracker.latest is None:
                continue
            answer = self._person.answer(index, tracker_id, tracker.latest.labels == tracker_id)
            if not isinstance(answer, Skip):
                tracker.correct(tracker_id, answer)


class Nobody:
    """Leaves every question unanswered; there are none where the method asks nobody."""

    operator: Operator | None = None

    def after_frame(self, tracker: LazyTracker, result: FrameResult) -> None:
        """Do nothing."""


def attend_to(
    settings: Settings, truth: GroundTruth, cast: Cast, person: Person, *, name: str, seed: int
) -> Attendance:
    """Return how the person attends to the sequence `name` with this method."""
    if settings.method.scheduled:
        frames = scheduled_frames(settings, truth, name=name, seed=seed)
        return OnSchedule(person, cast, frames)
    if settings.delay_frames:
        return Delayed(person, settings.delay_frames, settings.late)
    return AtOnce(person) if settings.method.asks else Nobody()


def scheduled_frames(
    settings: Settings, truth: GroundTruth, *, name: str, seed: int
) -> dict[int, frozenset[int]]:
    """Return the frames in which each object is corrected, for a random or regular schedule.

    Only frames with ground truth after the object's first one are taken, because nobody could
    answer in others. At random: a Poisson number of them, `random_mean` in the mean, uniform and
    without replacement, from `seed`, the sequence and the object alone. Regular: those
    `interval`, 2 `interval`, ... frames after the first one.
    """
    chosen = {}
    for object_id, first in truth.first.items():
        free = [index for index in truth.annotated if index > first]
        if settings.method.interval is None:
            random = np.random.default_rng(seed_of(seed, name, object_id))
            count = min(int(random.poisson(settings.random_mean)), len(free))
            drawn = random.choice(len(free), count, replace=False) if count else ()
            chosen[object_id] = frozenset(free[place] for place in drawn)
        else:
            step = settings.method.interval
            chosen[object_id] = frozenset(i for i in free if (i - first) % step == 0)
    return chosen
