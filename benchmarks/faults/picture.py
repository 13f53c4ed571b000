"""Take pictures of the operator's page while one robot is well and another one's camera stands.

Example::

    python -m benchmarks.faults.picture --out docs/images
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from time import monotonic
from time import sleep

from benchmarks.faults.robot import Robot
from benchmarks.live_graph import ENVIRONMENT
from benchmarks.live_graph import SCRIPTS
from benchmarks.live_graph import Graph

SCREENS = {
    'health_desktop.jpg': {'width': 1280, 'height': 860},
    'health_phone.jpg': {'width': 360, 'height': 740, 'ratio': 2, 'mobile': True},
}
PORT = 8917
PATIENCE = 60.0


def main() -> int:
    """Start two robots and an operator, let one camera stop, and take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=Path, default=Path('docs/images'))
    out = parser.parse_args().out
    os.environ.update(ENVIRONMENT)
    with tempfile.TemporaryDirectory() as folder:
        graphs = [Graph(_folder(folder, name), f'/{name}') for name in ('robot_1', 'robot_2')]
        try:
            _show(graphs, out, Path(folder))
        finally:
            for graph in graphs:
                graph.close()
    return 0


def _folder(parent: str, name: str) -> Path:
    made = Path(parent) / name
    made.mkdir()
    return made


def _show(graphs: list[Graph], out: Path, folder: Path) -> None:
    robots = [Robot(graph) for graph in graphs]
    names = '[/robot_1/lazy_vos, /robot_2/lazy_vos]'
    graphs[0].start('lazy_vos_ros.nodes.operator', web__port=PORT, trackers=names)
    for robot in robots:
        robot.camera.connect()
        robot.recover()
    # Two cameras on one topic are a warning, no camera an error.
    second = graphs[0].node.create_publisher(
        type(robots[0].camera.publish()), 'image', robots[0].camera.publisher.qos_profile
    )
    end = monotonic() + 8.0
    while monotonic() < end:
        robots[0].camera.publish()
        sleep(0.1)
    _photograph(robots[0], out, folder)
    graphs[0].node.destroy_publisher(second)


def _photograph(robot: Robot, out: Path, folder: Path) -> None:
    sys.path.insert(0, str(SCRIPTS / 'web'))
    from chromium import Browser

    browser = Browser(_folder(str(folder), 'browser'))
    try:
        browser.go(f'http://127.0.0.1:{PORT}/')
        for name, screen in SCREENS.items():
            browser.screen(**screen)
            browser.until("document.querySelectorAll('#health li').length >= 4")
            browser.evaluate("document.getElementById('health-title').scrollIntoView()")
            for _ in range(5):
                robot.camera.publish()
                sleep(0.2)
            browser.picture(out / name)
            print(out / name)
    finally:
        browser.close()


if __name__ == '__main__':
    sys.exit(main())
