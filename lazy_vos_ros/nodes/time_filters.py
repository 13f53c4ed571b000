"""What message_filters does, for machines where that package is not installed."""

from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Sequence
from threading import Lock
from typing import Any

Callback = Callable[..., None]


def stamp_of(message: Any) -> int:
    """Return the stamp of a message's header in nanoseconds."""
    stamp = message.header.stamp
    return stamp.sec * 1_000_000_000 + stamp.nanosec


class SimpleFilter:
    """Passes messages on to callbacks."""

    def __init__(self) -> None:
        self._callbacks: list[tuple[Callback, tuple[Any, ...]]] = []

    def registerCallback(self, cb: Callback, *args: Any) -> int:  # noqa: N802
        """Call `cb(*messages, *args)` for whatever comes; return the number of the callback."""
        self._callbacks.append((cb, args))
        return len(self._callbacks) - 1

    def signalMessage(self, *messages: Any) -> None:  # noqa: N802
        """Call all callbacks."""
        for callback, args in self._callbacks:
            callback(*messages, *args)


class Subscriber(SimpleFilter):
    """Messages of a topic; further arguments are those of `create_subscription`."""

    def __init__(
        self, node: Any, msg_type: Any, topic: str, qos_profile: Any = 10, **kwargs: Any
    ) -> None:
        super().__init__()
        self.node = node
        self.topic = topic
        self.sub = node.create_subscription(
            msg_type, topic, self.signalMessage, qos_profile, **kwargs
        )

    def getTopic(self) -> str:  # noqa: N802
        """Return the topic as it was given."""
        return self.topic


class ApproximateTimeSynchronizer(SimpleFilter):
    """Brings one message of each filter together if their stamps differ by at most `slop`.

    Each message is used once. A queue that is full loses what came first, whatever its stamp, so
    that a clock that jumps back does not stop it. No lock is held while callbacks run.
    """

    def __init__(
        self,
        fs: Sequence[SimpleFilter],
        queue_size: int,
        slop: float,
        allow_headerless: bool = False,
    ) -> None:
        super().__init__()
        if allow_headerless:
            raise ValueError('allow_headerless is True; allowed: False')
        if queue_size < 1 or slop < 0:
            raise ValueError(
                f'queue_size is {queue_size}, slop is {slop}; allowed: queue_size >= 1, slop >= 0'
            )
        self._size = queue_size
        self._slop = round(slop * 1e9)
        self._queues: list[OrderedDict[int, Any]] = [OrderedDict() for _ in fs]
        self._lock = Lock()
        for index, source in enumerate(fs):
            source.registerCallback(self._add, index)

    def _add(self, message: Any, index: int) -> None:
        with self._lock:
            matched = self._match(message, index)
        if matched is not None:
            self.signalMessage(*matched)

    def _match(self, message: Any, index: int) -> list[Any] | None:
        stamp = stamp_of(message)
        queue = self._queues[index]
        queue[stamp] = message
        if len(queue) > self._size:
            queue.popitem(last=False)
        if not all(self._queues):
            return None
        nearest = [min(other, key=lambda item: abs(item - stamp)) for other in self._queues]
        if max(nearest) - min(nearest) > self._slop:
            return None
        return [other.pop(item) for other, item in zip(self._queues, nearest, strict=True)]


class TimeSynchronizer(ApproximateTimeSynchronizer):
    """Brings messages of exactly one stamp together."""

    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int) -> None:
        super().__init__(fs, queue_size, 0.0)
