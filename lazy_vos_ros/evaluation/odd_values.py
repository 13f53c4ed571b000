"""Say what is odd in the figures of a run before anything is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.runs import Frame


def odd_values(frames: Sequence[Frame]) -> list[str]:
    """Return notes on values that are not finite and on objects without any pixel.

    Values that are not finite stay in the frames, and no figure is made of them.
    """
    notes = []
    states = [state for frame in frames for state in frame.objects]
    for name in ('uncertainty', 'derivative'):
        count = sum(not isfinite(getattr(state, name)) for state in states)
        if count:
            notes.append(f'{name} is not finite {counted(count, "time")}: left out')
    timed = sum(not isfinite(frame.timings.total) for frame in frames)
    entropies = sum(not isfinite(frame.mean_entropy) for frame in frames)
    late = sum(frame.latency is not None and not isfinite(frame.latency) for frame in frames)
    for name, count in (('time step', timed), ('mean entropy', entropies), ('latency', late)):
        if count:
            notes.append(f'{name} is not finite in {counted(count, "frame")}: left out')
    for object_id in sorted({state.object_id for state in states}):
        own = [state for state in states if state.object_id == object_id]
        if not any(state.area for state in own):
            notes.append(f'object {object_id} ({own[0].label}) has no pixel in any frame')
    return notes
