"""Draw what the tracker believes over the image that it saw."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.engine.backend import Image
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import ObjectState

PALETTE: tuple[tuple[int, int, int], ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (0, 114, 178),
    (213, 94, 0),
)
"""Okabe and Ito's colours, which colour-blind people can tell apart; RGB."""

HEAT = (255, 60, 60)
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)

Colour = tuple[int, int, int]
AnyArray = npt.NDArray[Any]


def colour_of(object_id: int) -> Colour:
    """Return the RGB colour of an object; colours repeat after seven objects."""
    return PALETTE[(object_id - 1) % len(PALETTE)]


def draw_overlay(
    image: Image,
    labels: npt.NDArray[Any],
    entropy: npt.NDArray[np.float32] | None = None,
    states: Sequence[ObjectState] = (),
    clicks: Sequence[Click] = (),
) -> Image:
    """Return a copy of the image with masks, uncertainty, names and clicks drawn over it.

    Parameters
    ----------
    image
        (H, W, 3) uint8 RGB.
    labels
        (H, W) integer object ids, 0 = background.
    entropy
        (H, W) float32 in [0, 1], or None; drawn in red, the stronger the less sure.
    states
        The objects, for their names and S_R.
    clicks
        Drawn as a circle with a plus (object here) or a minus (not here).

    Raises
    ------
    ValueError
        If the sizes differ.
    """
    for name, plane in (('labels', labels), ('entropy', entropy)):
        if plane is not None and plane.shape != image.shape[:2]:
            raise ValueError(
                f'{name} are {plane.shape}, the image is {image.shape}; allowed: the same height '
                'and width'
            )
    canvas = _fill(image, labels)
    if entropy is not None:
        canvas = _glow(canvas, entropy)
    unit = max(1, round(min(image.shape[:2]) / 240))
    for object_id in np.unique(labels[labels > 0]):
        _outline(canvas, labels == object_id, colour_of(int(object_id)), unit)
    for state in states:
        _name(canvas, state, unit)
    for click in clicks:
        _click(canvas, click, unit)
    return canvas


def _fill(image: Image, labels: AnyArray) -> Image:
    """Tint the objects, keeping the texture below visible."""
    table = np.zeros((int(labels.max(initial=0)) + 1, 3), np.uint8)
    for object_id in range(1, len(table)):
        table[object_id] = colour_of(object_id)
    tinted = cv2.addWeighted(image, 0.6, table[labels], 0.4, 0.0)
    canvas = image.copy()
    np.copyto(canvas, tinted.astype(np.uint8), where=(labels > 0)[..., None])
    return canvas


def _glow(canvas: Image, entropy: npt.NDArray[np.float32]) -> Image:
    """Blend towards red where the tracker is unsure; low values stay invisible."""
    weight = np.clip((entropy - 0.1) / 0.9, 0.0, 1.0)[..., None] * np.float32(0.75)
    heat = np.array(HEAT, np.float32)
    mixed: Image = (canvas + (heat - canvas) * weight).astype(np.uint8)
    return mixed


def _outline(canvas: Image, mask: AnyArray, colour: Colour, unit: int) -> None:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, contours, -1, BLACK, 2 * unit + 1, cv2.LINE_AA)
    cv2.drawContours(canvas, contours, -1, colour, unit, cv2.LINE_AA)


def _name(canvas: Image, state: ObjectState, unit: int) -> None:
    """Write the object's name and S_R above its box, inside the image."""
    if state.box is None:
        return
    text = f'{state.label}  S {state.uncertainty:.2f}'
    scale, thickness = 0.38 * unit, unit
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    x = min(max(state.box[0], 0), max(0, canvas.shape[1] - width - 4 * unit))
    y = max(state.box[1] - 3 * unit, height + base + unit)
    corner = (x + width + 4 * unit, y - height - base)
    cv2.rectangle(canvas, (x, y + unit), corner, colour_of(state.object_id), -1)
    origin = (x + 2 * unit, y - base // 2 - unit // 2)
    cv2.putText(
        canvas, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, BLACK, thickness, cv2.LINE_AA
    )


def _click(canvas: Image, click: Click, unit: int) -> None:
    row, column = click.pixel
    radius = 6 * unit
    arm = radius // 2
    for colour, width in ((BLACK, 2 * unit + 1), (WHITE, unit)):
        cv2.circle(canvas, (column, row), radius, colour, width, cv2.LINE_AA)
        cv2.line(canvas, (column - arm, row), (column + arm, row), colour, width)
        if click.positive:
            cv2.line(canvas, (column, row - arm), (column, row + arm), colour, width)
