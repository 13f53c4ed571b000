"""The services of the tracker node: each becomes a job of the worker."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import numpy as np
import numpy.typing as npt
from lazy_vos_msgs.srv import AddObject
from lazy_vos_msgs.srv import Correct
from lazy_vos_msgs.srv import PreviewCorrection
from lazy_vos_msgs.srv import RemoveObject
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from lazy_vos_ros.engine.prompts import Prompt
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.messages import answer_from
from lazy_vos_ros.nodes.messages import clicks_from
from lazy_vos_ros.nodes.session import Session
from lazy_vos_ros.nodes.waiting import result_of
from lazy_vos_ros.nodes.worker import Worker


class TrackerServices:
    """Serves what people and programs ask of the tracker; no handler holds up the node."""

    def __init__(self, node: Node, worker: Worker[Any], session: Session) -> None:
        self._node = node
        self._worker = worker
        self._session = session
        group = ReentrantCallbackGroup()
        self._services = [
            node.create_service(kind, f'~/{name}', handler, callback_group=group)
            for kind, name, handler in (
                (AddObject, 'add_object', self._add),
                (RemoveObject, 'remove_object', self._remove),
                (Correct, 'correct', self._correct),
                (PreviewCorrection, 'preview', self._preview),
                (Trigger, 'undo', self._undo),
                (Trigger, 'reset', self._reset),
                (Trigger, 'save_state', self._save_state),
                (Trigger, 'load_state', self._load_state),
            )
        ]

    def destroy(self) -> None:
        """Take the services away."""
        for service in self._services:
            self._node.destroy_service(service)

    async def _add(
        self, request: AddObject.Request, response: AddObject.Response
    ) -> AddObject.Response:
        def job() -> int:
            return self._session.add(request.header, prompt_of(request))

        object_id = await self._run('add_object', job, response)
        response.object_id = object_id or 0
        return response

    async def _remove(
        self, request: RemoveObject.Request, response: RemoveObject.Response
    ) -> RemoveObject.Response:
        await self._run('remove_object', lambda: self._session.remove(request.object_id), response)
        return response

    async def _correct(
        self, request: Correct.Request, response: Correct.Response
    ) -> Correct.Response:
        def job() -> CorrectionEvent:
            return self._session.correct(
                request.header, request.object_id, answer_from(request.answer, request.clicks)
            )

        event = await self._run('correct', job, response)
        if event is not None and event.kind is EventKind.REFUSED:
            response.success, response.message = False, event.reason
        return response

    async def _preview(
        self, request: PreviewCorrection.Request, response: PreviewCorrection.Response
    ) -> PreviewCorrection.Response:
        def job() -> npt.NDArray[np.bool_]:
            return self._session.preview(request.request_id, clicks_from(request.clicks))

        mask = await self._run('preview', job, response)
        if mask is not None:
            response.mask = image_message(mask.astype(np.uint8) * 255, 'mono8', Header())
        return response

    async def _undo(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        words = await self._run('undo', self._session.undo, response)
        response.message = words or response.message
        return response

    async def _reset(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        await self._run('reset', self._session.reset, response)
        return response

    async def _save_state(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        words = await self._run('save_state', self._session.save_state, response)
        response.message = words or response.message
        return response

    async def _load_state(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        words = await self._run('load_state', self._session.load_state, response)
        response.message = words or response.message
        return response

    async def _run(self, name: str, job: Callable[[], Any], response: Any) -> Any:
        """Run a job and write into the response how it went; return its result or None.

        The response goes out after what the job published.
        """

        def published() -> Any:
            try:
                return job()
            finally:
                self._session.flush()

        try:
            result = await result_of(self._node, self._worker.submit(published))
        except ValueError as error:
            response.message = str(error)
        except CancelledError:
            response.message = 'the node is shutting down'
        except RuntimeError as error:
            response.message = f'{type(error).__name__}: {error}'
            self._node.get_logger().error(f'{name} failed: {response.message}')
            return None
        else:
            response.success = True
            return result
        self._node.get_logger().warning(f'{name} refused: {response.message}')
        return None


def prompt_of(request: AddObject.Request) -> Prompt:
    """Return the new object of a request.

    Raises
    ------
    ValueError
        If neither or both of clicks and mask are given, or the mask is no whole mono8 image.
    """
    clicks = clicks_from(request.clicks)
    if request.mask.width == 0:
        return Prompt(clicks=clicks, label=request.label)
    if request.mask.encoding not in ('mono8', '8UC1'):
        raise ValueError(f'mask encoding is {request.mask.encoding!r}; allowed: mono8')
    mask = bridge().imgmsg_to_cv2(request.mask, 'passthrough')
    return Prompt(clicks=clicks, mask=mask != 0, label=request.label)
