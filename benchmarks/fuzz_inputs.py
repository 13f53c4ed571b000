"""Inputs that were not meant to come: odd values, and files that were changed at random."""

import struct
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)

ENCODINGS = (
    *(
        f'{colours}{bits}'
        for colours in ('rgb', 'bgr', 'rgba', 'bgra', 'mono')
        for bits in (8, 16)
    ),
    *(f'bayer_{order}{bits}' for order in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)),
    *('yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv', 'nv21', '8UC1', '8UC3', '8SC3', '16UC1', '16SC2'),
    *('32SC1', '32FC1', '32FC3', '64FC4', '8UC0', '8UC512', '8UC99999999999', '32FC', '', 'RGB8'),
)


def numbers() -> SearchStrategy[Any]:
    """Return any number, the odd ones often."""
    return st.one_of(
        st.integers(-(2**70), 2**70), st.floats(), st.integers(-3, 70), st.floats(-2.0, 70.0)
    )


def scalars() -> SearchStrategy[Any]:
    """Return anything that a parameter or a field of a file may be."""
    return st.one_of(
        st.none(), st.booleans(), numbers(), st.text(max_size=12), st.binary(max_size=8)
    )


def trees() -> SearchStrategy[Any]:
    """Return anything that JSON and YAML can hold."""
    leaves = st.one_of(st.none(), st.booleans(), numbers(), st.text(max_size=12))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )


def unsigned(bits: int) -> SearchStrategy[int]:
    """Return whole numbers of a field, small and extreme ones often."""
    top = 2**bits - 1
    extremes = sorted({min(value, top) for value in EXTREMES})
    return st.one_of(st.integers(0, 40), st.sampled_from(extremes), st.integers(0, top))


def signed(bits: int) -> SearchStrategy[int]:
    """Return whole numbers of a field that has a sign."""
    half = 2 ** (bits - 1)
    return st.one_of(
        st.integers(-3, 40), st.sampled_from((-half, half - 1)), st.integers(-half, half - 1)
    )


Edit = tuple[str, float, int]


def edits() -> SearchStrategy[list[Edit]]:
    """Return changes of a file: what, where (0..1 of its length), and a value."""
    kinds = st.sampled_from(('byte', 'flip', 'cut', 'drop', 'repeat', 'number', 'zeros'))
    places = st.one_of(st.floats(0.0, 1.0), st.floats(0.0, 0.02))
    values = st.one_of(st.integers(0, 255), st.sampled_from(EXTREMES))
    return st.lists(st.tuples(kinds, places, values), max_size=5)


def changed(data: bytes, changes: list[Edit]) -> bytes:
    """Return the content of a file after these changes."""
    content = bytearray(data)
    for kind, where, value in changes:
        place = int(where * len(content))
        if kind == 'byte' and content:
            content[min(place, len(content) - 1)] = value & 0xFF
        elif kind == 'flip' and content:
            content[min(place, len(content) - 1)] ^= 1 << value % 8
        elif kind == 'cut':
            del content[place:]
        elif kind == 'drop':
            del content[place : place + value % 64]
        elif kind == 'repeat':
            content[place:place] = content[place : place + value % 64]
        elif kind == 'number':
            order, form = ('<', 'I') if value % 2 else ('>', 'Q')
            content[place : place + struct.calcsize(form)] = struct.pack(
                order + form, value % 2 ** (8 * struct.calcsize(form))
            )
        else:
            content[place : place + 16] = bytes(min(16, len(content) - place))
    return bytes(content)


def files(*originals: bytes) -> SearchStrategy[bytes]:
    """Return changed copies of these files, and now and then bytes of no kind at all."""
    return st.one_of(
        st.builds(changed, st.sampled_from(originals), edits()),
        st.builds(changed, st.sampled_from(originals), edits()),
        st.builds(changed, st.sampled_from(originals), edits()),
        st.binary(max_size=200),
    )
