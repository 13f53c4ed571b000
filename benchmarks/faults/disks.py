"""Faults of the disk."""

from time import monotonic
from time import sleep

from std_srvs.srv import Trigger

from benchmarks.faults.robot import Robot
from benchmarks.faults.robot import logged_once
from benchmarks.faults.row import Row
from benchmarks.faults.row import check


def disk_full(robot: Robot) -> Row:
    """Let the recorder's file system take 300 kB and no more."""
    graph = robot.graph
    topics = graph.folder / 'topics.yaml'
    topics.write_text('topics: [image]\n')
    bag = graph.folder / 'full'
    recorder = graph.start('small_disk.py', bag=bag, topics=topics, storage='mcap')
    graph.processes.remove(recorder)
    begin = monotonic()
    while recorder.popen.poll() is None and monotonic() < begin + 60:
        robot.camera.publish()
        sleep(0.05)
    check(recorder.wait() == 1, 'the recorder did not end with status 1')
    log = logged_once(graph, recorder, 'recording ends')
    check((bag / 'full.mcap').stat().st_size > 0, 'nothing is left of the bag')
    seconds = robot.recover()
    return Row(
        'disk full',
        'the recorder may write 300 kB (RLIMIT_FSIZE)',
        'the recorder ends with status 1; what it wrote can be read (`lazy-vos evaluate` says '
        f'what is missing). The tracker goes on: the next mask came after {seconds:.2f} s',
        (),
        log,
        lost='the recording from then on',
    )


def unwritable_folder(robot: Robot) -> Row:
    """Tell the recorder to write where there can be no folder."""
    graph = robot.graph
    (graph.folder / 'file').touch()
    begin = monotonic()
    recorder = graph.start('lazy_vos_ros.nodes.recorder', bag=graph.folder / 'file' / 'bag')
    graph.processes.remove(recorder)
    check(recorder.wait() == 1, 'the recorder did not end with status 1')
    seconds = monotonic() - begin
    log = logged_once(graph, recorder, 'cannot be made')
    robot.recover()
    return Row(
        'bag folder cannot be written',
        'a folder below a file',
        f'the recorder does not start: status 1 after {seconds:.1f} s. The tracker goes on',
        (),
        log,
        lost='the recording',
    )


def unwritable_state(robot: Robot) -> Row:
    """Ask the tracker to save its state where its `state_file` is below a file."""
    response = robot.graph.call(Trigger, 'lazy_vos/save_state')
    check(not response.success, 'a state was saved where none can be')
    seconds = robot.recover()
    return Row(
        'state file cannot be written',
        '`~/save_state` with a `state_file` below a file',
        f'refuses with the reason; the next mask came after {seconds:.2f} s',
        (),
        robot.logged('save_state refused'),
        lost='the saved state',
    )
