"""How far from the pixel that a person means a click ends up, for every tool that sends clicks.

An operator node is asked about an image with a dot on each point of a grid. Each dot is looked up
in what the tool shows (RViz and Foxglove: the canvas as its messages draw it; rqt_image_view: the
image at several sizes of its window), the screen's pixel in its middle is clicked, and the click
goes over DDS as that tool sends it. The answer tells where it arrived. Errors are in pixels of the
camera's image.

Example: ``python -m benchmarks.click_error --size 1280x720``
"""

import argparse
import os
import sys
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from time import monotonic
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import rclpy
from geometry_msgs.msg import Point
from geometry_msgs.msg import PointStamped
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from benchmarks.rviz_view import RvizView
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.images import rgb_from
from lazy_vos_ros.nodes.operator import Operator
from lazy_vos_ros.nodes.operator_desk import GRACE
from lazy_vos_ros.nodes.qos import LATCHED

Picture = npt.NDArray[np.uint8]
Places = npt.NDArray[np.float64]
"""(N, 2) x and y."""

DOT = 3
"""Pixels from a dot's middle to its side."""


@dataclass(frozen=True)
class Source:
    """A tool, as it is set up."""

    name: str
    shown: Callable[['Desk'], Picture]
    """What it shows of the question."""
    click: Callable[['Desk', float, float], None]
    """Click on the middle of a pixel (column, row) of what it shows."""


class Desk:
    """An operator node, and what the tools see of it."""

    def __init__(self, context: rclpy.Context) -> None:
        parameters = [
            Parameter('confirm_after', value=1e9),
            Parameter('not_here_mouse_topic', value='~/second_mouse_left'),
            Parameter('web.port', value=0),
        ]
        self.operator = Operator(context=context, parameter_overrides=parameters)
        self.node = rclpy.create_node('tools', context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.operator)
        self.executor.add_node(self.node)
        self.clouds: list[PointCloud2] = []
        self.images: list[Image] = []
        self.asks = self.node.create_client(RequestCorrection, 'request_correction')
        self.confirms = self.node.create_client(Trigger, 'lazy_vos_operator/confirm')
        publisher = self.node.create_publisher
        self.here = publisher(PointStamped, 'lazy_vos_operator/here', 1000)
        self.not_here = publisher(PointStamped, 'lazy_vos_operator/not_here', 1000)
        self.mouse = publisher(Point, 'lazy_vos_operator/question_mouse_left', 1000)
        self.second_mouse = publisher(Point, 'lazy_vos_operator/second_mouse_left', 1000)
        for kind, topic, found in (
            (PointCloud2, 'canvas', self.clouds),
            (Image, 'question', self.images),
        ):
            self.node.create_subscription(
                kind, f'lazy_vos_operator/{topic}', found.append, LATCHED
            )
        tools = (self.here, self.not_here, self.mouse, self.second_mouse)
        self.until(lambda: all(tool.get_subscription_count() for tool in tools))
        self.until(lambda: self.asks.service_is_ready() and self.confirms.service_is_ready())

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        """Let the nodes work until a condition holds."""
        end = monotonic() + seconds
        while not condition():
            if monotonic() > end:
                raise RuntimeError('the operator does not answer')
            self.executor.spin_once(timeout_sec=0.02)

    def measure(self, source: Source, size: tuple[int, int], grid: Places) -> Places:
        """Return where clicks on the dots of a grid arrive, in pixels of the image."""
        number = len(self.images)
        future = self.asks.call_async(question(f'{source.name} {number}', size, grid))
        stamp = future_stamp(number)
        self.until(lambda: any(item.header.stamp.sec == stamp for item in self.images[-1:]))
        self.until(lambda: any(item.header.stamp.sec == stamp for item in self.clouds[-1:]))
        seen = monotonic() + GRACE
        self.until(lambda: monotonic() > seen)
        for column, row in dots_of(source.shown(self), grid, size):
            taken = self._taken()
            source.click(self, column, row)
            self.until(lambda taken=taken: self._taken() > taken)
        self.confirms.call_async(Trigger.Request())
        self.until(future.done)
        return np.array([(click.x, click.y) for click in future.result().clicks])

    def _taken(self) -> int:
        """Return how many clicks have arrived."""
        proposal = self.operator.desk.snapshot().proposal
        return len(proposal) if isinstance(proposal, tuple) else 0

    def close(self) -> None:
        """Take the nodes away."""
        self.executor.shutdown()
        self.operator.destroy_node()
        self.node.destroy_node()


def future_stamp(number: int) -> int:
    """Return the seconds of the stamp of a question."""
    return 1000 + number


