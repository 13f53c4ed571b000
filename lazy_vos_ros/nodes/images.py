"""Convert between image messages and numpy arrays.

With ROS installed its own `cv_bridge` does it. The package of that name in Python's package index
is another one, made for ROS 1 (it reads 16-bit images as 8-bit and ignores the step): it is never
used.
"""

from functools import lru_cache
from importlib import import_module
from importlib import metadata
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lazy_vos_ros.evaluation.compressed_images import check_compressed
from lazy_vos_ros.nodes.encodings import BAYER_FORMATS
from lazy_vos_ros.nodes.encodings import COLOUR_FORMATS
from lazy_vos_ros.nodes.encodings import YUV_FORMATS
from lazy_vos_ros.nodes.encodings import Encoding
from lazy_vos_ros.nodes.encodings import bytes_of
from lazy_vos_ros.nodes.encodings import check_image
from lazy_vos_ros.nodes.encodings import encoding_of
from lazy_vos_ros.nodes.encodings import pixels
from lazy_vos_ros.nodes.encodings import raw_name

AnyArray = npt.NDArray[Any]


class ImageBridge:
    """The four methods of cv_bridge's CvBridge, at the speed of a memory copy."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = 'passthrough') -> AnyArray:
        """Return an image's pixels, converted to `desired_encoding`.

        With 'passthrough', and where the encoding is the desired one already, the array shares
        memory with the message.

        Raises
        ------
        ValueError
            If the message is cut off or of an unknown encoding, or cannot be so converted.
        """
        encoding = check_image(img_msg)
        image = pixels(img_msg, encoding)
        if desired_encoding in ('passthrough', encoding.name):
            return image
        return convert(image, encoding, encoding_of(desired_encoding))

    def cv2_to_imgmsg(
        self, cvim: AnyArray, encoding: str = 'passthrough', header: Header | None = None
    ) -> Image:
        """Return a message with a copy of the pixels.

        Raises
        ------
        ValueError
            If the array does not fit the encoding.
        """
        name = raw_name(cvim) if encoding == 'passthrough' else encoding
        stored = encoding_of(name)
        channels = 1 if cvim.ndim == 2 else cvim.shape[-1]
        if cvim.ndim not in (2, 3) or cvim.dtype != stored.dtype or channels != stored.channels:
            raise ValueError(
                f'image is {cvim.dtype} of shape {cvim.shape}; allowed for {name}: {stored.dtype} '
                f'with {stored.channels} channels'
            )
        message = Image(encoding=name, height=cvim.shape[0], width=cvim.shape[1])
        message.step = cvim.shape[1] * stored.pixel_bytes
        if header is not None:
            message.header = header
        # Anything but an array of bytes is copied element by element.
        message.data.frombytes(memoryview(_little_endian(cvim)).cast('B'))
        return message

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: CompressedImage, desired_encoding: str = 'passthrough'
    ) -> AnyArray:
        """Return the decoded pixels: BGR, BGRA or grey, or converted to `desired_encoding`.

        Raises
        ------
        ValueError
            If the data are no image.
        """
        data = np.frombuffer(bytes_of(cmprs_img_msg.data), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
        if image is None:
            raise ValueError(
                f'compressed image of format {cmprs_img_msg.format!r} with {data.size} bytes '
                'cannot be decoded; allowed: whole jpeg or png data'
            )
        if desired_encoding == 'passthrough':
            return image
        return convert(image, encoding_of(decoded_name(image)), encoding_of(desired_encoding))

    def cv2_to_compressed_imgmsg(self, cvim: AnyArray, dst_format: str = 'jpg') -> CompressedImage:
        """Return a message with the encoded pixels (BGR, BGRA or grey).

        Raises
        ------
        ValueError
            If the format is unknown or cannot hold such pixels.
        """
        try:
            done, data = cv2.imencode(f'.{dst_format}', cvim)
        except cv2.error as error:
            raise ValueError(f'image cannot be encoded as {dst_format!r}: {error}') from None
        if not done:
            raise ValueError(f'image of shape {cvim.shape} cannot be encoded as {dst_format!r}')
        message = CompressedImage(format=dst_format)
        message.data.frombytes(memoryview(data.reshape(-1)))
        return message


def convert(image: AnyArray, source: Encoding, target: Encoding) -> AnyArray:
    """Convert pixels as cv_bridge does: colours, and 8 to 16 bits with the full range.

    Raises
    ------
    ValueError
        If colours would have to be made up or thrown away.
    """
    if 'raw' in (source.format, target.format):
        same = source.channels == target.channels and source.dtype == target.dtype
        if source.format == target.format and source.channels == target.channels:
            return _cast(image, target)
        if not same:
            raise ValueError(
                f'image of encoding {source.name} cannot become {target.name}; allowed: an '
                'encoding with colours, or one of the same type and channels'
            )
        return image
    if target.format not in COLOUR_FORMATS:
        raise ValueError(
            f'image cannot become {target.name}; allowed: {", ".join(COLOUR_FORMATS)} of 8 or 16 '
            'bits'
        )
    if source.format != target.format:
        image = _recolour(image, source, target)
    if source.dtype == target.dtype:
        return image
    if target.dtype == np.uint8:
        return cv2.convertScaleAbs(image, alpha=255 / 65535)
    return image.astype(np.uint16) * 257


def decoded_name(image: AnyArray) -> str:
    """Return the encoding of pixels that OpenCV decoded."""
    colours = {1: 'mono', 3: 'bgr', 4: 'bgra'}[1 if image.ndim == 2 else image.shape[2]]
    return f'{colours}{8 * image.dtype.itemsize}'


def _recolour(image: AnyArray, source: Encoding, target: Encoding) -> AnyArray:
    to = 'GRAY' if target.format == 'mono' else target.format.upper()
    if source.format in YUV_FORMATS:
        code = f'COLOR_YUV2{to}_{YUV_FORMATS[source.format]}'
    elif source.format in BAYER_FORMATS:
        code = f'COLOR_{BAYER_FORMATS[source.format]}2{to}'
    else:
        code = f'COLOR_{"GRAY" if source.format == "mono" else source.format.upper()}2{to}'
    try:
        return cv2.cvtColor(np.ascontiguousarray(image), getattr(cv2, code))
    except cv2.error as error:
        raise ValueError(
            f'{source.name} image of shape {image.shape} cannot become {target.name}: {error}'
        ) from None


def _cast(image: AnyArray, target: Encoding) -> AnyArray:
    if target.dtype.kind == 'f':
        return image.astype(target.dtype)
    limits = np.iinfo(target.dtype)
    return np.rint(image).clip(limits.min, limits.max).astype(target.dtype)


def _little_endian(image: AnyArray) -> AnyArray:
    return np.ascontiguousarray(image, dtype=image.dtype.newbyteorder('<'))


@lru_cache(maxsize=1)
def bridge() -> Any:
    """Return ROS's own CvBridge where it is installed and works, else an :class:`ImageBridge`."""
    try:
        made_for_ros_1 = metadata.version('cv-bridge').startswith('1.')
    except metadata.PackageNotFoundError:
        made_for_ros_1 = False
    if made_for_ros_1:
        return ImageBridge()
    try:
        return import_module('cv_bridge').CvBridge()
    # Its extension module fails in several ways under a numpy that it was not built for.
    except (ImportError, AttributeError, SystemError):
        return ImageBridge()


def rgb_from(message: Image | CompressedImage) -> npt.NDArray[np.uint8]:
    """Return a message's image as (H, W, 3) uint8 RGB, which may share memory with the message.

    Raises
    ------
    ValueError
        Naming what came and what is allowed.
    """
    try:
        if isinstance(message, Image):
            check_image(message)
            return np.ascontiguousarray(bridge().imgmsg_to_cv2(message, 'rgb8'))
        check_compressed(bytes_of(message.data), message.format)
        # Grey and transparent pictures are converted here: cv_bridge takes all for BGR.
        image = bridge().compressed_imgmsg_to_cv2(message)
        if not isinstance(image, np.ndarray):
            raise ValueError('it cannot be decoded; allowed: whole jpeg or png data')
        return convert(image, encoding_of(decoded_name(image)), encoding_of('rgb8'))
    except ValueError:
        raise
    except (TypeError, RuntimeError, cv2.error) as error:
        raise ValueError(f'image cannot be converted to rgb8: {error}') from error


def image_message(image: AnyArray, encoding: str, header: Header) -> Image:
    """Return a sensor_msgs/Image with this header."""
    message: Image = bridge().cv2_to_imgmsg(np.ascontiguousarray(image), encoding, header)
    return message
