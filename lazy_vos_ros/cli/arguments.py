"""Types of command-line arguments: a wrong value is refused by the parser, before any work."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from math import inf
from math import isfinite

WEIGHTS_HELP = (
    'of the tracker: auto (default, the best that are here), a tracker that `lazy-vos weights '
    'list` shows, or a file'
)
SIZE_HELP = (
    'short side in pixels at which the network works; -1: as the images come; default: what '
    'suits the weights (`lazy-vos weights list` shows it)'
)


def whole(low: int) -> Callable[[str], int]:
    """Return a type for whole numbers from `low` on."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low:
            raise refusal(text, f'a whole number from {low}')
        return value

    return convert


def number(
    *, low: float = -inf, above: float = -inf, below: float = inf
) -> Callable[[str], float]:
    """Return a type for finite numbers from `low` on, greater than `above`, less than `below`."""
    bounds = [
        f'from {low:g}' * (low > -inf),
        f'above {above:g}' * (above > -inf),
        f'below {below:g}' * (below < inf),
    ]
    allowed = ' '.join(['a number', *filter(None, bounds)])

    def convert(text: str) -> float:
        value = _float(text)
        if value is None or value < low or value <= above or value >= below:
            raise refusal(text, allowed)
        return value

    return convert


def numbers(text: str) -> tuple[float, ...]:
    """Return the finite numbers from 0 on that are listed with commas, ascending, each once."""
    values = {_float(word) for word in text.split(',')}
    found = {value for value in values if value is not None and value >= 0}
    if found != values:
        raise refusal(text, 'numbers from 0, such as 0,0.5,1')
    return tuple(sorted(found))


def names(text: str) -> tuple[str, ...]:
    """Return the names that are listed with commas; there is one at least."""
    found = tuple(name.strip() for name in text.split(',') if name.strip())
    if not found:
        raise refusal(text, 'names, such as A,B')
    return found


def address(text: str) -> str:
    """Return the address of a scheduler, which names protocol, host and port."""
    if not re.fullmatch(r'\w+://\S+:\d+', text):
        raise refusal(text, 'PROTOCOL://HOST:PORT, such as tcp://127.0.0.1:8786')
    return text


def seeds(text: str) -> tuple[int, ...]:
    """Return the whole numbers from 0 on that are listed with commas, each once."""
    words = [word.strip() for word in text.split(',')]
    if not all(word.isdecimal() for word in words) or len(set(words)) < len(words):
        raise refusal(text, 'different whole numbers from 0, such as 0,1,2')
    return tuple(int(word) for word in words)


def size(text: str) -> int:
    """Return the short side at which a network works."""
    from lazy_vos_ros.engine.xmem.config import XMemConfig

    try:
        return XMemConfig(size=int(text)).size
    except ValueError:
        raise refusal(text, 'a short side from 1 to 4096, or -1: as the images come') from None


def refusal(text: str, allowed: str) -> argparse.ArgumentTypeError:
    """Return the error that says what came and what is allowed."""
    return argparse.ArgumentTypeError(f'{text!r}; allowed: {allowed}')


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
