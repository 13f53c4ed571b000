"""Hand-made runs for reports; nothing of them comes from a bag."""

from dataclasses import replace
from math import inf
from math import nan

import numpy as np

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import Timings
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.quality import FrameScore
from lazy_vos_ros.evaluation.quality import ObjectQuality
from lazy_vos_ros.evaluation.quality import Quality
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent
from lazy_vos_ros.evaluation.summary import summarise

SIZE = (32, 20)
"""Width and height of the images."""
BEGIN = 1_700_000_000
STEP = 200_000_000

HOSTILE = '<script>alert("x")</script><img src=http://evil.example/x.png onerror=1>\'$\\frac{'


class Drawn:
    """Images in which object 1 moves to the right; each kind may be left out."""

    def __init__(self, *left_out: str) -> None:
        self.left_out = left_out
        self.asked: list[int] = []

    def image(self, stamp: int):
        self.asked.append(stamp)
        return self._give('image', np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))

    def labels(self, stamp: int):
        labels = np.zeros((SIZE[1], SIZE[0]), np.uint16)
        index = (stamp - BEGIN * 10**9) // STEP % 24
        labels[4:12, index : index + 8] = 1
        return self._give('labels', labels)

    def entropy(self, stamp: int):
        return self._give('entropy', np.full((SIZE[1], SIZE[0]), 0.5, np.float32))

    def _give(self, kind: str, picture):
        return None if kind in self.left_out else picture


def state(object_id: int = 1, label: str = 'cup', **values) -> ObjectState:
    usual = ObjectState(object_id, label, 0.25, 0.125, 64, (0, 4, 8, 8), Action.NONE, False)
    return replace(usual, **values)


def frame(index: int, *states: ObjectState, **values) -> Frame:
    usual = Frame(
        stamp=BEGIN * 10**9 + index * STEP,
        index=index,
        objects=states or (state(),),
        finished=BEGIN + 0.2 * index + 0.05,
        timings=Timings(0.04, 0.005, 0.0, 0.015),
        memorised=index % 5 == 0,
        working_memory=10 * index,
        long_term_memory=index,
        latency=0.06,
    )
    return replace(usual, **values)


def event(kind: EventKind, index: int, later: int = 0, name: str = '', **values) -> TimedEvent:
    """One event about frame `index`, in effect `later` frames after it."""
    usual = TimedEvent(
        kind=kind,
        object_id=1,
        frame_index=index,
        stamp=BEGIN + 0.2 * index,
        applied_stamp=BEGIN + 0.2 * (index + later),
        request_id=name,
        time=BEGIN + 0.2 * (index + later) + 0.03,
        uncertainty=0.75,
        derivative=0.5,
    )
    return replace(usual, **values)


def asked(index: int, later: int = 3, kind: EventKind = EventKind.ANSWERED, **values):
    """A question and what became of it."""
    name = f'q{index}'
    clicks = (Click(6.0, 8.0),) if kind is EventKind.ANSWERED else ()
    closing = event(kind, index, later, name, clicks=clicks, **values)
    return [event(EventKind.ASKED, index, name=name), closing]


def run_of(frames, events, **values) -> Run:
    usual = Run('bags/monday', tuple(frames), tuple(events), sent=30, pictures=Drawn())
    return replace(usual, **values)


def evaluated(run: Run, name: str = 'monday', **values) -> EvaluatedRun:
    return EvaluatedRun(name, run, LazyConfig(), summarise(run), **values)


def usual(name: str = 'monday', **values) -> EvaluatedRun:
    """20 frames; asked in frame 4, answered in frame 7; absent in frames 10 to 12."""
    frames = [frame(i, state(area=0, box=None) if 10 <= i <= 12 else state()) for i in range(20)]
    events = [
        event(EventKind.ADDED, 0, clicks=(Click(5.0, 4.0),)),
        *asked(4),
        event(EventKind.PSEUDO, 4),
    ]
    settings = {'weights': 'tiny (random)', 'refiner': 'none', 'tau_u': '0.5', 'faults': '0'}
    return evaluated(run_of(frames, events, settings=settings, **values), name)


def with_truth(run: EvaluatedRun) -> EvaluatedRun:
    """Know the true mask of every third frame."""
    scores = tuple(
        FrameScore(item.stamp, 0.6, 0.5, True) for item in run.run.frames if item.index % 3 == 0
    )
    quality = Quality('masks/', (ObjectQuality(1, 1, 'cup', scores, True),), len(scores))
    return replace(run, quality=quality)


def broken_values() -> EvaluatedRun:
    """A run whose numbers are not finite, as a damaged or hostile bag may have them."""
    states = [state(uncertainty=nan, derivative=inf), state(derivative=-inf), state()]
    frames = [frame(i, states[i % 3], working_memory=0) for i in range(9)]
    events = [replace(item, uncertainty=nan, derivative=nan) for item in asked(3)]
    return evaluated(run_of(frames, events))
