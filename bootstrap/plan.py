"""The steps of the set-up, in order."""

from collections.abc import Mapping
from pathlib import Path

from bootstrap.commands import Commands
from bootstrap.console import Console
from bootstrap.interfaces import are_built
from bootstrap.interfaces import build_with_cmake
from bootstrap.interfaces import build_with_colcon
from bootstrap.interfaces import prepare_prefix
from bootstrap.layout import Layout
from bootstrap.packages import install_packages
from bootstrap.packages import locks
from bootstrap.project import link_project
from bootstrap.steps import Step
from bootstrap.steps import fingerprint
from bootstrap.system import check_machine
from bootstrap.system import find_needs
from bootstrap.system import install_missing
from bootstrap.system import read_distribution
from bootstrap.torch_build import VERSION
from bootstrap.torch_build import install_torch
from bootstrap.venv import identity
from bootstrap.venv import make_venv

HERE = Path(__file__).parent


def make_plan(
    layout: Layout, python: Path, env: Mapping[str, str], console: Console
) -> list[Step]:
    """Return the steps for an environment on `python`; `env` is that of the steps' commands."""
    steps = [_system(layout, python, env), _venv(layout, python, env), _packages(layout, env)]
    steps.append(
        Step(
            name='torch',
            title='PyTorch',
            fingerprint=lambda: fingerprint(identity(layout), VERSION),
            run=lambda commands: install_torch(commands, layout, env, console),
        )
    )
    if layout.ros_distro is None:
        steps.append(_prefix(layout, env))
    steps += [_interfaces(layout, python, env), _project(layout)]
    return steps


def _system(layout: Layout, python: Path, env: Mapping[str, str]) -> Step:
    distribution = read_distribution()
    with_ros = layout.ros_distro is not None

    def run(commands: Commands) -> str:
        check_machine(with_ros)
        needs = find_needs(python, distribution, env, with_ros=with_ros)
        return install_missing(commands, needs, distribution)

    return Step(
        name='system',
        title='system packages',
        fingerprint=lambda: fingerprint(str(distribution), str(python), HERE / 'system.py'),
        run=run,
    )


def _venv(layout: Layout, python: Path, env: Mapping[str, str]) -> Step:
    return Step(
        name='venv',
        title='virtual environment',
        fingerprint=lambda: fingerprint(identity(layout)),
        run=lambda commands: make_venv(commands, layout, python, env),
        intact=lambda: layout.python.exists(),
    )


def _packages(layout: Layout, env: Mapping[str, str]) -> Step:
    tools = layout.requirements / 'tools.txt'
    return Step(
        name='packages',
        title='pinned packages',
        fingerprint=lambda: fingerprint(identity(layout), tools, *locks(layout)),
        run=lambda commands: install_packages(commands, layout, env),
    )


def _prefix(layout: Layout, env: Mapping[str, str]) -> Step:
    inputs = (layout.requirements / 'ros.txt', HERE / 'ament_prefix.py')
    return Step(
        name='prefix',
        title='ROS prefix',
        fingerprint=lambda: fingerprint(identity(layout), *inputs),
        run=lambda commands: prepare_prefix(commands, layout, env),
    )


def _interfaces(layout: Layout, python: Path, env: Mapping[str, str]) -> Step:
    def run(commands: Commands) -> str:
        if layout.ros_distro is None:
            return build_with_cmake(commands, layout, env)
        return build_with_colcon(commands, layout, python, env)

    inputs = (layout.interfaces, layout.requirements / 'ros.txt')
    return Step(
        name='interfaces',
        title='interfaces (lazy_vos_msgs)',
        fingerprint=lambda: fingerprint(identity(layout), *inputs),
        run=run,
        intact=lambda: are_built(layout),
    )


def _project(layout: Layout) -> Step:
    return Step(
        name='project',
        title='the project itself',
        fingerprint=lambda: fingerprint(identity(layout), HERE / 'project.py'),
        run=lambda commands: link_project(commands, layout),
    )
