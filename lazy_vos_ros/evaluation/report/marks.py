"""How each kind of event is drawn: its lane, its shape, its class in the style sheet."""

from __future__ import annotations

from dataclasses import dataclass

from lazy_vos_ros.engine.results import EventKind

LANES = ('operator', 'tracker', 'memory')
"""Rows below the curves, from above."""


@dataclass(frozen=True)
class Mark:
    """How one kind of event is drawn."""

    lane: str
    shape: str
    """One of svg.SHAPES; differs from the others of its lane."""
    look: str
    """A class of the style sheet."""


MARKS = {
    'ADDED': Mark('operator', 'diamond', 'plain'),
    'REMOVED': Mark('operator', 'minus', 'plain'),
    'ASKED': Mark('operator', 'circle', 'ask'),
    'ANSWERED': Mark('operator', 'triangle', 'answer'),
    'ABSENT': Mark('operator', 'square', 'answer'),
    'CORRECTED': Mark('operator', 'star', 'answer'),
    'SKIPPED': Mark('operator', 'plus', 'quiet'),
    'EXPIRED': Mark('operator', 'cross', 'quiet'),
    'REFUSED': Mark('operator', 'wedge', 'quiet'),
    'PSEUDO': Mark('tracker', 'thin', 'own'),
    'SUPPRESSED': Mark('tracker', 'cross', 'spared'),
    'LOST': Mark('tracker', 'wedge', 'plain'),
    'RECOVERED': Mark('tracker', 'triangle', 'plain'),
    'REPLAYED': Mark('tracker', 'arrow', 'answer'),
    'REPLAY_DROPPED': Mark('tracker', 'minus', 'quiet'),
    'UNDONE': Mark('operator', 'arrow', 'quiet'),
}
"""By the name of the kind, in the order of the legend."""

OTHER = Mark('tracker', 'frame', 'quiet')


def mark_of(kind: EventKind) -> Mark:
    """Return how a kind is drawn."""
    return MARKS.get(kind.name, OTHER)
