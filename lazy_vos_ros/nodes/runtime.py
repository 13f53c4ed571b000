"""What every node's `main` does: start, spin, end cleanly on SIGINT and SIGTERM."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from collections.abc import Sequence
from types import FrameType

import rclpy
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.exceptions import InvalidParameterValueException
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from lazy_vos_ros.engine.allocator import tune_allocator

LOOK_FOR_SIGNALS = 0.1
"""Seconds after which a node that has nothing to do looks whether it shall end."""


class Stop(Exception):  # noqa: N818
    """Raised by a callback to end the node; the exit status is that of the process."""

    def __init__(self, status: int = 0) -> None:
        super().__init__(f'exit status {status}')
        self.status = status


_signalled: list[int] = []


def ending() -> bool:
    """Whether a signal has asked this process to end."""
    return bool(_signalled)


def run(make_node: Callable[[], Node], args: Sequence[str] | None = None) -> int:
    """Run a node until a signal or :class:`Stop`; return the exit status.

    A callback that raises anything else is logged, and the node goes on. A node with a method
    `close` is told before it is destroyed. What is wrong with the settings (ValueError, OSError
    while the node is made) becomes one line and status 1.
    """
    tune_allocator()

    def note(number: int, _: FrameType | None) -> None:
        _signalled.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    # rclpy's own handlers would close the context while messages are still being published.
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        return _run(make_node)
    finally:
        rclpy.try_shutdown()
        # Python puts handlers back to the default as it ends; a second signal would kill it then.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _run(make_node: Callable[[], Node]) -> int:
    try:
        node = make_node()
    except (
        ValueError,
        OSError,
        InvalidParameterTypeException,
        InvalidParameterValueException,
    ) as error:
        rclpy.logging.get_logger('lazy_vos_ros').fatal(f'cannot start: {error}')
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    status = 0
    try:
        while not ending():
            _spin_once(executor, node)
    except Stop as stop:
        status = stop.status
    finally:
        ended = getattr(node, 'close', lambda: True)()
        executor.shutdown(timeout_sec=0.5)
        node.destroy_node()
    if ended is False:
        _leave(status)
    return status


def _spin_once(executor: SingleThreadedExecutor, node: Node) -> None:
    try:
        executor.spin_once(timeout_sec=LOOK_FOR_SIGNALS)
    except Stop:
        raise
    except Exception:
        # A callback that fails must not take the others with it.
        node.get_logger().error(f'a callback failed: {traceback.format_exc()}')


def _leave(status: int) -> None:
    """End at once: a thread inside the network cannot be interrupted, nor safely torn down."""
    rclpy.try_shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