def question(name: str, size: tuple[int, int], grid: Places) -> RequestCorrection.Request:
    """Return a question about an image of (width, height) with a dot on each point of a grid."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    for x, y in grid.astype(int).tolist():
        cv2.rectangle(image, (x - DOT, y - DOT), (x + DOT, y + DOT), (255, 255, 255), -1)
    header = Header(frame_id='lens')
    header.stamp.sec = future_stamp(int(name.rsplit(' ', 1)[1]))
    nothing = np.zeros((height, width), np.uint8)
    request = RequestCorrection.Request(
        header=header,
        request_id=name,
        object_id=1,
        label='dot',
        image=image_message(image, 'rgb8', header),
        mask=image_message(nothing, 'mono8', header),
        entropy=image_message(nothing.astype(np.float32), '32FC1', header),
    )
    request.timeout.sec = 3600
    return request


def grid_of(size: tuple[int, int], columns: int, rows: int) -> Places:
    """Return points of a grid over an image, whole pixels, from border to border."""
    width, height = size
    xs = np.rint(np.linspace(DOT, width - 1 - DOT, columns))
    ys = np.rint(np.linspace(DOT, height - 1 - DOT, rows))
    return np.array([(x, y) for y in ys for x in xs])


def dots_of(shown: Picture, grid: Places, size: tuple[int, int]) -> list[tuple[float, float]]:
    """Return the pixel of a screen in the middle of each dot, in the order of the grid.

    Only the dots of the image are pure grey; buttons and words are not.
    """
    grey = (shown.min(axis=2) > 100) & (np.ptp(shown.astype(int), axis=2) < 8)
    count, _, boxes, middles = cv2.connectedComponentsWithStats(grey.astype(np.uint8))
    found = [middles[index] for index in range(1, count) if boxes[index][cv2.CC_STAT_AREA] > 8]
    found.sort(key=lambda middle: middle[1])
    if len(found) < len(grid):
        raise RuntimeError(f'{len(found)} dots of {len(grid)} are seen')
    columns = len(np.unique(grid[:, 0]))
    ordered: list[tuple[float, float]] = []
    for start in range(0, len(grid), columns):
        row = sorted(found[start : start + columns], key=lambda middle: middle[0])
        # A mouse points at whole pixels; half of one is as near as the next.
        ordered += [(float(np.rint(x)), float(np.rint(y))) for x, y in row]
    return ordered


def canvas_shown(view: RvizView) -> Callable[[Desk], Picture]:
    """Return the 3D panel without the buttons."""

    def shown(desk: Desk) -> Picture:
        picture = view.draw(desk.clouds[-1])
        _, below = view.to_screen(0.0, -1.82)
        picture[int(below) :] = 0
        return picture

    return shown


def rqt_shown(width: int) -> Callable[[Desk], Picture]:
    """Return what rqt_image_view shows in a window of this width."""

    def shown(desk: Desk) -> Picture:
        image = rgb_from(desk.images[-1])
        height = round(image.shape[0] * width / image.shape[1])
        smaller = width < image.shape[1]
        method = cv2.INTER_AREA if smaller else cv2.INTER_NEAREST
        return np.asarray(cv2.resize(image, (width, height), interpolation=method))

    return shown


def point_click(
    view: RvizView, off: float = 0.0, *, z: float = 0.006, positive: bool = True
) -> Callable[..., None]:
    """Return a click of a Publish Point tool whose ray is off the middle of its pixel."""

    def click(desk: Desk, column: float, row: float) -> None:
        x, y = view.ray(column + 0.5 + off, row + 0.5 + off)
        message = PointStamped(header=Header(frame_id=FRAME_ID))
        message.header.stamp = desk.node.get_clock().now().to_msg()
        message.point.x, message.point.y, message.point.z = x, y, z
        (desk.here if positive else desk.not_here).publish(message)

    return click


def rqt_click(width: int, *, positive: bool = True) -> Callable[..., None]:
    """Return a click of rqt_image_view in a window of this width: a rounded pixel, no header."""

    def click(desk: Desk, column: float, row: float) -> None:
        scale = desk.images[-1].width / width
        message = Point(x=float(round(column * scale)), y=float(round(row * scale)))
        (desk.mouse if positive else desk.second_mouse).publish(message)

    return click


def sources(width: int) -> tuple[Source, ...]:
    """Return the tools, for an image of this width."""
    view = RvizView.load()
    small = replace(view, scale=130.0, width=900, height=640)
    whole = canvas_shown(view)
    return (
        Source('RViz, here', whole, point_click(view)),
        Source('RViz, not here', whole, point_click(view, positive=False)),
        Source('RViz, ray off by 1/2 pixel', whole, point_click(view, 0.5)),
        Source('RViz, 130 pixels a metre', canvas_shown(small), point_click(small)),
        Source("Foxglove's 3D panel", whole, point_click(view, z=0.0)),
        Source('rqt_image_view, 1:1', rqt_shown(width), rqt_click(width)),
        Source(
            'rqt_image_view, 1:1, not here', rqt_shown(width), rqt_click(width, positive=False)
        ),
        Source('rqt_image_view, 3:4', rqt_shown(width * 3 // 4), rqt_click(width * 3 // 4)),
        Source('rqt_image_view, 1:2', rqt_shown(width // 2), rqt_click(width // 2)),
    )


def table(size: tuple[int, int], columns: int, rows: int) -> list[tuple[str, int, Places]]:
    """Return name, number of clicks and (N, 2) errors in pixels of every source."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    context = rclpy.Context()
    context.init(domain_id=100 + os.getpid() % 100)
    desk = Desk(context)
    grid = grid_of(size, columns, rows)
    try:
        return [
            (source.name, len(grid), desk.measure(source, size, grid) - grid)
            for source in sources(size[0])
        ]
    finally:
        desk.close()
        context.try_shutdown()


def main(args: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--size', default='1280x720', help='of the image, WIDTHxHEIGHT')
    parser.add_argument('--grid', default='9x5', help='points, COLUMNSxROWS')
    options = parser.parse_args(args)
    width, height = map(int, options.size.split('x'))
    columns, rows = map(int, options.grid.split('x'))
    print(f'clicks on a {columns} x {rows} grid, errors in pixels of the {options.size} image')
    print(f'{"source":32}{"clicks":>8}{"mean |dx|":>11}{"mean |dy|":>11}{"largest":>9}')
    for name, count, errors in table((width, height), columns, rows):
        mean = np.abs(errors).mean(axis=0)
        print(f'{name:32}{count:8}{mean[0]:11.2f}{mean[1]:11.2f}{np.abs(errors).max():9.2f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
