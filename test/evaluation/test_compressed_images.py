import struct
from array import array

import cv2
import numpy as np
import pytest

from lazy_vos_ros.evaluation.compressed_images import check_compressed

PICTURE = np.random.default_rng(0).integers(0, 255, (16, 24, 3), np.uint8)


def encoded(suffix, picture=PICTURE):
    return cv2.imencode(suffix, picture)[1].tobytes()


def sized(width, height):
    """A PNG that promises another size than it has."""
    data = bytearray(encoded('.png'))
    data[16:24] = struct.pack('>II', width, height)
    return bytes(data)


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
@pytest.mark.parametrize('picture', [PICTURE, PICTURE[..., 0], PICTURE.astype(np.uint16)[..., 0]])
def test_whole_images_pass(suffix, picture):
    if suffix == '.png' or picture.dtype == np.uint8:
        check_compressed(array('B', encoded(suffix, picture)), 'any')


@pytest.mark.parametrize('size', [(2**31 - 1, 2**31 - 1), (16384, 16384), (0, 5)])
def test_a_few_bytes_that_promise_gigabytes(size):
    with pytest.raises(ValueError, match=r'promises .* pixels; allowed: 1 to 67108864'):
        check_compressed(sized(*size), 'png')


def test_a_jpeg_that_promises_gigabytes():
    data = bytearray(encoded('.jpg'))
    place = data.index(b'\xff\xc0')
    data[place + 5 : place + 9] = struct.pack('>HH', 60000, 60000)
    with pytest.raises(ValueError, match='allowed'):
        check_compressed(bytes(data), 'jpeg')


def test_a_png_whose_first_chunk_is_longer_than_all_of_it():
    """Found by fuzzing: it was decoded for half a minute."""
    data = bytearray(encoded('.png'))
    data[8] = 0xFF
    with pytest.raises(ValueError, match='cannot be decoded; allowed: whole jpeg or png'):
        check_compressed(bytes(data), 'png')


@pytest.mark.parametrize('cut', [0, 4, 8, 20, 30, 200])
def test_cut_pngs(cut):
    with pytest.raises(ValueError, match=f'with {cut} bytes cannot be decoded'):
        check_compressed(encoded('.png')[:cut], 'png')


@pytest.mark.parametrize('suffix', ['.bmp', '.tiff', '.webp'])
def test_other_kinds_are_not_decoded(suffix):
    with pytest.raises(ValueError, match='allowed: whole jpeg or png'):
        check_compressed(encoded(suffix), suffix)
