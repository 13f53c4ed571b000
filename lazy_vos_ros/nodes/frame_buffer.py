"""The newest images, so that a click on an earlier one finds it."""

from collections import OrderedDict
from threading import Lock

from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image

from lazy_vos_ros.nodes.stream_clock import nanoseconds

ImageMessage = Image | CompressedImage


class FrameBuffer:
    """Keeps image messages by stamp, bounded in number and bytes; thread-safe."""

    def __init__(self, frames: int, megabytes: int) -> None:
        self._most_frames = frames
        self._most_bytes = megabytes << 20
        self._lock = Lock()
        self._messages: OrderedDict[int, ImageMessage] = OrderedDict()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of pixels that it holds."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: ImageMessage) -> None:
        """Keep a message; the oldest ones give way."""
        stamp = nanoseconds(message.header.stamp)
        with self._lock:
            replaced = self._messages.pop(stamp, None)
            self._bytes -= 0 if replaced is None else len(replaced.data)
            self._messages[stamp] = message
            self._bytes += len(message.data)
            # The newest one is kept in any case.
            while len(self._messages) > 1 and self._too_much():
                self._bytes -= len(self._messages.popitem(last=False)[1].data)

    def _too_much(self) -> bool:
        return len(self._messages) > self._most_frames or self._bytes > self._most_bytes

    def find(self, stamp: Time) -> ImageMessage:
        """Return the image of this stamp.

        Raises
        ------
        ValueError
            If it is not there (any more), telling which are.
        """
        with self._lock:
            found = self._messages.get(nanoseconds(stamp))
            kept = list(self._messages)
        if found is not None:
            return found
        span = f'{kept[0] / 1e9:.3f} to {kept[-1] / 1e9:.3f} s' if kept else 'none'
        raise ValueError(
            f'image of stamp {nanoseconds(stamp) / 1e9:.3f} s is not kept; kept: {span} '
            f'({len(kept)} images)'
        )

    def newest(self) -> ImageMessage:
        """Return the image that came last; ValueError if there is none."""
        with self._lock:
            if self._messages:
                return next(reversed(self._messages.values()))
        raise ValueError('no image has come yet; allowed: once the camera publishes')

    def clear(self) -> None:
        """Forget all images."""
        with self._lock:
            self._messages.clear()
            self._bytes = 0
