"""The image encodings of sensor_msgs, and what a message of each must hold."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

COLOUR_FORMATS = {'rgb': 3, 'bgr': 3, 'rgba': 4, 'bgra': 4, 'mono': 1}
"""Colour formats that an image can be converted to, with their channels."""

# OpenCV names a Bayer pattern by its second row and column, ROS by its first.
BAYER_FORMATS = {
    'bayer_rggb': 'BayerBG',
    'bayer_bggr': 'BayerRG',
    'bayer_gbrg': 'BayerGR',
    'bayer_grbg': 'BayerGB',
}
YUV_FORMATS = {'yuv422': 'UYVY', 'uyvy': 'UYVY', 'yuv422_yuy2': 'YUY2', 'yuyv': 'YUY2'}

_RAW_TYPES = {
    '8U': 'uint8',
    '8S': 'int8',
    '16U': 'uint16',
    '16S': 'int16',
    '32S': 'int32',
    '32F': 'float32',
    '64F': 'float64',
}

ALLOWED = (
    ', '.join(f'{name}8/16' for name in (*COLOUR_FORMATS, *BAYER_FORMATS))
    + ', '
    + ', '.join(YUV_FORMATS)
    + ', or an OpenCV type such as 16UC1 or 32FC1'
)


@dataclass(frozen=True)
class Encoding:
    """How the pixels of a message are stored."""

    name: str
    format: str
    """A key of COLOUR_FORMATS, BAYER_FORMATS or YUV_FORMATS; 'raw' if it has no colours."""
    dtype: np.dtype[Any]
    channels: int

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return self.dtype.itemsize * self.channels


def encoding_of(name: str) -> Encoding:
    """Return what an encoding's name means.

    Raises
    ------
    ValueError
        If the name is unknown, telling the known ones.
    """
    if name in YUV_FORMATS:
        return Encoding(name, name, np.dtype('uint8'), 2)
    colour = re.fullmatch(r'([a-z_]+?)(8|16)', name)
    if colour and (colour[1] in COLOUR_FORMATS or colour[1] in BAYER_FORMATS):
        channels = COLOUR_FORMATS.get(colour[1], 1)
        return Encoding(name, colour[1], np.dtype(f'uint{colour[2]}'), channels)
    raw = re.fullmatch(r'(8U|8S|16U|16S|32S|32F|64F)(?:C(\d+))?', name)
    if raw and raw[2] != '0':
        return Encoding(name, 'raw', np.dtype(_RAW_TYPES[raw[1]]), int(raw[2] or 1))
    raise ValueError(f'image encoding is {name!r}; allowed: {ALLOWED}')


def raw_name(image: npt.NDArray[Any]) -> str:
    """Return the OpenCV type of an array, such as 8UC3.

    Raises
    ------
    ValueError
        If messages have no type for it.
    """
    names = {dtype: name for name, dtype in _RAW_TYPES.items()}
    if image.dtype.name not in names or image.ndim not in (2, 3):
        raise ValueError(
            f'image is {image.dtype} of shape {image.shape}; allowed: (H, W) or (H, W, C) of '
            + ', '.join(names)
        )
    return f'{names[image.dtype.name]}C{1 if image.ndim == 2 else image.shape[2]}'


def check_image(message: Any) -> Encoding:
    """Return the encoding of a sensor_msgs/Image that is whole.

    Raises
    ------
    ValueError
        If the encoding is unknown or size, step and data do not agree.
    """
    encoding = encoding_of(message.encoding)
    width, height, step = message.width, message.height, message.step
    what = f'{encoding.name} image of {width}x{height}'
    if width == 0 or height == 0:
        raise ValueError(f'{what}; allowed: at least 1x1')
    if step < width * encoding.pixel_bytes:
        raise ValueError(
            f'{what} has a step of {step} bytes; allowed: at least {width * encoding.pixel_bytes}'
        )
    if len(message.data) < step * height:
        raise ValueError(
            f'{what} with a step of {step} has {len(message.data)} bytes of data; allowed: '
            f'{step * height} (the message is cut off)'
        )
    return encoding


def pixels(message: Any, encoding: Encoding) -> npt.NDArray[Any]:
    """Return a view of a checked message's pixels, (H, W) or (H, W, C), in native byte order.

    The view shares memory with the message, except where bytes must be swapped.
    """
    stored = encoding.dtype.newbyteorder('>' if message.is_bigendian else '<')
    shape = (message.height, message.width, encoding.channels)
    strides = (message.step, encoding.pixel_bytes, encoding.dtype.itemsize)
    view: npt.NDArray[Any] = np.ndarray(shape, stored, bytes_of(message.data), strides=strides)
    if encoding.channels == 1:
        view = view[..., 0]
    return view.astype(encoding.dtype, copy=False)


def bytes_of(data: Any) -> Any:
    """Return something with the buffer interface; a list, slow, becomes bytes."""
    return bytes(data) if isinstance(data, list) else data
