"""kill -9 of each process at a random moment, and its start again."""

import random
import signal
from pathlib import Path
from time import monotonic
from time import sleep

from lazy_vos_msgs.msg import CorrectionEvent
from rcl_interfaces.srv import ListParameters

from benchmarks.faults.ends import Starter
from benchmarks.faults.ends import wait_until_ready
from benchmarks.faults.people import ask_always
from benchmarks.faults.people import calm
from benchmarks.faults.robot import PERIOD
from benchmarks.faults.robot import Robot
from benchmarks.faults.row import Row
from benchmarks.faults.row import check
from benchmarks.live_graph import Process

RANDOM = random.Random(1)


def kill(process: Process, robot: Robot) -> None:
    """Kill a process at a random moment of the next half second, while images are tracked."""
    end = monotonic() + RANDOM.uniform(0.0, 0.5)
    while monotonic() < end:
        robot.camera.publish()
        sleep(PERIOD / 2)
    process.popen.send_signal(signal.SIGKILL)
    process.popen.wait()
    robot.graph.processes.remove(process)


def kill_tracker(robot: Robot, times: int) -> Row:
    """Kill the tracker; whoever started it starts it again at once."""
    seconds = []
    for _ in range(times):
        kill(robot.tracker, robot)
        robot.start()
        seconds.append(robot.recover(patience=120))
        robot.until(lambda: robot.ids == [1], 'its first object is tracked again')
    return Row(
        'kill -9 of `lazy_vos`',
        'at a random moment, and started again at once (launch files wait 2 s)',
        'loads the networks and begins anew with `initial_mask`; after `~/save_state` or with '
        '`keep_state` it goes on with the saved objects and their ids',
        tuple(seconds),
        level='the others see the silence: "Silent" on the web page after 5 s',
        events='none of what was open',
        lost='memory and open questions since the state was saved last; its shared memory stays '
        'until `lazy-vos doctor` tells to remove it',
    )


def kill_other(robot: Robot, name: str, starter: Starter, times: int) -> Row:
    """Kill a node beside the tracker and start it again: masks must not stop."""
    graph = robot.graph
    process = starter(graph)
    wait_until_ready(graph, name, process)
    seconds, back = [], []
    for _ in range(times):
        kill(process, robot)
        begin = monotonic()
        seconds.append(robot.recover())
        process = starter(graph)
        # The killed one is still in the graph.
        graph.call_until_answered(ListParameters, f'{name}/list_parameters')
        back.append(monotonic() - begin)
    graph.processes.remove(process)
    check(process.stop() == 0, f'{name} did not end well:\n{process.output}')
    longest = max(seconds)
    return Row(
        f'kill -9 of `{name}`',
        'at a random moment, and started again at once',
        f'the tracker goes on: the next mask came after {longest:.2f} s at the most; the node was '
        f'back after {max(back):.1f} s at the most ({times} times)',
        (),
        lost=LOST[name],
    )


LOST = {
    'lazy_vos_operator': 'clicks that were not sent yet; the open questions come again',
    'lazy_vos_camera': 'its images meanwhile (the tracker says "no image for ...")',
    'lazy_vos_recorder': 'what came last: at most 0.90 s (MCAP) or 2.01 s (SQLite) in 40 kills of '
    '`python -m benchmarks.killed_recorder`',
}


def kill_agent(robot: Robot, masks: Path, times: int) -> Row:
    """Kill who answers while a question is open; the next one must be asked."""
    graph, back = robot.graph, []
    ask_always(robot)
    for _ in range(times):
        agent = graph.start('lazy_vos_ros.nodes.agent', masks=masks, reaction_time=3600.0)
        wait_until_ready(graph, 'lazy_vos_agent', agent)
        robot.track(3)
        kill(agent, robot)
        robot.events.clear()
        begin = monotonic()
        second = graph.start('lazy_vos_ros.nodes.agent', masks=masks, reaction_time=0.0)
        robot.until(lambda: robot.told(CorrectionEvent.SKIPPED), 'the next one answers')
        back.append(monotonic() - begin)
        robot.recover()
        graph.processes.remove(second)
        check(second.stop() == 0, f'the agent did not end well:\n{second.output}')
    calm(robot)
    return Row(
        'kill -9 of who answers (`lazy_vos_agent`)',
        'with a question open, and another one started at once',
        f'the tracker goes on, and asks the next one: answered after {max(back):.1f} s at the '
        f'most, start of the process included ({times} times)',
        (),
        events='ASKED, then SKIPPED (this agent has no answer) once',
    )
