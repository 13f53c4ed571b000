"""Synthetic clips from still images: layers that move apart, occluders and look-alikes.

A clip is a background with one or two target objects, distractors behind or before them, and
occluders, each on its own path; camera motion is shared by all layers. A target is either lifted
from its own image (its hole is filled with blurred surroundings) or pasted on another background;
or a whole image moves and bends as it is, with objects that stand in it (a scene), which has no
seams and real neighbours.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from lazy_vos_ros.training.data import Record
from lazy_vos_ros.training.data import StillImages
from lazy_vos_ros.training.motion import MotionRange
from lazy_vos_ros.training.motion import Path2D
from lazy_vos_ros.training.motion import inverse_affine
from lazy_vos_ros.training.motion import random_path
from lazy_vos_ros.training.motion import random_walk
from lazy_vos_ros.training.motion import sampling_map

Array = npt.NDArray[np.uint8]

WEIGHTS = {
    'ecssd': 0.30,
    'coco_panoptic': 0.22,
    'camvid': 0.12,
    'weizmann_horse': 0.08,
    'human_seg': 0.08,
    'ccp': 0.07,
    'emoji3d': 0.07,
    'bsds500': 0.06,
}
"""How often a target comes from each set."""
SCENE_SETS = ('coco_panoptic', 'ecssd', 'camvid', 'bsds500', 'ccp', 'human_seg', 'weizmann_horse')
_SCENE_CHANCES = (0.35, 0.2, 0.13, 0.14, 0.06, 0.06, 0.06)
_MIN_SOURCE_AREA = 150
_MIN_VISIBLE = 60
SCENE_KNOTS = 6
"""Knots a side of the bending of a scene."""


@dataclass(frozen=True)
class Cutout:
    """One object in its image."""

    image: Array
    """(H, W, 3) RGB."""
    alpha: Array
    """(H, W) 0..255."""
    centre: tuple[float, float]
    """x, y of the middle of its box."""
    side: float
    """Square root of its area in pixels."""
    set: str


@dataclass(frozen=True)
class Layer:
    """A cut-out on its way; `label` is its object, 0 for what only hides or distracts."""

    cutout: Cutout
    path: Path2D
    label: int


@dataclass(frozen=True)
class Scene:
    """An image with objects that stand in it."""

    image: Array
    """(H, W, 3) RGB."""
    labels: Array
    """(H, W) 0..n."""
    target: Cutout
    """Object 1."""


class ClipMaker:
    """Makes random clips of a given crop size, length and number of objects."""

    def __init__(
        self,
        stills: StillImages,
        weights: dict[str, float] = WEIGHTS,
        *,
        lifted_share: float = 0.6,
        scene_share: float = 0.4,
    ) -> None:
        """Choose sets by `weights`; make `scene_share` of the clips of scenes.

        Of the other clips' targets `lifted_share` stay in their own image.
        """
        self.stills = stills
        self._lifted_share = lifted_share
        self._scene_share = scene_share
        self._pools = {name: stills.of_set(name) for name in weights}
        self._pools = {name: pool for name, pool in self._pools.items() if pool}
        chances = np.array([weights[name] for name in self._pools])
        self._chances = chances / chances.sum()

    def clip(
        self, rng: np.random.Generator, frames: int, crop: int, objects: int
    ) -> tuple[Array, Array]:
        """Return (T, S, S, 3) RGB and (T, S, S) labels 0..objects, all objects in frame 0."""
        while True:
            scene = self._scene(rng, objects) if rng.random() < self._scene_share else None
            if scene is None:
                images, labels = self._attempt(rng, frames, crop, objects)
            else:
                images, labels = self._scene_clip(rng, scene, frames, crop)
            if all((labels[0] == i + 1).sum() >= _MIN_VISIBLE for i in range(objects)):
                return images, labels

    def _attempt(
        self, rng: np.random.Generator, frames: int, crop: int, objects: int
    ) -> tuple[Array, Array]:
        target = self._cutout(rng)
        camera = _random_camera(rng, crop)
        pace = float(np.exp(rng.normal(0, 0.8)))
        lifted = target.set != 'emoji3d' and rng.random() < self._lifted_share
        if lifted:
            background, anchor = fill_hole(target), target.centre
            scale = _lifted_scale(rng, target, crop)
        else:
            image = self._background(rng)
            background = image
            anchor = (image.shape[1] / 2, image.shape[0] / 2)
            scale = crop / min(image.shape[:2]) * rng.uniform(1.0, 1.6)
        start = (crop * rng.uniform(0.25, 0.75), crop * rng.uniform(0.25, 0.75))
        ground = random_path(rng, frames, start, scale, max(background.shape[:2]), crop, camera)
        layers = [self._target(rng, target, ground, lifted, frames, crop, pace, label=1)]
        for label in range(2, objects + 1):
            layers.append(self._second(rng, target, frames, crop, pace, label))
        rng.shuffle(layers)
        layers = self._distractors(rng, target, frames, crop, pace) + layers
        layers += self._occluders(rng, layers, frames, crop)
        return compose(background, anchor, ground, layers, frames, crop)

    def _scene(self, rng: np.random.Generator, objects: int) -> Scene | None:
        """Return an image with so many objects, None if a few tries found none."""
        for _ in range(8):
            pool = self._pools.get(str(rng.choice(SCENE_SETS, p=_SCENE_CHANCES)))
            if not pool:
                continue
            record = pool[rng.integers(len(pool))]
            image, mask = self.stills.read(record)
            if record.set == 'ccp':
                mask = (mask > 0).astype(np.uint8)
            ids, areas = np.unique(mask, return_counts=True)
            large = (areas > _MIN_SOURCE_AREA) & (areas < 0.5 * mask.size) & (ids > 0)
            if large.sum() < objects:
                continue
            chosen = rng.choice(ids[large], objects, replace=False)
            table = np.zeros(256, np.uint8)
            table[chosen] = np.arange(1, objects + 1)
            labels = table[mask]
            target = cutout_of(image, (labels == 1).astype(np.uint8) * 255, record.set)
            return Scene(image, labels, target)
        return None

    def _scene_clip(
        self, rng: np.random.Generator, scene: Scene, frames: int, crop: int
    ) -> tuple[Array, Array]:
        target, pace = scene.target, float(np.exp(rng.normal(0, 0.8)))
        scale = max(_lifted_scale(rng, target, crop), 1.1 * crop / min(scene.labels.shape))
        start = _start_inside(rng, scene, scale, crop)
        side = max(scene.labels.shape)
        motion = MotionRange(0.03 * pace, 0.04 * pace, 0.05 * pace, 0.03 * pace, 0.0)
        ground = random_path(rng, frames, start, scale, side, crop, motion)
        layers = self._distractors(rng, target, frames, crop, pace)
        follow = Layer(target, ground, 1)
        layers += self._occluders(rng, [follow], frames, crop)
        images, labels = compose(
            scene.image, target.centre, ground, layers, frames, crop, scene.labels
        )
        bend = random_walk(rng, frames, 0.004 * crop * min(pace, 2.0), 2 * SCENE_KNOTS**2)
        return bend_frames(images, labels, bend.clip(-0.04 * crop, 0.04 * crop))

    def _cutout(self, rng: np.random.Generator, name: str | None = None) -> Cutout:
        names = list(self._pools)
        while True:
            pool = self._pools[name or names[rng.choice(len(names), p=self._chances)]]
            record = pool[rng.integers(len(pool))]
            cutout = self._cut(rng, record)
            if cutout is not None:
                return cutout

    def _cut(self, rng: np.random.Generator, record: Record) -> Cutout | None:
        image, mask = self.stills.read(record)
        if record.set == 'emoji3d':
            alpha = mask
        elif record.set == 'ccp' and rng.random() < 0.8:
            alpha = (mask > 0).astype(np.uint8) * 255
        elif not record.labels:
            return None
        else:
            alpha = (mask == rng.choice(record.labels)).astype(np.uint8) * 255
        inside = alpha > 127
        area = int(inside.sum())
        if area < _MIN_SOURCE_AREA or area > 0.7 * inside.size:
            return None
        return cutout_of(image, alpha, record.set)

    def _background(self, rng: np.random.Generator) -> Array:
        name = rng.choice(['bsds500', 'ecssd', 'coco_panoptic', 'camvid'], p=[0.5, 0.2, 0.2, 0.1])
        pool = self._pools.get(str(name)) or next(iter(self._pools.values()))
        return self.stills.read(pool[rng.integers(len(pool))])[0]

    def _target(
        self,
        rng: np.random.Generator,
        target: Cutout,
        ground: Path2D,
        lifted: bool,
        frames: int,
        crop: int,
        pace: float,
        label: int,
    ) -> Layer:
        if not lifted:
            return Layer(target, self._own_path(rng, target, frames, crop, pace), label)
        # It starts where its image has it, and follows the camera besides its own motion.
        own = random_path(
            rng, frames, (0, 0), 1.0, target.side, crop, _object_motion(rng, target, pace)
        )
        path = Path2D(
            position=ground.position + own.position * min(1.0, 2 * ground.scale[0]),
            scale=ground.scale * own.scale,
            angle=ground.angle + own.angle,
            stretch=ground.stretch + own.stretch,
            bend=own.bend,
            flipped=ground.flipped,
        )
        return Layer(target, path, label)

    def _own_path(
        self, rng: np.random.Generator, cutout: Cutout, frames: int, crop: int, pace: float
    ) -> Path2D:
        fraction = np.exp(rng.uniform(np.log(0.01), np.log(0.25)))
        scale = crop * np.sqrt(fraction) / cutout.side
        start = (crop * rng.uniform(0.15, 0.85), crop * rng.uniform(0.15, 0.85))
        motion = _object_motion(rng, cutout, pace)
        return random_path(rng, frames, start, float(scale), cutout.side, crop, motion)

    def _second(
        self,
        rng: np.random.Generator,
        target: Cutout,
        frames: int,
        crop: int,
        pace: float,
        label: int,
    ) -> Layer:
        cutout = self._like(rng, target)
        return Layer(cutout, self._own_path(rng, cutout, frames, crop, pace), label)

    def _like(self, rng: np.random.Generator, target: Cutout) -> Cutout:
        chance = rng.random()
        if chance < 0.5:
            return target
        return self._cutout(rng, target.set if chance < 0.75 else None)

    def _distractors(
        self, rng: np.random.Generator, target: Cutout, frames: int, crop: int, pace: float
    ) -> list[Layer]:
        layers = []
        while rng.random() < 0.4 and len(layers) < 3:
            cutout = self._like(rng, target)
            layers.append(Layer(cutout, self._own_path(rng, cutout, frames, crop, pace), 0))
        return layers

    def _occluders(
        self, rng: np.random.Generator, layers: list[Layer], frames: int, crop: int
    ) -> list[Layer]:
        if rng.random() > 0.3 or frames < 2:
            return []
        cutout = self._cutout(rng)
        victim = next(layer for layer in layers if layer.label == 1)
        meeting = int(rng.integers(1, frames))
        velocity = rng.normal(0, 0.2 * crop, 2)
        times = np.arange(frames)[:, None] - meeting
        path = self._own_path(rng, cutout, frames, crop, 1.0)
        position = victim.path.position[meeting] + velocity * times + rng.normal(0, 0.05 * crop, 2)
        moved = Path2D(
            position=position.astype(np.float32),
            scale=path.scale,
            angle=path.angle,
            stretch=path.stretch,
            bend=path.bend,
            flipped=path.flipped,
        )
        return [Layer(cutout, moved, 0)]


def cutout_of(image: Array, alpha: Array, name: str) -> Cutout:
    """Describe the object that `alpha` (H, W) 0..255 shows in its image."""
    inside = alpha > 127
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    centre = ((columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2)
    return Cutout(image, alpha, centre, float(np.sqrt(inside.sum())), name)


def _start_inside(
    rng: np.random.Generator, scene: Scene, scale: float, crop: int
) -> tuple[float, float]:
    """Place the target at random in the crop so that the image fills the crop."""
    start = []
    for centre, length in zip(scene.target.centre, scene.labels.shape[::-1], strict=True):
        wanted = crop * rng.uniform(0.25, 0.75)
        least, most = crop - (length - centre) * scale, centre * scale
        start.append(float(np.clip(wanted, least, most)))
    return start[0], start[1]


def _random_camera(rng: np.random.Generator, crop: int) -> MotionRange:
    amount = float(np.exp(rng.normal(0, 0.8))) if rng.random() < 0.8 else 0.0
    return MotionRange(0.02 * amount, 0.02 * amount, 0.02 * amount, 0.01 * amount, 0.0)


def _object_motion(rng: np.random.Generator, cutout: Cutout, pace: float) -> MotionRange:
    # What has a rigid body hardly bends; what lives does.
    bend = 0.008 if cutout.set in ('camvid', 'emoji3d') else 0.03
    return MotionRange(0.035 * pace, 0.05 * pace, 0.06 * pace, 0.04 * pace, bend * min(pace, 2.0))


def _lifted_scale(rng: np.random.Generator, target: Cutout, crop: int) -> float:
    cover = crop / min(target.alpha.shape)
    fraction = np.exp(rng.uniform(np.log(0.02), np.log(0.35)))
    wanted = crop * np.sqrt(fraction) / target.side
    return float(np.clip(wanted, 0.65 * cover, 3.0 * cover))


def fill_hole(cutout: Cutout) -> Array:
    """Return its image with the object replaced by its blurred surroundings."""
    alpha = cv2.dilate(cutout.alpha, np.ones((7, 7), np.uint8))
    small = (max(cutout.alpha.shape[1] // 8, 4), max(cutout.alpha.shape[0] // 8, 4))
    weight = 1 - cv2.resize(alpha, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colour = cv2.resize(cutout.image, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    total = np.zeros_like(colour)
    mass = np.full(weight.shape, 1e-6, np.float32)
    for sigma, gain in ((1.0, 1.0), (3.0, 1e-2), (9.0, 1e-4)):
        total += gain * cv2.GaussianBlur(colour * weight[..., None], (0, 0), sigma)
        mass += gain * cv2.GaussianBlur(weight, (0, 0), sigma)
    filling = cv2.resize(total / mass[..., None], alpha.shape[::-1])
    return np.where(alpha[..., None] > 0, filling, cutout.image).clip(0, 255).astype(np.uint8)


def compose(
    background: Array,
    anchor: tuple[float, float],
    ground: Path2D,
    layers: list[Layer],
    frames: int,
    crop: int,
    ground_labels: Array | None = None,
) -> tuple[Array, Array]:
    """Draw the layers one over another; a pixel belongs to the topmost layer that covers it.

    `ground_labels` are objects in the background itself.
    """
    images = np.empty((frames, crop, crop, 3), np.uint8)
    labels = np.zeros((frames, crop, crop), np.uint8)
    for t in range(frames):
        matrix = inverse_affine(ground, t, anchor)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        canvas = cv2.warpAffine(
            background, matrix, (crop, crop), flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        if ground_labels is not None:
            labels[t] = cv2.warpAffine(
                ground_labels,
                matrix,
                (crop, crop),
                flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT_101,
            )
        for layer in layers:
            _draw(canvas, labels[t], layer, t, crop)
        images[t] = canvas
    return images, labels


def _draw(canvas: Array, labels: Array, layer: Layer, frame: int, crop: int) -> None:
    cutout = layer.cutout
    x, y = sampling_map(layer.path, frame, cutout.centre, cutout.side, crop)
    alpha = cv2.remap(cutout.alpha, x, y, cv2.INTER_LINEAR, borderValue=0)
    left, top, width, height = cv2.boundingRect(alpha)
    if width == 0:
        return
    box = (slice(top, top + height), slice(left, left + width))
    labels[alpha > 127] = layer.label
    colour = cv2.remap(
        cutout.image, x[box], y[box], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    soft = cv2.merge([cv2.blur(alpha, (3, 3))[box]] * 3)
    below = cv2.multiply(canvas[box], 255 - soft, scale=1 / 255)
    canvas[box] = cv2.add(cv2.multiply(colour, soft, scale=1 / 255), below)


def bend_frames(
    images: Array, labels: Array, bend: npt.NDArray[np.float32]
) -> tuple[Array, Array]:
    """Bend each of the (T, S, S) frames by (T, 2 * knots^2) displacements in pixels."""
    frames, crop = labels.shape[:2]
    columns = np.arange(crop, dtype=np.float32)
    bent_images, bent_labels = np.empty_like(images), np.empty_like(labels)
    for t in range(frames):
        knots = bend[t].reshape(SCENE_KNOTS, SCENE_KNOTS, 2)
        field = cv2.resize(knots, (crop, crop), interpolation=cv2.INTER_CUBIC)
        x, y = field[..., 0] + columns[None], field[..., 1] + columns[:, None]
        bent_images[t] = cv2.remap(
            images[t], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        bent_labels[t] = cv2.remap(
            labels[t], x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101
        )
    return bent_images, bent_labels
