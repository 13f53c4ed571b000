"""Faults of clocks; the machine's own is left alone: `/clock` and stamps stand for it."""

from time import monotonic
from time import sleep

from builtin_interfaces.msg import Time
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header

from benchmarks.faults.robot import Robot
from benchmarks.faults.row import Row
from benchmarks.faults.row import check
from lazy_vos_ros.nodes.stream_clock import time_message

SECOND = 1_000_000_000
IMAGES = 12
STEP = SECOND // 10
"""Of a bag's stamps."""


class Player:
    """Publishes `/clock` and the robot's images as `ros2 bag play --clock` does."""

    def __init__(self, robot: Robot) -> None:
        self.robot = robot
        self._clock = robot.graph.node.create_publisher(Clock, '/clock', 10)

    def show(self, nanoseconds: int) -> Time:
        """Publish one image at a time of the bag, and that time; return its stamp."""
        stamp = time_message(nanoseconds)
        self._clock.publish(Clock(clock=stamp))
        self.robot.camera.publish(header=Header(stamp=stamp, frame_id='lens'))
        return stamp

    def play(self, begin: int, speed: float) -> int:
        """Play the bag from its beginning; return how many images got a mask."""
        before, stamps = monotonic(), []
        for number in range(IMAGES):
            stamps.append(self.show(begin + number * STEP))
            sleep(max(0.0, before + (number + 1) * STEP / SECOND / speed - monotonic()))
        last = stamps[-1]
        self.robot.until(
            lambda: any(mask.header.stamp == last for mask in self.robot.masks[-3:]),
            'the last image is tracked',
        )
        tracked = [mask.header.stamp for mask in self.robot.masks[-2 * IMAGES :]]
        return sum(stamp in tracked for stamp in stamps)


def bags(robot: Robot) -> Row:
    """Play a bag at half and at double speed, and in a loop, to a tracker on simulated time."""
    player, begin = Player(robot), 5000 * SECOND
    told = []
    for name, speed in (('0.5x', 0.5), ('2x', 2.0), ('looped', 2.0), ('looped', 2.0)):
        told.append(f'{name}: {player.play(begin, speed)} of {IMAGES}')
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    check(robot.judgements(), 'no diagnostics while the clock stood still')
    return Row(
        '`use_sim_time`, bag at 0.5x, 2x, looped',
        f'a bag of {IMAGES} images at 10 Hz with `/clock`, played one after the other',
        f'tracks on with the same objects; images that got a mask: {", ".join(told)} (the others '
        'came faster than they could be tracked here); diagnostics and the operator go by a '
        'steady clock, so they are there while `/clock` stands still',
        (),
        robot.logged('stamps went back'),
        'WARN, "image stamps went back by ..." at each loop',
    )


def clock_stepped(robot: Robot) -> Row:
    """Let the clock of camera and tracker jump an hour forwards, then back."""
    player, now = Player(robot), 6000 * SECOND
    seconds = []
    for jump in (3600, -3600):
        now += jump * SECOND
        begin = monotonic()
        stamp = player.show(now)
        robot.until(
            lambda stamp=stamp: any(mask.header.stamp == stamp for mask in robot.masks[-3:]),
            'the first image after the jump is tracked',
        )
        seconds.append(monotonic() - begin)
        now += STEP
    robot.until(lambda: robot.ids == [1], 'its object is tracked')
    return Row(
        'system clock stepped',
        'stamps and `/clock` jump by +1 h, then by -1 h',
        'tracks on; backwards, the timers of open questions move along; its own timers go by a '
        'steady clock',
        tuple(seconds),
        events='EXPIRED, for questions with a `question_timeout`, after a jump forwards',
        lost='a question with a `question_timeout` that is shorter than the jump; it is asked '
        'again with the next alarm',
    )
