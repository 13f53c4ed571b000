import sys
from array import array
from time import perf_counter

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lazy_vos_ros.nodes import images
from lazy_vos_ros.nodes.encodings import check_image
from lazy_vos_ros.nodes.encodings import encoding_of
from lazy_vos_ros.nodes.images import ImageBridge
from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.images import rgb_from

BRIDGE = ImageBridge()


def message(pixels, encoding, *, padding=0, big=False):
    """Build an image message by hand, row by row."""
    stored = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder('>' if big else '<'))
    rows = [row.tobytes() + b'\xab' * padding for row in stored]
    return Image(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(big),
        step=len(rows[0]),
        data=array('B', b''.join(rows)),
    )


def noise(*shape, dtype=np.uint8):
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == 'u' else 1
    return (np.random.default_rng(7).random(shape) * top).astype(dtype)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'encoding': 'rgb9'}, "'rgb9'; allowed: rgb8/16"),
        ({'encoding': ''}, "''; allowed"),
        ({'encoding': '16UC0'}, 'allowed'),
        ({'width': 0}, 'of 0x4; allowed: at least 1x1'),
        ({'step': 11}, 'step of 11 bytes; allowed: at least 15'),
        ({'data': array('B', b'1' * 59)}, '59 bytes of data; allowed: 60 .*cut off'),
        ({'height': 5}, '60 bytes of data; allowed: 75'),
    ],
)
def test_bad_messages_are_refused_with_what_is_allowed(change, words):
    bad = message(noise(4, 5, 3), 'rgb8')
    for name, value in change.items():
        setattr(bad, name, value)
    with pytest.raises(ValueError, match=words):
        check_image(bad)
    with pytest.raises(ValueError, match=words):
        BRIDGE.imgmsg_to_cv2(bad, 'rgb8')
    with pytest.raises(ValueError, match=words):
        rgb_from(bad)


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1', '8UC1', '8UC2'])
def test_colours_are_not_made_up(encoding):
    stored = encoding_of(encoding)
    shape = (4, 5, stored.channels) if stored.channels > 1 else (4, 5)
    with pytest.raises(ValueError, match=f'encoding {encoding} cannot become rgb8; allowed'):
        rgb_from(message(noise(*shape, dtype=stored.dtype), encoding))


@pytest.mark.parametrize('padding', [0, 1, 7])
@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize(
    ('encoding', 'dtype', 'channels'),
    [
        ('mono8', np.uint8, 1),
        ('mono16', np.uint16, 1),
        ('16UC1', np.uint16, 1),
        ('32FC1', np.float32, 1),
        ('rgb8', np.uint8, 3),
        ('bgra8', np.uint8, 4),
        ('64FC2', np.float64, 2),
        ('bayer_grbg8', np.uint8, 1),
    ],
)
def test_passthrough_gives_the_pixels_of_every_layout(encoding, dtype, channels, big, padding):
    pixels = noise(5, 7, channels, dtype=dtype) if channels > 1 else noise(5, 7, dtype=dtype)
    read = BRIDGE.imgmsg_to_cv2(message(pixels, encoding, padding=padding, big=big))
    assert read.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read, pixels)


def test_colour_orders():
    rgb = noise(5, 7, 3)
    for encoding, stored in {
        'rgb8': rgb,
        'bgr8': rgb[..., ::-1],
        'rgba8': np.dstack([rgb, noise(5, 7)]),
        'bgra8': np.dstack([rgb[..., ::-1], noise(5, 7)]),
    }.items():
        np.testing.assert_array_equal(rgb_from(message(stored, encoding, padding=3)), rgb)


def test_sixteen_bits_use_the_full_range():
    wide = np.array([[0, 257, 65535]], np.uint16)
    np.testing.assert_array_equal(
        BRIDGE.imgmsg_to_cv2(message(wide, 'mono16'), 'mono8'), [[0, 1, 255]]
    )
    narrow = np.array([[0, 1, 255]], np.uint8)
    np.testing.assert_array_equal(
        BRIDGE.imgmsg_to_cv2(message(narrow, 'mono8'), 'mono16'), [[0, 257, 65535]]
    )
    assert rgb_from(message(wide, 'mono16')).tolist() == [[[0] * 3, [1] * 3, [255] * 3]]


def test_types_without_colours_are_cast_and_clipped():
    metres = np.array([[0.4, 1.6, 70000.0, -1.0]], np.float32)
    read = BRIDGE.imgmsg_to_cv2(message(metres, '32FC1'), '16UC1')
    np.testing.assert_array_equal(read, np.array([[0, 2, 65535, 0]], np.uint16))


@pytest.mark.parametrize(
    ('encoding', 'first_red', 'first_blue'),
    [
        ('bayer_rggb8', (0, 0), (1, 1)),
        ('bayer_bggr8', (1, 1), (0, 0)),
        ('bayer_gbrg8', (1, 0), (0, 1)),
        ('bayer_grbg8', (0, 1), (1, 0)),
    ],
)
def test_bayer_patterns_begin_where_their_name_says(encoding, first_red, first_blue):
    mosaic = np.full((16, 16), 60, np.uint8)
    mosaic[first_red[0] :: 2, first_red[1] :: 2] = 200
    mosaic[first_blue[0] :: 2, first_blue[1] :: 2] = 20
    rgb = rgb_from(message(mosaic, encoding))[4:12, 4:12]
    assert (rgb == (200, 60, 20)).all()


