"""The desk's snapshot as the page gets it: small, ready for JSON, without pictures.

Times are seconds of the desk's clock.
"""

from math import isfinite
from typing import Any

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.nodes.operator_view import Entry
from lazy_vos_ros.nodes.operator_view import Question
from lazy_vos_ros.nodes.operator_view import Snapshot
from lazy_vos_ros.nodes.operator_view import TrackerView

MOST_ENTRIES = 50
"""Lines of the history that are sent."""

Json = dict[str, Any]


def questions_of(snapshot: Snapshot) -> Json:
    """Return the question that is being answered, and those that wait."""
    return {
        'question': _current(snapshot),
        'waiting': [_waiting(item) for item in snapshot.waiting],
    }


def trackers_of(snapshot: Snapshot) -> Json:
    """Return the trackers and their objects."""
    return {'trackers': [_tracker(item) for item in snapshot.trackers]}


def history_of(snapshot: Snapshot) -> Json:
    """Return what was done, newest first."""
    return {
        'history': [_entry(item) for item in reversed(snapshot.history[-MOST_ENTRIES:])],
        'undoable': None if snapshot.undoable is None else snapshot.undoable.number,
    }


def health_of(snapshot: Snapshot) -> Json:
    """Return how all parts of the system are, the worst first."""
    return {
        'health': [
            {'name': line.name, 'level': line.level.name.lower(), 'message': line.message}
            for line in snapshot.health
        ]
    }


def _current(snapshot: Snapshot) -> Json | None:
    question = snapshot.current
    if question is None:
        return None
    clicks = () if isinstance(snapshot.proposal, Absent) else snapshot.proposal
    height, width = question.image.shape[:2]
    return {
        **_waiting(question),
        'object': question.object_id,
        'uncertainty': _rounded(question.uncertainty),
        'expires': _rounded(question.expires),
        'width': width,
        'height': height,
        'clicks': [_click(click) for click in clicks],
        'gone': isinstance(snapshot.proposal, Absent),
        'refined': snapshot.preview is not None,
        'problem': snapshot.problem,
        'confirm_at': None if snapshot.confirm_at is None else _rounded(snapshot.confirm_at),
    }


def _waiting(question: Question) -> Json:
    return {
        'key': question.key,
        'tracker': question.tracker,
        'camera': question.camera,
        'label': question.label,
        'reason': question.reason,
        'asked': _rounded(question.asked),
        'derivative': _rounded(question.derivative),
    }


def _tracker(view: TrackerView) -> Json:
    return {
        'name': view.name,
        'present': view.present,
        'objects': [
            {
                'object': item.object_id,
                'label': item.label,
                'uncertainty': _rounded(item.uncertainty),
                'area': item.area,
                'asking': item.question_open,
            }
            for item in view.objects
        ],
    }


def _entry(entry: Entry) -> Json:
    return {
        'number': entry.number,
        'time': _rounded(entry.time),
        'deed': entry.deed.value,
        'outcome': entry.outcome.value,
        'tracker': entry.tracker,
        'object': entry.object_id,
        'label': entry.label,
        'clicks': len(entry.clicks),
        'message': entry.message,
    }


def _click(click: Click) -> Json:
    row, column = click.pixel
    return {'x': column, 'y': row, 'positive': click.positive}


def _rounded(value: float) -> float | None:
    """Return a number of JSON, which knows neither inf nor nan."""
    return round(value, 3) if isfinite(value) else None
