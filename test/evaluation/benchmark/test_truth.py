from collections.abc import Callable
from pathlib import Path

import numpy as np
import painted
import pytest
from PIL import Image as Pillow

from lazy_vos_ros.evaluation.benchmark.truth import GroundTruth
from lazy_vos_ros.evaluation.label_images import write_labels

ONE, TWO = painted.box(2), painted.box(20)


def test_objects_appear_when_they_are_first_annotated(tmp_path: Path, files: Callable):
    frames = [{3: ONE}, {3: ONE, 1: TWO}, {1: TWO}, {}]
    painted.write_folders(tmp_path, {'a': frames})
    truth = GroundTruth(files(tmp_path))
    assert truth.size == (24, 40)
    assert truth.first == {1: 1, 3: 0}
    assert np.array_equal(truth.mask(1, 1), TWO)
    assert not truth.mask(2, 3).any()
    assert not truth.mask(3, 1).any()


def test_frames_without_annotation_have_no_truth(tmp_path: Path, files: Callable):
    painted.write_folders(tmp_path, {'a': [{1: ONE}] * 4}, annotated={0, 2})
    truth = GroundTruth(files(tmp_path))
    assert truth.annotated == (0, 2)
    assert truth.mask(1, 1) is None
    assert truth.void(1) is None
    assert truth.mask(2, 1) is not None


def write_values(root: Path, *values: np.ndarray):
    painted.write_folders(root, {'a': [{1: ONE}] * len(values)})
    for index, value in enumerate(values):
        write_labels(root / 'a' / 'Annotations' / f'{index:05d}.png', value)
    return root


def test_binary_masks_are_one_object(tmp_path: Path, files: Callable):
    write_values(tmp_path, np.where(ONE, 255, 0), np.where(TWO, 255, 0))
    truth = GroundTruth(files(tmp_path))
    assert truth.first == {1: 0}
    assert np.array_equal(truth.mask(1, 1), TWO)
    assert not truth.void(1).any()


def test_255_beside_other_objects_is_void_even_where_it_is_alone(tmp_path: Path, files: Callable):
    both = np.where(ONE, 2, np.where(TWO, 255, 0))
    write_values(tmp_path, both, np.where(TWO, 255, 0))
    truth = GroundTruth(files(tmp_path))
    assert truth.first == {2: 0}
    assert np.array_equal(truth.void(1), TWO)
    assert not truth.mask(1, 1).any()


def test_merged_objects_are_one_without_the_void(tmp_path: Path, files: Callable):
    corner = painted.box(35, 20, 5, 4)
    labels = np.where(ONE, 2, np.where(TWO, 7, np.where(corner, 255, 0)))
    write_values(tmp_path, labels, labels)
    truth = GroundTruth(files(tmp_path), merge_objects=True)
    assert truth.first == {1: 0}
    assert np.array_equal(truth.mask(0, 1), ONE | TWO)
    assert np.array_equal(truth.void(0), corner)


def test_sizes_must_agree(tmp_path: Path, files: Callable):
    painted.write_folders(tmp_path, {'a': [{1: ONE}] * 3})
    write_labels(tmp_path / 'a' / 'Annotations' / '00001.png', np.zeros((24, 41), np.uint8))
    with pytest.raises(ValueError, match=r'00001.png is 41x24; allowed: .* 40x24'):
        GroundTruth(files(tmp_path))
    write_labels(tmp_path / 'a' / 'Annotations' / '00001.png', np.zeros((24, 40), np.uint8))
    wide = np.zeros((24, 60, 3), np.uint8)
    painted.write_image(tmp_path / 'a' / 'JPEGImages' / '00002.png', wide)
    with pytest.raises(ValueError, match=r'00002.png is 60x24; allowed: .* 40x24'):
        GroundTruth(files(tmp_path))


def test_a_sequence_needs_an_object_somewhere(tmp_path: Path, files: Callable):
    painted.write_folders(tmp_path, {'a': [{}] * 3})
    with pytest.raises(ValueError, match='a has 3 annotations and no object in any'):
        GroundTruth(files(tmp_path))


def test_annotations_must_be_label_images(tmp_path: Path, files: Callable):
    painted.write_folders(tmp_path, {'a': [{1: ONE}] * 2})
    path = tmp_path / 'a' / 'Annotations' / '00001.png'
    Pillow.fromarray(np.zeros((24, 40, 3), np.uint8)).save(path)
    with pytest.raises(ValueError, match=r'00001.png has pixels of kind RGB'):
        GroundTruth(files(tmp_path))
    path.write_bytes(b'\x89PNG broken')
    with pytest.raises(ValueError, match=r'00001.png is no label image that can be read'):
        GroundTruth(files(tmp_path))
    (tmp_path / 'a' / 'JPEGImages' / '00000.png').write_bytes(b'nothing')
    with pytest.raises(ValueError, match=r'00000.png is no image that can be read'):
        GroundTruth(files(tmp_path))
