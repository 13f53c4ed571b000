"""What a bag tells of an operator who served several robots: questions, answers, effects."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader

from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.message_types import lazy_vos_typestore

TOLD = ('ASKED', 'ANSWERED', 'SKIPPED', 'ABSENT', 'EXPIRED', 'REFUSED', 'LOST', 'RECOVERED')
LATER = 5
"""Frames after an answer at which its effect is looked at."""


@dataclass(frozen=True)
class Line:
    """One thing that happened."""

    seconds: float
    """Since the start of the bag."""
    who: str
    what: str


def print_report(bag: Path) -> None:
    """Print what happened in order, then a line of numbers for each robot."""
    topics: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    with AnyReader([bag], default_typestore=lazy_vos_typestore()) as reader:
        start = reader.start_time
        for connection, time, data in reader.messages():
            if connection.msgtype != 'sensor_msgs/msg/Image':
                message = reader.deserialize(data, connection.msgtype)
                topics[connection.topic].append((time, message))
    robots = sorted(t.rpartition('/')[0] for t in topics if t.endswith('/tracking_state'))
    lines = [*_shown(topics, start), *_clicked(topics, start)]
    for robot in robots:
        lines += _events(robot, topics, start)
    for line in sorted(lines, key=lambda item: item.seconds):
        print(f'{line.seconds:7.2f} s  {line.who:18}  {line.what}')
    for robot in robots:
        print(_summary(robot, topics))


def _shown(topics: dict[str, list[tuple[int, Any]]], start: int) -> Iterator[Line]:
    """Yield when another question, or none, came onto the canvas."""
    before = ''
    for time, message in topics.get('/lazy_vos_operator/canvas_words', ()):
        first = message.markers[0].text.split('\n')[0].split('  (+')[0]
        if first != before:
            before = first
            yield Line((time - start) * 1e-9, 'canvas', first)


def _clicked(topics: dict[str, list[tuple[int, Any]]], start: int) -> Iterator[Line]:
    for name in ('here', 'not_here'):
        for time, message in topics.get(f'/lazy_vos_operator/{name}', ()):
            place = f'({message.point.x:+.2f}, {message.point.y:+.2f}) m of the canvas'
            yield Line((time - start) * 1e-9, 'person', f'clicks "{name}" at {place}')


def _events(robot: str, topics: dict[str, list[tuple[int, Any]]], start: int) -> Iterator[Line]:
    for time, event in topics[f'{robot}/correction_event']:
        kind = list(EventKind)[event.kind].name
        if kind in TOLD:
            words = _words(kind, event, [state for _, state in topics[f'{robot}/tracking_state']])
            yield Line((time - start) * 1e-9, robot, words)


def _words(kind: str, event: Any, states: list[Any]) -> str:
    """Return what an event tells, and what came of it."""
    words = f'{kind} (image {event.frame_index})'
    if kind == 'ASKED':
        return f'{words}: S_R {event.uncertainty:.2f}, dS {event.derivative:+.2f}; {event.reason}'
    if kind in ('ANSWERED', 'ABSENT'):
        late = (_seconds(event.applied_stamp) - _seconds(event.header.stamp)) * 1.0
        clicks = ', '.join(f'({c.x:.0f}, {c.y:.0f}) {c.positive}' for c in event.clicks)
        applied = _seconds(event.applied_stamp)
        before = [s for s in states if _seconds(s.header.stamp) <= applied][-1:]
        after = [s for s in states if _seconds(s.header.stamp) > applied][LATER - 1 : LATER]
        words += f' {clicks}: {late:.1f} s late; {_object(before, event)} -> '
        return words + f'{_object(after, event)} {LATER} images later'
    return f'{words}: {event.reason}' if event.reason else words


def _object(states: list[Any], event: Any) -> str:
    for state in states:
        for item in state.objects:
            if item.id == event.object_id:
                return f'S_R {item.uncertainty:.2f}, {item.area} px{" absent" * item.absent}'
    return 'the end of the run'


def _seconds(stamp: Any) -> float:
    return float(stamp.sec + stamp.nanosec * 1e-9)


def _summary(robot: str, topics: dict[str, list[tuple[int, Any]]]) -> str:
    kinds = [list(EventKind)[event.kind] for _, event in topics[f'{robot}/correction_event']]
    counts = {kind.value: kinds.count(kind) for kind in EventKind if kind in kinds}
    told = ', '.join(f'{name} {count}' for name, count in counts.items())
    return f'{robot}: {len(topics[f"{robot}/tracking_state"])} images; {told}'
