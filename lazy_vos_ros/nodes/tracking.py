"""What exists between configure and cleanup: network, tracker, worker, topics and services."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import Future
from concurrent.futures import TimeoutError
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import torch
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.logging import get_logger
from rclpy.node import Node

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes.frame_buffer import FrameBuffer
from lazy_vos_ros.nodes.frame_buffer import ImageMessage
from lazy_vos_ros.nodes.measures import Faults
from lazy_vos_ros.nodes.measures import Rate
from lazy_vos_ros.nodes.messages import answer_from
from lazy_vos_ros.nodes.node_config import NodeConfig
from lazy_vos_ros.nodes.outputs import Outputs
from lazy_vos_ros.nodes.question_desk import QuestionDesk
from lazy_vos_ros.nodes.servers import servers_of
from lazy_vos_ros.nodes.session import Session
from lazy_vos_ros.nodes.session import SessionState
from lazy_vos_ros.nodes.state_keeper import StateKeeper
from lazy_vos_ros.nodes.stream_clock import StreamClock
from lazy_vos_ros.nodes.tracker_services import TrackerServices
from lazy_vos_ros.nodes.waiting import EndingError
from lazy_vos_ros.nodes.waiting import result_unless_ending
from lazy_vos_ros.nodes.waiting import steady_timer
from lazy_vos_ros.nodes.worker import Worker

MakeNetworks = Callable[[NodeConfig, XMemConfig], tuple[Backend, Refiner]]
"""Builds what a node tracks and refines with."""

LOOK_FOR_OPERATOR = 0.2
"""Seconds between looks whether an operator has come or gone."""

WARM_UP = (96, 128)
"""Height and width of the images by which code is loaded before the first real one."""


class Tracking:
    """Takes images and publishes what the tracker makes of them.

    Raises
    ------
    ValueError, RuntimeError
        At construction, if the weights, the device or the first object are not as they must be.
    """

    def __init__(
        self,
        node: Node,
        config: NodeConfig,
        lazy: LazyConfig,
        xmem: XMemConfig,
        processed: Rate,
        faults: Faults,
        make_networks: MakeNetworks,
    ) -> None:
        self._node = node
        self._processed = processed
        self._faults = faults
        first = first_object(config)
        self._catch_up: Callable[[], bool] = lambda: False
        self.worker: Worker[ImageMessage] = Worker(
            self._process, self._failed, lambda: self._catch_up()
        )
        try:
            tracker = result_unless_ending(
                self.worker.submit(lambda: self._load(make_networks(config, xmem), lazy))
            )
        except EndingError:
            raise  # what is being loaded cannot be interrupted, and shall not be waited for
        except Exception:
            self.worker.stop()
            raise
        clock = StreamClock()
        self.buffer = FrameBuffer(config.click_buffer_frames, config.click_buffer_megabytes)
        self.outputs = Outputs(node, clock, self._not_published)
        self._client = node.create_client(RequestCorrection, 'request_correction')
        service = node.resolve_service_name('request_correction')
        self.desk = QuestionDesk(self._client, self._answered, lambda: servers_of(node, service))
        self.session = Session(
            tracker,
            self.outputs,
            self.desk,
            clock,
            self.buffer,
            lambda: self.worker.dropped,
            keeper := StateKeeper(tracker, self._backend, config.state_file),
        )
        self.session.begin_with(first)
        self._keep_state = config.keep_state
        if self._keep_state and keeper.there:
            self._try('load', self.worker.submit(self.session.load_state), None)
        self._catch_up = lambda: self.session.catch_up(config.replay_slice)
        self._services = TrackerServices(node, self.worker, self.session)
        self._timer = steady_timer(node, LOOK_FOR_OPERATOR, self.desk.look)

    def offer(self, message: ImageMessage) -> None:
        """Process this image next, unless a newer one comes first."""
        self.buffer.add(message)
        self.worker.offer(message)

    def configure(self, config: LazyConfig) -> None:
        """Change the settings of the method before the next image."""
        self.worker.submit(lambda: self.session.configure(config))

    def close(self, timeout: float | None) -> bool:
        """Take topics and services away, free the memory; return whether the worker has ended."""
        end = None if timeout is None else monotonic() + timeout
        if self._keep_state:
            self._try('save', self.worker.submit(self.session.save_state), timeout)
        ended = self.worker.stop(None if end is None else max(0.0, end - monotonic()))
        self._node.destroy_timer(self._timer)
        self._services.destroy()
        self.desk.keep_only(())
        self._node.destroy_client(self._client)
        self.outputs.destroy()
        self.buffer.clear()
        return ended

    def _try(self, what: str, job: 'Future[str]', timeout: float | None) -> None:
        """Wait for the state to be saved or loaded; a robot starts and ends without it, too."""
        try:
            self._node.get_logger().info(f'state: {job.result(timeout)}')
        except (ValueError, RuntimeError, CancelledError, TimeoutError) as error:
            words = str(error) or type(error).__name__
            self._node.get_logger().error(f'cannot {what} the state: {words}')

    def _load(self, networks: tuple[Backend, Refiner], lazy: LazyConfig) -> LazyTracker:
        backend, refiner = networks
        self._backend = backend
        self.backend_name, self.refiner_name = backend.name, refiner.name
        self.device_name = str(backend.device)
        tracker = LazyTracker(backend, refiner, lazy)
        warm_up(tracker)
        return tracker

    def _process(self, message: ImageMessage) -> None:
        before = self.session.state
        self.session.process(message)
        now = self.session.state
        self._processed.tick()
        self._tell_scale(before.scale, now.scale)
        if now.first_refused != before.first_refused:
            self._tell_first(now.first_refused)
        self._tell_refusals(now)

    def _tell_scale(self, before: float, now: float) -> None:
        if now < before:
            self._node.get_logger().warning(
                f'the accelerator has no memory left: working at {now:.0%} of the size'
            )
        elif now > before:
            self._node.get_logger().info(f'working at {now:.0%} of the size again')

    def _tell_first(self, refused: str) -> None:
        if not refused:
            self._node.get_logger().info('the first object was added')
        elif self._faults.note(refused):
            self._node.get_logger().warning(
                f'the first object could not be added: {refused} (it is tried again with each '
                'image)'
            )

    def _tell_refusals(self, state: SessionState) -> None:
        for event in state.result.events if state.result else ():
            if event.kind is not EventKind.REFUSED or event.reason == state.first_refused:
                continue
            if self._faults.note(event.reason):
                self._node.get_logger().warning(
                    f'a correction was refused: {event.reason} (further ones of this kind are '
                    'counted in /diagnostics)'
                )

    def _failed(self, error: Exception) -> None:
        self._note_fault('image not processed', error)

    def _not_published(self, error: Exception) -> None:
        self._note_fault('result not published', error)

    def _note_fault(self, what: str, error: Exception) -> None:
        words = f'{type(error).__name__}: {error}'
        if self._faults.note(words):
            self._node.get_logger().error(
                f'{what}: {words} (further ones of this kind are counted in /diagnostics)'
            )

    def _answered(self, request_id: str, response: RequestCorrection.Response) -> None:
        def job() -> CorrectionEvent:
            return self.session.answer(request_id, answer_from(response.answer, response.clicks))

        self.worker.submit(job).add_done_callback(lambda done: self._tell(request_id, done))

    def _tell(self, request_id: str, done: 'Future[CorrectionEvent]') -> None:
        try:
            event = done.result()
        except CancelledError:
            return
        except Exception as error:
            self._node.get_logger().warning(f'answer to {request_id} refused: {error}')
            return
        if event.kind is not EventKind.REFUSED:  # that is told with the next image
            self._node.get_logger().info(
                f'answer to {request_id}: object {event.object_id} {event.kind.value} '
                f'{event.reason}'.rstrip()
            )


def load_networks(config: NodeConfig, xmem: XMemConfig) -> tuple[Backend, Refiner]:
    """Return the networks that the parameters name.

    Where the device was left open and the accelerator has no memory for them, they run on the CPU.

    Raises
    ------
    ValueError, RuntimeError
        If weights or device are not as they must be.
    """
    try:
        return _load_on(config.device, config, xmem)
    except torch.OutOfMemoryError as error:
        if config.device != 'auto':
            raise
        get_logger('lazy_vos').warning(
            f'the accelerator has no memory for the networks, they run on the CPU: {error}'
        )
        return _load_on('cpu', config, xmem)


def _load_on(device: str, config: NodeConfig, xmem: XMemConfig) -> tuple[Backend, Refiner]:
    backend = make_backend(config.weights, device=device, settings=xmem)
    return backend, make_refiner(config.refiner, backend=backend, device=device)


def first_object(config: NodeConfig) -> Prompt | None:
    """Return the object to begin with, or None.

    Raises
    ------
    ValueError
        If the mask cannot be read or is empty.
    """
    click = config.first_click()
    if click is not None:
        return Prompt(clicks=(click,), label=config.initial_label)
    if not config.initial_mask:
        return None
    path = Path(config.initial_mask).expanduser()
    try:
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    except cv2.error:  # it promises more pixels than OpenCV takes
        image = None
    if image is None:
        raise ValueError(f'initial_mask is {config.initial_mask!r}; allowed: a readable png file')
    mask = image if image.ndim == 2 else image[..., :3].any(axis=2)
    return Prompt(mask=mask != 0, label=config.initial_label)


def warm_up(tracker: LazyTracker) -> None:
    """Take two steps on black images and forget them: the first ones of a process are slow."""
    image = np.zeros((*WARM_UP, 3), np.uint8)
    mask = np.zeros(WARM_UP, np.bool_)
    mask[24:72, 32:96] = True
    tracker.add_objects(image, [Prompt(mask=mask)])
    tracker.step(image)
    tracker.reset()
