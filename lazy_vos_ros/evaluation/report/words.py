"""Numbers and names in words, as a report prints them."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.counts import plural

UNKNOWN = '–'
"""Printed where the recording does not tell."""

KINDS = {
    'ADDED': 'object added',
    'REMOVED': 'object removed',
    'ASKED': 'question',
    'SUPPRESSED': 'question spared',
    'ANSWERED': 'answered by a click',
    'SKIPPED': 'skipped',
    'ABSENT': 'answered “not there”',
    'EXPIRED': 'expired',
    'REFUSED': 'answer refused',
    'PSEUDO': 'corrected itself',
    'CORRECTED': 'corrected unasked',
    'LOST': 'object lost',
    'RECOVERED': 'object found again',
    'REPLAYED': 'tracked again from the answer',
    'REPLAY_DROPPED': 'tracking again given up',
    'UNDONE': 'correction undone',
}
"""What each kind of event is called."""


def kind_name(kind: EventKind) -> str:
    """Return what an event of this kind is called."""
    return KINDS.get(kind.name, kind.value)


def number(value: float | None, form: str = '{:.2f}', unit: str = '') -> str:
    """Return a number with its unit; a dash where it is None or not finite."""
    if value is None or not isfinite(value):
        return UNKNOWN
    text = form.format(value)
    if text.startswith('-') and not text.strip('-0.'):
        text = text[1:]  # what rounds to nothing has no sign
    text = text.replace('-', '−')
    return f'{text} {unit}' if unit else text


def whole(value: float | None, unit: str = '') -> str:
    """Return a whole number, its thousands apart."""
    return number(value, '{:,.0f}', unit).replace(',', ' ')


def percent(part: float | None) -> str:
    """Return a part of 0 to 1 as a percentage."""
    return number(None if part is None else 100 * part, '{:.0f}', '%')


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `no question`, `1 question`, `2 questions`."""
    if count == 0:
        return f'no {noun}'
    return f'{whole(count)} {plural(count, noun)}'


def duration(seconds: float | None) -> str:
    """Return a length of time in the unit that fits it."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    if seconds < 60:
        return f'{seconds:.1f} s'
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours} h {minutes} min' if hours else f'{minutes} min {rest} s'


def clock(seconds: float, span: float) -> str:
    """Return a time on an axis that is `span` seconds long."""
    if span < 180:
        return f'{seconds:g}'
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02}:{rest:02}' if hours else f'{minutes}:{rest:02}'


def listed(parts: Iterable[str]) -> str:
    """Return parts as a person lists them: `a`, `a and b`, `a, b and c`."""
    items = [part for part in parts if part]
    return ' and '.join([', '.join(items[:-1]), items[-1]] if len(items) > 1 else items)


def capitalised(text: str) -> str:
    """Return a text that begins a sentence."""
    return text[:1].upper() + text[1:]
