"""Faults of those who are asked."""

from time import monotonic
from time import sleep
from typing import Any

from lazy_vos_msgs.msg import Click
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.srv import AddObject
from lazy_vos_msgs.srv import RemoveObject
from lazy_vos_msgs.srv import RequestCorrection
from rcl_interfaces.msg import Parameter
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future

from benchmarks.faults.robot import Robot
from benchmarks.faults.row import Row
from benchmarks.faults.row import check

LEAVE = 0.5
"""Seconds; a tracker looks five times a second who serves its questions."""


class Person:
    """Serves `request_correction`, and answers when told to."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self.requests: list[Any] = []
        self._calls: list[Future] = []
        self._service = robot.graph.node.create_service(
            RequestCorrection,
            'request_correction',
            self._serve,
            callback_group=ReentrantCallbackGroup(),
        )

    async def _serve(self, request: Any, response: Any) -> Any:
        call = Future()
        self._calls.append(call)
        self.requests.append(request)
        return await call

    def wait(self, count: int = 1) -> Any:
        """Wait for a question; return the newest."""
        self.robot.until(lambda: len(self.requests) >= count, 'the operator is asked')
        return self.requests[-1]

    def answer(self, number: int = -1) -> None:
        """Answer a question with a click on the square."""
        clicks = [Click(x=30.0, y=36.0, positive=True)]
        response = RequestCorrection.Response(clicks=clicks)
        self.robot.graph.executor.create_task(self._calls[number].set_result, response)

    def leave(self) -> None:
        """Take the service away without an answer, and let the tracker see that."""
        self.robot.graph.node.destroy_service(self._service)
        sleep(LEAVE)


def ask_always(robot: Robot, **changes: Any) -> None:
    """Set parameters of the tracker so that it asks about each image, or as `changes` say."""
    values = {
        'trigger': 'level',
        'tau_p': 0.0,
        'tau_u': 0.0,
        'user_corrections': True,
        **changes,
    }
    parameters = [Parameter(name=name, value=_value(value)) for name, value in values.items()]
    result = robot.graph.call(
        SetParametersAtomically, 'lazy_vos/set_parameters_atomically', parameters=parameters
    ).result
    check(result.successful, result.reason)


def _value(value: Any) -> ParameterValue:
    if isinstance(value, bool):
        return ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=value)
    if isinstance(value, float):
        return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)


def calm(robot: Robot) -> None:
    """Ask nothing from now on, and leave no question open."""
    ask_always(robot, user_corrections=False, tau_u=1e3, tau_p=1e3)


def operator_absent(robot: Robot) -> Row:
    """Ask while nobody serves the questions; then let somebody come."""
    ask_always(robot)
    robot.track(2)
    level = robot.judged('nobody serves request_correction')
    seconds = robot.recover()
    person, begin = Person(robot), monotonic()
    question = person.wait()
    came = monotonic() - begin
    person.answer()
    robot.until(lambda: _answered(robot, question), 'the answer is used')
    person.leave()
    calm(robot)
    return Row(
        'operator absent',
        'a question with no operator node; one starts later',
        f'keeps the question, corrects itself meanwhile; who comes is asked after {came:.2f} s',
        (seconds,),
        level=level,
        events='ASKED, ANSWERED',
        lost='nothing; with `question_timeout` the question expires (EXPIRED)',
    )


def operator_slow(robot: Robot) -> Row:
    """Answer only after twenty images."""
    person = Person(robot)
    ask_always(robot)
    robot.track(2)
    question = person.wait()
    robot.track(20)
    person.answer()
    robot.until(lambda: _answered(robot, question), 'the late answer is used')
    seconds = robot.recover()
    person.leave()
    calm(robot)
    return Row(
        'operator slow',
        'the answer comes 20 images later',
        'does not wait; the answer is used on the image of the question (`late: replay` tracks '
        'the images since then again)',
        (),
        events='ASKED, ANSWERED with both stamps',
        lost=f'nothing; the next mask came {seconds:.2f} s after the answer',
    )


def operator_dies(robot: Robot) -> Row:
    """Let the operator vanish with a question open, and another one come."""
    first = Person(robot)
    ask_always(robot)
    robot.track(2)
    question = first.wait()
    first.leave()
    seconds = robot.recover()
    second, begin = Person(robot), monotonic()
    again = second.wait()
    check(again.request_id == question.request_id, 'another question was asked')
    came = monotonic() - begin
    second.answer()
    robot.until(lambda: _answered(robot, question), 'the answer is used')
    second.leave()
    calm(robot)
    return Row(
        'operator dies with a question open',
        'its service vanishes; another one comes',
        f'puts the same question to the next one, after {came:.2f} s',
        (seconds,),
        events='ASKED, ANSWERED, once each',
    )


def answers_twice(robot: Robot) -> Row:
    """Let two operators answer one question."""
    first, second = Person(robot), Person(robot)
    ask_always(robot)
    robot.track(2)
    question = first.wait()
    check(second.wait().request_id == question.request_id, 'the second was not asked')
    first.answer()
    robot.until(lambda: _answered(robot, question), 'the first answer is used')
    second.answer()
    seconds = robot.recover()
    sleep(0.3)
    used = [event for event in tuple(robot.events) if event.request_id == question.request_id]
    check(
        [event.kind for event in used].count(CorrectionEvent.ANSWERED) == 1,
        'an answer was used twice',
    )
    first.leave()
    second.leave()
    calm(robot)
    return Row(
        'two operators; a question is answered twice',
        'two nodes serve `request_correction`, and both answer',
        'asks both; the first answer counts, the other is dropped (the operator nodes take the '
        'question away: "it was answered elsewhere")',
        (),
        events='ANSWERED, once',
        lost=f'nothing; the next mask came {seconds:.2f} s after the second answer',
    )


def answers_for_removed(robot: Robot) -> Row:
    """Remove the object whose question is open, and answer then."""
    person = Person(robot)
    ask_always(robot)
    click = Click(x=100.0, y=70.0, positive=True)
    number = robot.graph.call(AddObject, 'lazy_vos/add_object', clicks=[click]).object_id
    robot.track(3)
    robot.until(
        lambda: any(item.object_id == number for item in person.requests), 'it is asked about'
    )
    at = [item.object_id for item in person.requests].index(number)
    robot.graph.call(RemoveObject, 'lazy_vos/remove_object', object_id=number)
    person.answer(at)
    seconds = robot.recover()
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    robot.until(lambda: robot.told(CorrectionEvent.EXPIRED), 'the question is closed')
    person.leave()
    calm(robot)
    return Row(
        'answer for a removed object',
        'the object is removed while its question is open, then the answer comes',
        'closes the question at the removal; the answer has no effect',
        (),
        events='EXPIRED ("the object was removed"), REMOVED',
        lost=f'nothing; the next mask came {seconds:.2f} s after the answer',
    )


def _answered(robot: Robot, question: Any) -> bool:
    return any(
        event.kind == CorrectionEvent.ANSWERED and event.request_id == question.request_id
        for event in tuple(robot.events)
    )


IN_STREAM = (
    operator_absent,
    operator_slow,
    operator_dies,
    answers_twice,
    answers_for_removed,
)
