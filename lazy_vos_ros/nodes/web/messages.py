"""What a browser may say, and how pictures are put into messages to it."""

import json
from collections.abc import Callable
from typing import Any

LONGEST_MESSAGE = 4096
"""Bytes of a message from a browser."""

LARGEST_SIDE = 1 << 16
LONGEST_NAME = 200
LONGEST_LABEL = 40


def _text(longest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= longest and value.isprintable()


def _whole(largest: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and 0 <= value <= largest


def _flag(value: Any) -> bool:
    return type(value) is bool


def _stamp(value: Any) -> bool:
    """Nanoseconds as text: the numbers of browsers are not exact enough."""
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19


_NAME, _PIXEL, _OBJECT = _text(LONGEST_NAME), _whole(LARGEST_SIDE), _whole(65535)
_CLICK = {'x': _PIXEL, 'y': _PIXEL, 'positive': _flag}

FIELDS: dict[str, dict[str, Callable[[Any], bool]]] = {
    'look': {'tracker': _NAME},
    'seen': {},
    'click': {'key': _NAME, **_CLICK},
    'absent': {'key': _NAME},
    'skip': {'key': _NAME},
    'undo': {'key': _NAME},
    'undo_sent': {},
    'confirm': {'key': _NAME},
    'choose': {'key': _NAME},
    'start': {
        'tracker': _NAME,
        'stamp': _stamp,
        'x': _PIXEL,
        'y': _PIXEL,
        'label': _text(LONGEST_LABEL),
    },
    'correct': {'tracker': _NAME, 'stamp': _stamp, 'object': _OBJECT, **_CLICK},
    'gone': {'tracker': _NAME, 'stamp': _stamp, 'object': _OBJECT},
    'remove': {'tracker': _NAME, 'object': _OBJECT},
}
"""The messages of a browser and their fields.

`look` asks for the live pictures of a tracker (of none, if the name is empty), `seen` tells that
one of them was drawn; all others are actions of the desk.
"""


def parse(text: str) -> dict[str, Any]:
    """Return a browser's message, with exactly the fields that belong to it, checked.

    Raises
    ------
    ValueError
        Saying what is allowed; it does not repeat what came.
    """
    try:
        message = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ValueError('message is not JSON; allowed: one JSON object') from None
    if not isinstance(message, dict):
        raise ValueError('message is no object; allowed: one JSON object')
    kind = message.get('type')
    if not isinstance(kind, str) or kind not in FIELDS:
        raise ValueError(f'message has no known type; allowed: {", ".join(FIELDS)}')
    fields = FIELDS[kind]
    if message.keys() - {'type'} != fields.keys():
        raise ValueError(
            f'message {kind} has other fields; allowed: {", ".join(fields) or "none"}'
        )
    for name, allowed in fields.items():
        if not allowed(message[name]):
            raise ValueError(f'{name} of message {kind} is not of the type or range allowed')
    return message


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def framed(header: dict[str, Any], data: bytes) -> bytes:
    """Return a binary message: length of the header (4 bytes, big-endian), header, data."""
    text = json.dumps(header, separators=(',', ':')).encode()
    return len(text).to_bytes(4, 'big') + text + data
