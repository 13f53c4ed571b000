"""Faults of the network, of the refiner and of the accelerator's memory."""

from time import sleep

from lazy_vos_msgs.msg import CorrectionEvent

from benchmarks.faults.people import Person
from benchmarks.faults.people import ask_always
from benchmarks.faults.people import calm
from benchmarks.faults.robot import Robot
from benchmarks.faults.row import Row
from benchmarks.faults.row import check

PIXELS = 96 * 128
"""Of an image of the robot's camera, at the network."""


def not_a_number(robot: Robot) -> Row:
    """Let the network return NaN for some images."""
    robot.fail(nan=True)
    for _ in range(3):
        robot.camera.publish()
        sleep(0.1)
    log = robot.logged('NaN or infinite')
    robot.fail()
    seconds = robot.recover()
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    return Row(
        'NaN or Inf from the network',
        'the decoder returns NaN for three images',
        'gives these images up as a whole: nothing of them enters the memory, and no question of '
        'them stays open',
        (seconds,),
        log,
        lost='the masks of these images',
    )


def out_of_memory(robot: Robot) -> Row:
    """Leave the accelerator memory for less and less, then for all again."""
    robot.track(1)
    seconds = []
    for part in (0.6, 0.3):
        robot.fail(pixels=part * PIXELS)
        seconds.append(robot.recover())
    log = robot.logged('no memory left: working at 50%')
    level = robot.judged('works at 50%')
    check(robot.masks[-1].width == 128, 'the mask is not of the size of the image')
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    robot.fail()
    return Row(
        'accelerator out of memory',
        'allocations fail above 60 %, then 30 % of the pixels (by an injected '
        '`torch.OutOfMemoryError`)',
        'tracks the same image again after giving up, in this order: cached blocks and what late '
        'answers could be replayed from; the size (75 %, 50 %); the object added last, down to '
        'one. The size comes back after 30 s without a shortage',
        tuple(seconds),
        log,
        level,
        'REMOVED for an object that is shed',
        'detail of the masks; then objects, the newest first',
    )


def refiner_fails(robot: Robot) -> Row:
    """Let the refiner raise at each click of the tracker itself."""
    return _refiner(robot, 'fails', 'the refiner raises', 'lost its weights')


def refiner_empty(robot: Robot) -> Row:
    """Let the refiner return empty masks."""
    return _refiner(robot, 'empty', 'the refiner returns empty masks', 'gave an empty mask')


def _refiner(robot: Robot, mood: str, made: str, words: str) -> Row:
    person = Person(robot)
    ask_always(robot)
    robot.track(2)
    question = person.wait()
    robot.fail(refiner=mood)
    person.answer(0)
    robot.until(
        lambda: any(
            event.kind == CorrectionEvent.REFUSED and event.request_id == question.request_id
            for event in tuple(robot.events)
        ),
        'the event tells',
    )
    seconds = robot.recover()
    log = robot.logged(f'refused: .*{words}')
    robot.fail()
    person.leave()
    calm(robot)
    return Row(
        made,
        'at the click that answers a question',
        "refuses the correction with the reason; the tracker's own mask stands, and it may ask "
        'again',
        (seconds,),
        log,
        events='REFUSED',
        lost='the correction',
    )


IN_STREAM = (not_a_number, refiner_fails, refiner_empty, out_of_memory)
