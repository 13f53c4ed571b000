"""Counts with their nouns, for people."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Return a regular noun as it stands after a count."""
    return noun if count == 1 else f'{noun}s'


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 frame`, `2 frames`."""
    return f'{count} {plural(count, noun)}'
