"""A door through which something comes in from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Door:
    """One way in."""

    name: str
    inputs: SearchStrategy[Any]
    enter: Callable[[Any], object]
    """Let an input in, as the running project does."""
    refuses: tuple[type[Exception], ...] = (ValueError,)
    """The errors that its callers expect of it."""
    share: int = 10
    """Part of all inputs that it gets."""
