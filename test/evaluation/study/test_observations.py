"""What is noted of a committee that says what the test tells it to."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lazy_vos_ros.evaluation.benchmark.datasets import SequenceFiles
from lazy_vos_ros.evaluation.label_images import write_labels
from lazy_vos_ros.evaluation.study.committee import Votes
from lazy_vos_ros.evaluation.study.observations import Observer

SIZE = (8, 12)
LEFT, RIGHT = slice(0, 6), slice(6, 12)


class Script:
    """Repeats each object's first mask for ever, with certainty 0.9; notes who came in."""

    name = 'script'
    about = 'a script'
    members = 1

    def __init__(self) -> None:
        self.resets = 0
        self.reset()
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1
        self.masks: dict[int, torch.Tensor] = {}
        self.images: list[int] = []

    def predict(self, image: np.ndarray) -> Votes:
        self.images.append(int(image[0, 0, 0]))
        objects = [0.9 * mask.float() for mask in self.masks.values()]
        background = 1 - sum(objects, torch.zeros(SIZE))
        return Votes(torch.stack([background, *objects])[None], tuple(self.masks))

    def commit(self, masks: dict[int, torch.Tensor]) -> None:
        assert all(new > max(self.masks, default=0) for new in masks)
        self.masks |= masks


def sequence(folder: Path, labels: dict[int, np.ndarray], frames: int) -> SequenceFiles:
    """Frames whose grey is their number times 10; label images where there are any."""
    images, annotations = [], []
    for index in range(frames):
        images.append(folder / f'{index}.png')
        Image.fromarray(np.full((*SIZE, 3), 10 * index, np.uint8)).save(images[-1])
        annotations.append(folder / f'{index}_labels.png' if index in labels else None)
        if index in labels:
            write_labels(annotations[-1], labels[index])
    return SequenceFiles('clip', tuple(images), tuple(annotations))


def image_of(**values: slice) -> np.ndarray:
    """Labels with the value v in the columns given as v5=LEFT."""
    labels = np.zeros(SIZE, np.uint8)
    for name, columns in values.items():
        labels[:, columns] = int(name[1:])
    return labels


@pytest.fixture
def files(tmp_path: Path) -> SequenceFiles:
    """Object 7 from frame 1 on, object 3 from frame 3 on; frame 4 is not annotated."""
    labels = {
        0: image_of(),
        1: image_of(v7=LEFT),
        2: image_of(v7=slice(0, 3)),
        3: image_of(v7=LEFT, v3=RIGHT),
        5: image_of(v7=LEFT, v255=slice(3, 12)),
    }
    return sequence(tmp_path, labels, 6)


def test_every_later_annotated_frame_of_each_object(files: SequenceFiles):
    committee = Script()
    found = Observer(files, (0.05,), 'variance').watch(committee)
    assert committee.images == [0, 10, 20, 30, 40, 50]
    assert committee.resets == 1
    assert [(item.frame, item.object_id) for item in found] == [(2, 7), (3, 7), (5, 7), (5, 3)]
    assert {item.sequence for item in found} == {'clip'}
    assert Observer(files, (0.05,), 'variance').objects == (('clip', 3), ('clip', 7))


def test_quality_is_that_of_the_right_object_without_void(files: SequenceFiles):
    found = Observer(files, (0.05,), 'variance').watch(Script())
    ious = {(item.frame, item.object_id): item.iou for item in found}
    assert ious[2, 7] == 0.5
    assert ious[3, 7] == 1.0
    # In frame 5 only the first three columns are not void: all of them are object 7.
    assert ious[5, 7] == 1.0
    assert ious[5, 3] == 1.0, 'absent, and nothing predicted outside of void'
    present = {(item.frame, item.object_id): item.present for item in found}
    assert present == {(2, 7): True, (3, 7): True, (5, 7): True, (5, 3): False}
    assert {item.predicted for item in found} == {48}


def test_all_labels_as_one_object(files: SequenceFiles):
    found = Observer(files, (0.05,), 'variance', merge_objects=True).watch(Script())
    assert [(item.frame, item.object_id) for item in found] == [(2, 1), (3, 1), (5, 1)]
    assert [item.iou for item in found] == [0.5, 0.5, 1.0]


def test_measures_are_named_by_their_dilation(files: SequenceFiles):
    found = Observer(files, (0.05, 1.0), 'variance').watch(Script())
    assert all(list(item.values) == ['S', 'S_R@0.05', 'S_R@1'] for item in found)
    assert all(0 < item.values['S_R@0.05'] < 1 for item in found)
