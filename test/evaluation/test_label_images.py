import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from lazy_vos_ros.evaluation.label_images import davis_palette
from lazy_vos_ros.evaluation.label_images import read_entropy
from lazy_vos_ros.evaluation.label_images import read_labels
from lazy_vos_ros.evaluation.label_images import write_entropy
from lazy_vos_ros.evaluation.label_images import write_labels


def test_palette_is_that_of_davis():
    colours = np.frombuffer(davis_palette(), np.uint8).reshape(256, 3)
    assert colours[:5].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
    ]
    assert colours[255].tolist() == [224, 224, 192]
    assert len(np.unique(colours, axis=0)) == 256


def test_labels_come_back_from_an_indexed_png(tmp_path: Path):
    labels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    write_labels(tmp_path / 'a.png', labels)
    assert np.array_equal(read_labels(tmp_path / 'a.png'), labels)
    with Pillow.open(tmp_path / 'a.png') as picture:
        assert picture.mode == 'P'
        assert bytes(picture.getpalette()) == davis_palette()


def test_ids_that_do_not_fit_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match='object id is 256; allowed in an indexed PNG'):
        write_labels(tmp_path / 'a.png', np.full((4, 4), 256, np.uint16))


def test_black_and_white_is_one_object(tmp_path: Path):
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4] = 255
    cv2.imwrite(str(tmp_path / 'grey.png'), mask)
    Pillow.fromarray(mask > 0).save(tmp_path / 'bits.png')
    for name in ('grey.png', 'bits.png'):
        assert np.array_equal(read_labels(tmp_path / name), mask // 255)


def test_what_is_no_label_image_is_refused(tmp_path: Path):
    cv2.imwrite(str(tmp_path / 'colour.png'), np.ones((6, 8, 3), np.uint8))
    with pytest.raises(ValueError, match='pixels of kind RGB'):
        read_labels(tmp_path / 'colour.png')
    (tmp_path / 'cut.png').write_bytes(b'\x89PNG\r\n\x1a\n cut')
    with pytest.raises(ValueError, match=r'cut\.png is no label image'):
        read_labels(tmp_path / 'cut.png')


def test_entropy_comes_back_to_sixteen_bits(tmp_path: Path):
    entropy = np.linspace(0, 1, 48, dtype=np.float32).reshape(6, 8)
    write_entropy(tmp_path / 'e.png', entropy)
    assert np.abs(read_entropy(tmp_path / 'e.png') - entropy).max() < 1e-5
    write_labels(tmp_path / 'labels.png', np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match='is no entropy image; allowed: a 16-bit grey PNG'):
        read_entropy(tmp_path / 'labels.png')
    with pytest.raises(OSError, match='cannot be written'):
        write_entropy(tmp_path / 'no' / 'e.png', entropy)


def test_a_few_bytes_that_promise_gigabytes_are_refused(tmp_path):
    path = tmp_path / 'labels.png'
    Pillow.new('L', (8, 8)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (60000).to_bytes(4, 'big') * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, 'big')
    path.write_bytes(data)
    with pytest.raises(ValueError, match='no label image that can be read: Image size'):
        read_labels(path)
