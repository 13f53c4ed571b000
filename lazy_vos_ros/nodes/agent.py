"""`lazy_vos_agent`: a simulated operator with a reaction time, as in the paper's experiments."""

import sys
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import TimeReference

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.evaluation.label_images import read_labels
from lazy_vos_ros.evaluation.operators import RecordedClicks
from lazy_vos_ros.evaluation.operators import gt_center
from lazy_vos_ros.evaluation.operators import largest_error
from lazy_vos_ros.evaluation.sources import natural_key
from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.messages import response_from
from lazy_vos_ros.nodes.parameters import declare
from lazy_vos_ros.nodes.parameters import read
from lazy_vos_ros.nodes.parameters import warn_of_unknown
from lazy_vos_ros.nodes.parameters import watch
from lazy_vos_ros.nodes.qos import EVENTS
from lazy_vos_ros.nodes.qos import subscription
from lazy_vos_ros.nodes.runtime import run
from lazy_vos_ros.nodes.servers import client_known
from lazy_vos_ros.nodes.waiting import pause

MEMORY = 10_000
"""Images whose time in the clip is remembered."""


@dataclass(frozen=True)
class AgentSettings:
    """Parameters of the node."""

    clicks: str = parameter('', "YAML file of the objects' centres over time.", dynamic=False)
    masks: str = parameter(
        '', 'Folder of label images, one for each frame of the clip, in order.', dynamic=False
    )
    fps: float = parameter(
        25.0, 'Frames per second of the clip that `masks` belong to.', low=0.001, dynamic=False
    )
    mode: str = parameter(
        'gt_center',
        "Where to click with `masks`: the object's centre, or that of the largest error.",
        choices=('gt_center', 'largest_error'),
    )
    reaction_time: float = parameter(1.5, 'Seconds until an answer.', low=0.0, high=3600.0)
    reaction_spread: float = parameter(
        0.0, 'Standard deviation of the reaction time in seconds.', low=0.0, high=3600.0
    )
    seed: int = parameter(0, 'Of the random reaction times.', low=0, dynamic=False)
    clip_time: str = parameter(
        'lazy_vos_camera/clip_time',
        "Topic (sensor_msgs/TimeReference) that tells each image's time in the clip.",
        dynamic=False,
    )

    def __post_init__(self) -> None:
        """Check every field."""
        check_parameters(self)
        if bool(self.clicks) == bool(self.masks):
            raise ValueError(
                f'clicks is {self.clicks!r} and masks is {self.masks!r}; allowed: one of them'
            )


class MaskFolder:
    """Ground truth: label images in the natural order of their names."""

    def __init__(self, folder: str) -> None:
        self.paths = sorted(Path(folder).glob('*.png'), key=natural_key)
        if not self.paths:
            raise ValueError(f'masks is {folder!r}; allowed: a folder with png label images')

    def at(self, index: int, object_id: int) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """Return the (H, W) mask of an object in a frame, None where there is no image.

        Raises
        ------
        ValueError
            If the file cannot be read or has colours.
        """
        if not 0 <= index < len(self.paths):
            return None
        return read_labels(self.paths[index]) == object_id


class Agent(Node):
    """Serves `request_correction` from ground truth, after a human's time."""

    def __init__(self, **options: Any) -> None:
        super().__init__('lazy_vos_agent', **options)
        declare(self, AgentSettings)
        warn_of_unknown(self)
        self.settings = read(self, AgentSettings)
        watch(self, lambda: self.settings, self._change)
        self._clicks = RecordedClicks.load(self.settings.clicks) if self.settings.clicks else None
        self._masks = MaskFolder(self.settings.masks) if self.settings.masks else None
        self._random = np.random.default_rng(self.settings.seed)
        self._times: OrderedDict[tuple[int, int], float] = OrderedDict()
        subscription(self, TimeReference, self.settings.clip_time, self._on_time, EVENTS)
        self.create_service(
            RequestCorrection,
            'request_correction',
            self._answer,
            callback_group=ReentrantCallbackGroup(),
        )

    def _change(self, settings: AgentSettings) -> None:
        self.settings = settings

    def _on_time(self, message: TimeReference) -> None:
        key = _key(message.header.stamp)
        self._times[key] = message.time_ref.sec + message.time_ref.nanosec * 1e-9
        if len(self._times) > MEMORY:
            self._times.popitem(last=False)

    async def _answer(
        self, request: RequestCorrection.Request, response: RequestCorrection.Response
    ) -> RequestCorrection.Response:
        await pause(self, self._reaction())
        answer: Click | Absent | Skip
        try:
            answer, message = self._decide(request), ''
        except ValueError as error:
            # Whoever gets no answer at all would wait for it.
            answer, message = Skip(), str(error)
        await client_known(self, self.resolve_service_name('request_correction'))
        self.get_logger().info(f'object {request.object_id}: {answer} {message}'.rstrip())
        return response_from(answer, message)

    def _decide(self, request: RequestCorrection.Request) -> Click | Absent | Skip:
        """Return the answer; ValueError says why there is none."""
        seconds = self._times.get(_key(request.header.stamp))
        if seconds is None:
            raise ValueError(f'no {self.settings.clip_time} for this image')
        if self._clicks is not None:
            return self._clicks.at(seconds * self._clicks.fps, request.object_id)
        frame = round(seconds * self.settings.fps)
        truth = self._masks.at(frame, request.object_id) if self._masks else None
        if truth is None:
            raise ValueError(f'no mask for this image: it is frame {frame} of the clip')
        prediction = bridge().imgmsg_to_cv2(request.mask, 'mono8') > 0
        rule = gt_center if self.settings.mode == 'gt_center' else largest_error
        return rule(truth, prediction)

    def _reaction(self) -> float:
        spread = self._random.normal(0.0, self.settings.reaction_spread)
        return max(0.0, self.settings.reaction_time + float(spread))


def _key(stamp: Time) -> tuple[int, int]:
    return stamp.sec, stamp.nanosec


def main(args: list[str] | None = None) -> int:
    """Run the node until a signal comes."""
    return run(Agent, args)


if __name__ == '__main__':
    sys.exit(main())
