"""The engine's results as messages, and messages as the engine's clicks and answers."""

from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from lazy_vos_msgs.msg import Click as ClickMessage
from lazy_vos_msgs.msg import CorrectionEvent as EventMessage
from lazy_vos_msgs.msg import ObjectState as StateMessage
from lazy_vos_msgs.msg import TrackingState
from lazy_vos_msgs.srv import RequestCorrection
from rclpy.duration import Duration
from sensor_msgs.msg import Image
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

from lazy_vos_ros.engine.backend import MemorySize
from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Action
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.results import CorrectionRequest
from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.engine.results import FrameResult
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.engine.results import Skip
from lazy_vos_ros.nodes.images import image_message

EVENT_KINDS = {kind: getattr(EventMessage, kind.name) for kind in EventKind}
ACTIONS = {action: getattr(StateMessage, f'ACTION_{action.name}') for action in Action}
_CODES = RequestCorrection.Response
_LONGEST_TIMEOUT = 2.0**31 - 1


def mask_message(labels: npt.NDArray[np.uint16], header: Header) -> Image:
    """Return the label image: mono8, or mono16 if an id is above 255."""
    if labels.max(initial=0) > 255:
        return image_message(labels, 'mono16', header)
    return image_message(labels.astype(np.uint8), 'mono8', header)


def state_message(
    result: FrameResult, header: Header, memory: MemorySize, *, dropped: int, latency: float
) -> TrackingState:
    """Return the summary of one image; `latency` in seconds."""
    return TrackingState(
        header=header,
        frame_index=result.frame_index,
        objects=[object_message(state) for state in result.objects],
        mean_entropy=float(result.entropy.mean()),
        memorised=result.memorised,
        working_memory=memory.working,
        long_term_memory=memory.long_term,
        dropped=dropped,
        predict_ms=1e3 * result.timings.predict,
        lazy_ms=1e3 * result.timings.lazy,
        refine_ms=1e3 * result.timings.refine,
        commit_ms=1e3 * result.timings.commit,
        latency_ms=1e3 * latency,
    )


def object_message(state: ObjectState) -> StateMessage:
    """Return the state of one object."""
    x, y, width, height = state.box or (0, 0, 0, 0)
    return StateMessage(
        id=state.object_id,
        label=state.label,
        uncertainty=float(state.uncertainty),
        derivative=float(state.derivative),
        area=int(state.area),
        box=RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height),
        action=ACTIONS[state.action],
        question_open=state.question_open,
        absent=state.absent,
    )


def event_message(
    event: CorrectionEvent, header: Header, applied_stamp: Time, time: Time
) -> EventMessage:
    """Return an event; `header` is that of the image that it concerns."""
    return EventMessage(
        header=header,
        kind=EVENT_KINDS[event.kind],
        object_id=event.object_id,
        request_id=event.request_id,
        frame_index=event.frame_index,
        clicks=click_messages(event.clicks),
        uncertainty=float(event.uncertainty),
        derivative=float(event.derivative),
        applied_stamp=applied_stamp,
        time=time,
        reason=event.reason,
    )


def question_message(
    request: CorrectionRequest, header: Header, tracker: str, asked: Time
) -> RequestCorrection.Request:
    """Return the question as it goes to the operator; `asked` is now by the tracker's clock."""
    timeout = min(max(0.0, request.expires - request.asked), _LONGEST_TIMEOUT)
    return RequestCorrection.Request(
        header=header,
        tracker=tracker,
        request_id=request.request_id,
        object_id=request.object_id,
        label=request.label,
        uncertainty=float(request.uncertainty),
        derivative=float(request.derivative),
        reason=request.reason,
        asked=asked,
        timeout=Duration(seconds=timeout).to_msg(),
        image=image_message(request.image, 'rgb8', header),
        mask=image_message(request.mask.astype(np.uint8) * 255, 'mono8', header),
        entropy=image_message(request.entropy, '32FC1', header),
    )


def click_messages(clicks: Iterable[Click]) -> list[ClickMessage]:
    """Return clicks as messages."""
    return [ClickMessage(x=float(c.x), y=float(c.y), positive=c.positive) for c in clicks]


def clicks_from(messages: Sequence[ClickMessage]) -> tuple[Click, ...]:
    """Return the clicks of messages; ValueError if a coordinate is not finite."""
    return tuple(Click(float(m.x), float(m.y), bool(m.positive)) for m in messages)


def answer_from(code: int, clicks: Sequence[ClickMessage]) -> Answer:
    """Return what a RequestCorrection response or a Correct request says.

    Raises
    ------
    ValueError
        If the code is unknown, or does not agree with the clicks.
    """
    if code == _CODES.CLICK and clicks:
        return clicks_from(clicks)
    if code in (_CODES.SKIP, _CODES.ABSENT) and not clicks:
        return Skip() if code == _CODES.SKIP else Absent()
    raise ValueError(
        f'answer is {code} with {len(clicks)} clicks; allowed: {_CODES.CLICK} (CLICK) with at '
        f'least one, {_CODES.SKIP} (SKIP) or {_CODES.ABSENT} (ABSENT) with none'
    )


def response_from(answer: Answer, message: str = '') -> RequestCorrection.Response:
    """Return an answer as the response of the operator's service."""
    response = RequestCorrection.Response(message=message)
    if isinstance(answer, Skip | Absent):
        response.answer = _CODES.SKIP if isinstance(answer, Skip) else _CODES.ABSENT
        return response
    clicks = (answer,) if isinstance(answer, Click) else answer
    response.answer = _CODES.CLICK
    response.clicks = click_messages(clicks)
    return response
