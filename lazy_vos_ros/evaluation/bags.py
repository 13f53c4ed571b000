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
from lazy_vos_ros.evaluation.bag_diagnostics import read_diagnostics
from lazy_vos_ros.evaluation.bag_file import BagFile
from lazy_vos_ros.evaluation.bag_parts import METADATA
from lazy_vos_ros.evaluation.bag_pictures import BagPictures
from lazy_vos_ros.evaluation.bag_pictures import nanoseconds
from lazy_vos_ros.evaluation.bag_pictures import stamps_of
from lazy_vos_ros.evaluation.clip_times import read_clip_times
from lazy_vos_ros.evaluation.counts import counted
from lazy_vos_ros.evaluation.odd_values import odd_values
from lazy_vos_ros.evaluation.runs import Frame
from lazy_vos_ros.evaluation.runs import Run
from lazy_vos_ros.evaluation.runs import TimedEvent

STATE = 'lazy_vos_msgs/msg/TrackingState'
EVENT = 'lazy_vos_msgs/msg/CorrectionEvent'
IMAGES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
COLOURS = ('rgb8', 'bgr8', 'rgba8', 'bgra8', '8UC3')


def read_run(path: Path, *, tracker: str | None = None, truth_topic: str = '') -> Run:
    """Read what one tracker did; pictures are read later, when they are asked for.

    A tracker is known by its topic of TrackingState. Its mask, entropy and events are beside that
    topic; its images are those whose stamps it processed. Frames are put in the order of their
    stamps; of several results for one image the last counts.

    Parameters
    ----------
    path
        Folder of the bag, or one file of its storage.
    tracker
        Name of the node, such as `/robot/lazy_vos`; needed if the bag has several.
    truth_topic
        A topic of label images that are not the camera's.

    Raises
    ------
    ValueError
        If it is no bag, has no message that can be read, or has not exactly one (such) tracker.
    """
    with BagFile(path) as bag:
        node = _node(bag, tracker)
        frames, frame_notes = _read_frames(bag, f'{node}/tracking_state')
        events, event_notes = _read_events(bag, f'{node}/correction_event')
        settings, diagnoses = read_diagnostics(bag, node)
        kinds = [topic for kind in IMAGES for topic in bag.topics_of(kind)]
        stamps = stamps_of(bag, kinds)
        cameras = [topic for topic in kinds if topic not in (truth_topic, *_outputs(node, kinds))]
        images = _source(bag, cameras, stamps, frames)
        clip_times = read_clip_times(bag, {frame.stamp for frame in frames})
        notes = [*bag.faults, *_missing(bag, node, images), *frame_notes, *event_notes]
    pictures = BagPictures(
        Path(path),
        _index(images, stamps),
        _index(f'{node}/mask', stamps),
        _index(f'{node}/entropy', stamps),
        _index(f'{node}/repaired_mask', stamps),
    )
    return Run(
        name=str(path),
        frames=frames,
        events=events,
        sent=None if images is None else len(stamps[images]),
        pictures=pictures,
        settings=settings,
        notes=tuple(notes),
        published=() if images is None else tuple(sorted(stamps[images])),
        clip_times=clip_times,
        diagnoses=diagnoses,
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


def _read_frames(bag: BagFile, topic: str) -> tuple[tuple[Frame, ...], list[str]]:
    """Return the frames, ascending by stamp, and what was odd about them."""
    frames: dict[int, Frame] = {}
    again = backwards = 0
    newest = -1
    for _, time, message in bag.messages(topic):
        try:
            frame = _frame(message, time)
        except (AttributeError, StopIteration) as error:
            raise ValueError(
                f'{bag.path} defines {STATE} otherwise than this package: {error}; allowed: bags '
                'of this version'
            ) from None
        again += frame.stamp in frames
        backwards += frame.stamp < newest
        newest = max(newest, frame.stamp)
        frames[frame.stamp] = frame
    notes = []
    if again:
        notes.append(f'{counted(again, "image")} with a second result: the last one counts')
    if backwards:
        notes.append(f'{counted(backwards, "result")} out of order: sorted by their stamps')
    ordered = tuple(frames[stamp] for stamp in sorted(frames))
    return ordered, notes + odd_values(ordered)


def _frame(message: Any, time: int) -> Frame:
    return Frame(
        stamp=nanoseconds(message.header.stamp),
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
        action=next(
            a for a in Action if getattr(message, f'ACTION_{a.name}', None) == message.action
        ),
        question_open=bool(message.question_open),
        absent=bool(getattr(message, 'absent', False)),  # earlier versions lack it
    )


def _read_events(bag: BagFile, topic: str) -> tuple[tuple[TimedEvent, ...], list[str]]:
    """Return the events in the order of recording, and what was odd about them."""
    events = []
    unknown = 0
    for _, _, message in bag.messages(topic):
        kind = _kind_of(message)
        if kind is None:
            unknown += 1
        else:
            events.append(_event(message, kind))
    return tuple(events), [f'{counted(unknown, "event")} of an unknown kind'] if unknown else []


def _kind_of(message: Any) -> EventKind | None:
    """Return the kind of an event, by the constants of the bag's own type."""
    return next((k for k in EventKind if getattr(message, k.name, None) == message.kind), None)


def _event(message: Any, kind: EventKind) -> TimedEvent:
    return TimedEvent(
        kind=kind,
        object_id=message.object_id,
        frame_index=message.frame_index,
        stamp=nanoseconds(message.header.stamp) * 1e-9,
        applied_stamp=nanoseconds(message.applied_stamp) * 1e-9,
        request_id=message.request_id,
        clicks=tuple(Click(item.x, item.y, bool(item.positive)) for item in message.clicks),
        uncertainty=message.uncertainty,
        derivative=message.derivative,
        reason=message.reason,
        time=nanoseconds(message.time) * 1e-9,
    )


def _outputs(node: str, topics: Iterable[str]) -> list[str]:
    return [topic for topic in topics if topic.startswith(f'{node}/')]


def _source(
    bag: BagFile,
    cameras: Iterable[str],
    stamps: dict[str, dict[int, int]],
    frames: Iterable[Frame],
) -> str | None:
    """Return the topic of the images that the tracker saw; None if it was not recorded.

    Where several have as many of the stamps, such as a camera and its true masks, colours decide.
    """
    processed = {frame.stamp for frame in frames}
    shared = {topic: len(processed & stamps[topic].keys()) for topic in cameras}
    most = max(shared.values(), default=0)
    best = [topic for topic in shared if most and shared[topic] == most]
    if len(best) > 1:
        best = [topic for topic in best if _has_colours(bag, topic)] or best
    return best[0] if best else None


def _has_colours(bag: BagFile, topic: str) -> bool:
    first = next(bag.messages(topic), None)
    return first is not None and getattr(first[2], 'encoding', 'rgb8') in COLOURS


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
    lost = bag.missing()
    if lost:
        counts = ', '.join(f'{count} of {topic}' for topic, count in lost.items())
        notes.append(f'messages are missing that {METADATA} promises: {counts}')
    return notes