@pytest.mark.parametrize(('encoding', 'order'), [('yuv422', 'uyvy'), ('yuv422_yuy2', 'yuyv')])
def test_yuv_422(encoding, order):
    values = {'y': 120, 'u': 90, 'v': 200}
    row = np.array([values[letter] for letter in order] * 4, np.uint8).reshape(1, 8, 2)
    rgb = rgb_from(message(np.repeat(row, 4, axis=0), encoding))
    y, u, v = 1.164 * (120 - 16), 90 - 128, 200 - 128
    wanted = np.array([y + 1.596 * v, y - 0.813 * v - 0.391 * u, y + 2.018 * u])
    assert rgb.shape == (4, 8, 3)
    assert np.abs(rgb - wanted).max() <= 1.5


def test_odd_yuv_is_an_error_and_no_crash():
    with pytest.raises(ValueError, match='yuv422 image'):
        rgb_from(message(noise(4, 5, 2), 'yuv422'))


@pytest.mark.parametrize(
    ('pixels', 'encoding'),
    [
        (noise(4, 5, 3), 'mono8'),
        (noise(4, 5), 'rgb8'),
        (noise(4, 5), '16UC1'),
        (noise(4, 5, 1, 1), 'mono8'),
    ],
)
def test_arrays_must_fit_the_encoding(pixels, encoding):
    with pytest.raises(ValueError, match='allowed'):
        BRIDGE.cv2_to_imgmsg(pixels, encoding)


@pytest.mark.parametrize(
    ('pixels', 'encoding'),
    [
        (noise(4, 5, 3), 'rgb8'),
        (noise(4, 5), 'mono8'),
        (noise(4, 5, dtype=np.uint16), 'mono16'),
        (noise(4, 5, dtype=np.float32), '32FC1'),
        (noise(4, 5, dtype=np.float32), 'passthrough'),
        (noise(4, 10, 3)[:, ::2], 'bgr8'),
    ],
)
def test_there_and_back(pixels, encoding):
    header = Header(frame_id='lens')
    made = BRIDGE.cv2_to_imgmsg(pixels, encoding, header)
    assert made.header.frame_id == 'lens'
    assert made.step * made.height == len(made.data)
    np.testing.assert_array_equal(BRIDGE.imgmsg_to_cv2(made), pixels)


def test_passthrough_is_a_view_and_conversion_is_fast():
    big = message(noise(720, 1280, 3), 'rgb8')
    assert not BRIDGE.imgmsg_to_cv2(big).flags.owndata
    start = perf_counter()
    for _ in range(20):
        made = BRIDGE.cv2_to_imgmsg(rgb_from(big), 'rgb8')
    # Element by element it would be 100 ms an image.
    assert (perf_counter() - start) / 20 < 0.02
    assert made.data == big.data


@pytest.mark.parametrize('data', [b'', b'\xff\xd8\xff', b'no image at all'])
def test_broken_compressed_data(data):
    broken = CompressedImage(format='jpeg', data=array('B', data))
    with pytest.raises(ValueError, match=f"'jpeg' with {len(data)} bytes cannot be decoded"):
        rgb_from(broken)


@pytest.mark.parametrize('suffix', ['png', 'jpg'])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_compressed_pictures_become_rgb(suffix, channels):
    if suffix == 'jpg' and channels == 4:
        pytest.skip('jpeg has no transparency')
    picture = np.full((16, 16, channels), 200, np.uint8)
    picture[..., 0] = 90
    sent = BRIDGE.cv2_to_compressed_imgmsg(picture[..., 0] if channels == 1 else picture, suffix)
    wanted = (90, 90, 90) if channels == 1 else (200, 200, 90)
    rgb = rgb_from(sent)
    assert rgb.shape == (16, 16, 3)
    assert np.abs(rgb.astype(int) - wanted).max() <= 2
    with pytest.raises(ValueError, match='bmq'):
        BRIDGE.cv2_to_compressed_imgmsg(picture, 'bmq')


def test_sixteen_bit_png():
    sent = BRIDGE.cv2_to_compressed_imgmsg(np.full((4, 4), 257 * 9, np.uint16), 'png')
    assert (rgb_from(sent) == 9).all()
    assert cv2.imdecode(np.frombuffer(sent.data, np.uint8), -1).dtype == np.uint16


class OtherBridge:
    pass


def test_the_bridge_of_ros_is_taken_and_that_of_the_package_index_is_not(monkeypatch):
    module = type(sys)('cv_bridge')
    module.CvBridge = OtherBridge
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)
    try:
        for version, wanted in (('4.1.0', OtherBridge), ('1.13.0.post0', ImageBridge)):
            monkeypatch.setattr(images.metadata, 'version', lambda _, found=version: found)
            bridge.cache_clear()
            assert type(bridge()) is wanted
        monkeypatch.setattr(images.metadata, 'version', lambda _: '4.1.0')
        monkeypatch.delattr(module, 'CvBridge')  # as where its extension module cannot load
        bridge.cache_clear()
        assert type(bridge()) is ImageBridge
    finally:
        bridge.cache_clear()
