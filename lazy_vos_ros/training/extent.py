"""Which pixels count as the object: a clip's masks with a margin, or with a shadow that is theirs.

Annotators and operators draw masks tightly, generously, or with what belongs to the object. The
first mask says which; the tracker is to keep to it, so clips must not all be cut at the edge.
"""

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.uint8]

_MARGINS = (0.008, 0.035)
"""Width of a margin as a share of the crop."""
_TIGHTER_SHARE = 0.15
"""Share of the margins that are cut off instead of added."""
_TIGHTER = 0.012
_DARKNESS = (0.45, 0.85)
_OWNED_SHARE = 0.7
"""Share of the shadows that belong to their objects."""


def vary_extent(
    rng: np.random.Generator,
    images: Array,
    labels: Array,
    *,
    margin_share: float,
    shadow_share: float,
) -> tuple[Array, Array]:
    """Return (T, S, S, 3) RGB and (T, S, S) labels of a clip, changed alike in every frame.

    With the chance `shadow_share` its objects cast shadows, with `margin_share` its masks get a
    margin. An object that would be nearly gone in the first frame keeps its mask.
    """
    if rng.random() < shadow_share:
        images, labels = cast_shadows(rng, images, labels)
    if rng.random() < margin_share:
        labels = with_margin(labels, _random_margin(rng, labels.shape[-1]))
    return images, labels


def _random_margin(rng: np.random.Generator, crop: int) -> int:
    if rng.random() < _TIGHTER_SHARE:
        return -max(1, round(crop * _TIGHTER * rng.random()))
    return max(1, round(crop * rng.uniform(*_MARGINS)))


def with_margin(labels: Array, margin: int) -> Array:
    """Widen the objects of (T, S, S) labels by `margin` pixels into the background.

    A negative margin narrows them, but for those that would lose most of their first mask.
    """
    side = 2 * abs(margin) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    changed = labels.copy()
    for label in np.unique(labels[labels > 0]):
        own = (labels == label).astype(np.uint8)
        if margin > 0:
            for t in range(len(labels)):
                changed[t][(cv2.dilate(own[t], disc) > 0) & (changed[t] == 0)] = label
        elif 2 * cv2.erode(own[0], disc).sum() > own[0].sum():
            for t in range(len(labels)):
                changed[t][(own[t] > 0) & (cv2.erode(own[t], disc) == 0)] = 0
    return changed


def cast_shadows(rng: np.random.Generator, images: Array, labels: Array) -> tuple[Array, Array]:
    """Darken the ground by every object's sheared and flattened mask; most own their shadow."""
    shear = float(rng.choice([-1, 1]) * rng.uniform(0.3, 3.0))
    height = float(rng.choice([-1, 1]) * rng.uniform(0.08, 0.45))
    light = 1 - float(rng.uniform(*_DARKNESS))
    owned = rng.random() < _OWNED_SHARE
    softness = float(rng.uniform(0.5, 2.0))
    images, labels = images.copy(), labels.copy()
    for t, (image, shown) in enumerate(zip(images, labels, strict=True)):
        ground = shown == 0
        for label in np.unique(shown[shown > 0]):
            shadow = _shadow((shown == label).astype(np.float32), shear, height)
            dark = cv2.GaussianBlur(shadow, (0, 0), softness) * ground
            images[t] = image = (image * (1 - (1 - light) * dark[..., None])).astype(np.uint8)
            if owned:
                labels[t][(shadow > 0.5) & ground] = label
    return images, labels


def _shadow(mask: npt.NDArray[np.float32], shear: float, height: float) -> npt.NDArray[np.float32]:
    """Lay the (S, S) mask down along the row of its feet."""
    feet = float(np.flatnonzero(mask.any(1))[-1])
    # A point `up` above the feet falls `shear * up` beside and `height * up` above them.
    matrix = np.array([[1, -shear, shear * feet], [0, height, feet * (1 - height)]])
    return cv2.warpAffine(mask, matrix, mask.shape[::-1], flags=cv2.INTER_LINEAR)
