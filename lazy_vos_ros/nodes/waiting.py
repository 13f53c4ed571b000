"""Wait in a service handler without holding up the node."""

import concurrent.futures
from collections.abc import Callable
from typing import Any
from typing import TypeVar

from rclpy.clock import Clock
from rclpy.clock import ClockType
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.task import Future
from rclpy.timer import Timer

from lazy_vos_ros.nodes.runtime import ending

Result = TypeVar('Result')

LOOK = 0.05
"""Seconds between looks whether the process shall end."""


class EndingError(RuntimeError):
    """The process shall end, so that something is not waited for any more."""


def result_unless_ending(job: 'concurrent.futures.Future[Result]') -> Result:
    """Wait for a job of another thread, and raise what it raised; EndingError on a signal."""
    while not job.done() and not ending():
        concurrent.futures.wait([job], LOOK)
    if not job.done():
        raise EndingError('the process shall end')
    return job.result()


def _finish(future: Future, result: Any) -> None:
    if not future.done():
        future.set_result(result)


def resolve(node: Node, future: Future, result: Any = None) -> None:
    """Finish a future from any thread, and wake the handler that waits for it."""
    executor: Executor | None = node.executor
    if executor is None:
        _finish(future, result)
    else:
        # A future by itself does not wake the executor.
        executor.create_task(_finish, future, result)


def steady_timer(node: Node, seconds: float, callback: Callable[[], None]) -> Timer:
    """Return a timer by a clock that goes on where simulated time stands still or jumps."""
    return node.create_timer(seconds, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


async def pause(node: Node, seconds: float) -> None:
    """Wait by the node's clock; to be awaited in a handler of a reentrant callback group."""
    if seconds <= 0:
        return
    future = Future()
    timer = node.create_timer(seconds, lambda: resolve(node, future), clock=node.get_clock())
    try:
        await future
    finally:
        node.destroy_timer(timer)


async def result_of(node: Node, job: 'concurrent.futures.Future[Any]') -> Any:
    """Wait for a job of another thread; raise what it raised."""
    future = Future()
    job.add_done_callback(lambda _: resolve(node, future))
    await future
    return job.result()
