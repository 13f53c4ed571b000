"""Elements of SVG, escaped, without style of their own: the page's style sheet has the colours."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

Element = ElementTree.Element

SHAPES = {
    'circle': 'M-5.5,0a5.5,5.5 0 1,0 11,0a5.5,5.5 0 1,0 -11,0z',
    'triangle': 'M0,-6L6,5H-6Z',
    'wedge': 'M0,6L6,-5H-6Z',
    'square': 'M-5,-5H5V5H-5Z',
    'diamond': 'M0,-7L5.5,0L0,7L-5.5,0Z',
    'thin': 'M0,-7L3.5,0L0,7L-3.5,0Z',
    'plus': 'M-2,-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z',
    'cross': 'M-6,-4L-4,-6L0,-2L4,-6L6,-4L2,0L6,4L4,6L0,2L-4,6L-6,4L-2,0Z',
    'star': 'M0,-7L1.8,-2.4L6.7,-2.2L2.8,0.9L4.1,5.7L0,2.9L-4.1,5.7L-2.8,0.9L-6.7,-2.2L-1.8,-2.4Z',
    'minus': 'M-6,-2H6V2H-6Z',
    'bar': 'M-1,-6H1V6H-1Z',
    'arrow': 'M-6,-2H0V-6L6,0L0,6V2H-6Z',
    'frame': 'M-6,-6H6V6H-6ZM-3,-3V3H3V-3Z',
}
"""Outlines around (0, 0) that differ without their colours."""


def svg(width: float, height: float, **attributes: object) -> Element:
    """Return the root of a drawing that fills the width it is given."""
    root = make('svg', **attributes)
    root.set('viewBox', f'0 0 {_text(width)} {_text(height)}')
    return root


def make(tag: str, text: str = '', /, **attributes: object) -> Element:
    """Return an element; of names like `class_` and `text_anchor` SVG's own spelling is made."""
    element = Element(tag)
    for name, value in attributes.items():
        spelt = name.rstrip('_') if name.endswith('_') else name.replace('_', '-')
        element.set(spelt, _text(value))
    element.text = text or None
    return element


def put(parent: Element, tag: str, text: str = '', /, **attributes: object) -> Element:
    """Append an element, as :func:`make`, and return it."""
    element = make(tag, text, **attributes)
    parent.append(element)
    return element


def path(points: Iterable[tuple[float, float]]) -> str:
    """Return the data of a line through points; one that is not finite interrupts it."""
    parts, pen_up = [], True
    for x, y in points:
        if x != x or y != y:
            pen_up = True
            continue
        parts.append(f'{"M" if pen_up else "L"}{_text(x)},{_text(y)}')
        pen_up = False
    return ''.join(parts)


def symbol(shape: str, class_: str) -> str:
    """Return a drawing of one mark, for a legend."""
    root = make('svg', viewBox='-8 -8 16 16', class_='key', aria_hidden='true')
    put(root, 'path', d=SHAPES[shape], class_=class_)
    return written(root)


def written(element: Element) -> str:
    """Return an element as text that may stand in HTML."""
    return ElementTree.tostring(element, encoding='unicode')


def _text(value: object) -> str:
    return f'{value:.2f}'.rstrip('0').rstrip('.') if isinstance(value, float) else str(value)
