"""Read a run from a bag, made by `lazy_vos_recorder` or by `ros2 bag record`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import Timings
from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.evaluation.bag_pictures import BagPictures
from lazy_vos_ros.evaluation.bag_pictures import stamps_of
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent

STATE = 'lazy_vos_msgs/msg/TrackingState'
EVENT = 'lazy_vos_msgs/msg/CorrectionEvent'
DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'
IMAGES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')


def read_run(path: Path, *, tracker: str | None = None) -> Run:
    """Read what one tracker did; pictures are read later, when they are asked for.

    A tracker is known by its topic of TrackingState. Its mask, entropy and events are beside that
    topic; its images are those whose stamps it processed. Of several results for one image the
    last counts.

    Parameters
    ----------
    path
        Folder of the bag, or one file of its storage.
    tracker
        Name of the node, such as `/robot/lazy_vos`; needed if the bag has several.

    Raises
    ------
    ValueError
        If it is no bag, is cut off or damaged, or has not exactly one (such) tracker.
    """
    with BagFile(path) as bag:
        node = _node(bag, tracker)
        frames = _read_frames(bag, f'{node}/tracking_state')
        events = _read_events(bag, f'{node}/correction_event')
        settings = _read_settings(bag, node)
        kinds = [topic for kind in IMAGES for topic in bag.topics_of(kind)]
        stamps = stamps_of(bag, kinds)
        images = _source(node, stamps, frames)
        notes = [*bag.faults, *_missing(bag, node, images)]
    pictures = BagPictures(
        Path(path),
        _index(images, stamps),
        _index(f'{node}/mask', stamps),
        _index(f'{node}/entropy', stamps),
    )
    return Run(
        name=str(path),
        frames=frames,
        events=events,
        sent=None if images is None else len(stamps[images]),
        pictures=pictures,
        settings=settings,
        notes=tuple(notes),
    )


def _node(bag: BagFile, tracker: str | None) -> str:
    nodes = [topic.rsplit('/', 1)[0] for topic in bag.topics_of(STATE)]
    wanted = nodes if tracker is None else [node for node in nodes if node == tracker]
    if len(wanted) != 1:
        found = ', '.join(nodes) if nodes else f'none; its topics: {", ".join(bag.topics)}'
        raise ValueError(
            f'{bag.path} has the trackers {found}; allowed: one topic of {STATE}, or the name of '
            'one of several trackers'
        )
    return wanted[0]


def _read_frames(bag: BagFile, topic: str) -> tuple[Frame, ...]:
    frames: dict[int, Frame] = {}
    for _, time, message in bag.messages(topic):
        frame = _frame(message, time)
        frames[frame.stamp] = frame
    return tuple(frames.values())


def _frame(message: Any, time: int) -> Frame:
    return Frame(
        stamp=_nanoseconds(message.header.stamp),
        index=message.frame_index,
        objects=tuple(_state(item) for item in message.objects),
        finished=time * 1e-9,
        timings=Timings(
            predict=message.predict_ms * 1e-3,
            lazy=message.lazy_ms * 1e-3,
            refine=message.refine_ms * 1e-3,
            commit=message.commit_ms * 1e-3,
        ),
        mean_entropy=message.mean_entropy,
        memorised=bool(message.memorised),
        working_memory=message.working_memory,
        long_term_memory=message.long_term_memory,
        dropped=message.dropped,
        latency=message.latency_ms * 1e-3 or None,
    )


def _state(message: Any) -> ObjectState:
    box = message.box
    return ObjectState(
        object_id=message.id,
        label=message.label,
        uncertainty=message.uncertainty,
        derivative=message.derivative,
        area=message.area,
        box=(box.x_offset, box.y_offset, box.width, box.height) if message.area else None,
        action=next(a for a in Action if getattr(message, f'ACTION_{a.name}') == message.action),
        question_open=bool(message.question_open),
    )


def _read_events(bag: BagFile, topic: str) -> tuple[TimedEvent, ...]:
    return tuple(_event(message) for _, _, message in bag.messages(topic))


def _event(message: Any) -> TimedEvent:
    return TimedEvent(
        kind=next(kind for kind in EventKind if getattr(message, kind.name) == message.kind),
        object_id=message.object_id,
        frame_index=message.frame_index,
        stamp=_nanoseconds(message.header.stamp) * 1e-9,
        applied_stamp=_nanoseconds(message.applied_stamp) * 1e-9,
        request_id=message.request_id,
        clicks=tuple(Click(item.x, item.y, bool(item.positive)) for item in message.clicks),
        uncertainty=message.uncertainty,
        derivative=message.derivative,
        reason=message.reason,
        time=_nanoseconds(message.time) * 1e-9,
    )


def _read_settings(bag: BagFile, node: str) -> dict[str, str]:
    """Return the last thing that the tracker said of itself in the diagnostics."""
    settings: dict[str, str] = {}
    for _, _, message in bag.messages(*bag.topics_of(DIAGNOSTICS)):
        for status in message.status:
            if status.name == f'{node.lstrip("/")}: tracker':
                settings = {item.key: item.value for item in status.values}
    return settings


def _source(node: str, stamps: dict[str, dict[int, int]], frames: Iterable[Frame]) -> str | None:
    """Return the topic of the images that the tracker saw; None if it was not recorded."""
    processed = {frame.stamp for frame in frames}
    shared = {
        topic: len(processed & times.keys())
        for topic, times in stamps.items()
        if not topic.startswith(f'{node}/')
    }
    best = max(shared, key=lambda topic: shared[topic], default=None)
    return best if best is not None and shared[best] else None


def _index(
    topic: str | None, stamps: dict[str, dict[int, int]]
) -> tuple[str, dict[int, int]] | None:
    return (topic, stamps[topic]) if topic in stamps else None


def _missing(bag: BagFile, node: str, images: str | None) -> list[str]:
    wanted = {
        f'{node}/correction_event': 'questions, answers and corrections are unknown',
        f'{node}/mask': 'there are no masks',
        f'{node}/entropy': 'there is no entropy',
    }
    notes = [
        f'{topic} was not recorded: {s}' for topic, s in wanted.items() if topic not in bag.topics
    ]
    if images is None:
        notes.append("the camera's images were not recorded")
    return notes


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
