"""Videos of coloured boxes, a tracker that goes by colour, and its refiner; all exact and fast.

The red value of a pixel says which thing it is: 0 is background. A frame can be made unclear, then
the tracker is unsure of all it sees, or dark, then it sees nothing.
"""

from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import cv2
import numpy as np
import torch

from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.backend import Prediction
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.refiners.base import check_clicks
from lazy_vos_ros.evaluation.benchmark.networks import Networks
from lazy_vos_ros.evaluation.label_images import write_labels

HEIGHT, WIDTH = 24, 40
SURE, UNSURE = 0.999, 0.6
UNCLEAR, DARK = 1, 2
"""Green values of a whole frame."""


def box(left, top=6, width=10, height=10):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def labels_of(masks):
    """(H, W) ids from masks by id."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for object_id, mask in masks.items():
        labels[mask] = object_id
    return labels


def image_of(labels, look=0):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = labels * 10
    image[..., 1] = look
    return image


def write_image(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])


def write_sequence(images, annotations, frames, *, looks=None, annotated=None):
    """Write a video: `frames` are masks by id; `annotated` are the indices with label images."""
    annotations.mkdir(parents=True, exist_ok=True)
    for index, masks in enumerate(frames):
        labels = labels_of(masks)
        look = (looks or {}).get(index, 0)
        write_image(images / f'{index:05d}.png', image_of(labels, look))
        if annotated is None or index in annotated:
            write_labels(annotations / f'{index:05d}.png', labels)


def moving_box(count=8, object_id=1):
    return [{object_id: box(4 + 2 * index)} for index in range(count)]


def write_folders(root, sequences, **options):
    """Write a data set of the form <sequence>/JPEGImages."""
    for name, frames in sequences.items():
        write_sequence(root / name / 'JPEGImages', root / name / 'Annotations', frames, **options)
    return Path(root)


@dataclass
class Frame:
    index: int
    image: np.ndarray = field(repr=False)

    @property
    def nbytes(self):
        return self.image.nbytes


class ColourBackend:
    """Follows each object by the red value that it had under its first mask."""

    name = 'colour'
    device = torch.device('cpu')

    def __init__(self):
        self.reset()

    def reset(self):
        self.reds = {}
        self.index = -1

    @property
    def object_ids(self):
        return tuple(self.reds)

    def discard(self):
        pass

    def predict(self, image):
        self.index += 1
        return self._prediction(Frame(self.index, image))

    def _prediction(self, frame):
        image = frame.image
        look = int(image[0, 0, 1])
        p = UNSURE if look == UNCLEAR else SURE
        channels = [np.zeros((HEIGHT, WIDTH))]
        for red in self.reds.values():
            seen = (image[..., 0] == red) & (look != DARK)
            channels.append(np.where(seen, p, 0.001))
        channels[0] = 1 - sum(channels[1:], np.zeros((HEIGHT, WIDTH)))
        probabilities = torch.from_numpy(np.stack(channels).astype(np.float32))
        return Prediction(probabilities, self.object_ids, frame)

    def add_objects(self, prediction, masks):
        image = prediction.frame.image
        for object_id, mask in sorted(masks.items()):
            self.reds[object_id] = int(np.median(image[..., 0][mask.numpy()]))
        probabilities = self._prediction(prediction.frame).probabilities
        for channel, object_id in enumerate(self.reds, 1):
            if object_id in masks:
                probabilities[:, masks[object_id]] = (1 - SURE) / len(self.reds)
                probabilities[channel, masks[object_id]] = SURE
        return Prediction(probabilities, self.object_ids, prediction.frame)

    def commit(
        self,
        prediction,
        write=MemoryWrite.SCHEDULED,
        probabilities=None,
        *,
        deep_update=False,
        without=(),
        corrected=(),
    ):
        return write is MemoryWrite.FORCED

    def memorise(self, frame, object_ids, probabilities, corrected=()):
        return True

    def remove_objects(self, object_ids):
        for object_id in object_ids:
            del self.reds[object_id]

    def memory_size(self):
        return MemorySize(0, 0, 1, 1)


class ColourRefiner:
    """Gives everything that has the colour under the last click; background gives nothing."""

    name = 'colour'

    def refine(self, frame, clicks, *, object_id, prior=None):
        check_clicks(frame, clicks)
        red = frame.image[..., 0]
        value = red[clicks[-1].pixel]
        mask = (red == value) & (value > 0) & clicks[-1].positive
        return RefinedMask(torch.from_numpy(mask), 1.0)


NETWORKS = Networks(ColourBackend, lambda backend, person: ColourRefiner())
