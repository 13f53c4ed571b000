"""Check this installation and what is running, and say how to mend what is wrong.

The exit status is 1 if there is a problem. Nothing is changed.
"""

import argparse
import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from functools import partial

from lazy_vos_ros.cli import arguments
from lazy_vos_ros.cli.checks.disk import check_disk
from lazy_vos_ros.cli.checks.extras import check_extras
from lazy_vos_ros.cli.checks.finding import Finding
from lazy_vos_ros.cli.checks.finding import Level
from lazy_vos_ros.cli.checks.finding import problem
from lazy_vos_ros.cli.checks.graph import check_graph
from lazy_vos_ros.cli.checks.middleware import check_middleware
from lazy_vos_ros.cli.checks.networks import check_accelerator
from lazy_vos_ros.cli.checks.networks import check_choice
from lazy_vos_ros.cli.checks.networks import check_weights
from lazy_vos_ros.cli.checks.python import check_packages
from lazy_vos_ros.cli.checks.python import check_python
from lazy_vos_ros.cli.checks.ros import check_interfaces
from lazy_vos_ros.cli.checks.ros import check_ros
from lazy_vos_ros.cli.checks.shared_memory import check_shared_memory

Check = Callable[[], Iterable[Finding]]
WAIT = 3.0
"""Seconds in which nodes are found without the profile of this package, too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos doctor`."""
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument(
        '--wait',
        type=arguments.number(low=0),
        default=WAIT,
        metavar='SECONDS',
        help='look for running nodes for so long; 0: not at all (default: %(default)g)',
    )


def run(args: argparse.Namespace) -> int:
    """Print what is found; return 1 if there is a problem."""
    found = []
    for finding in examine(checks(args.wait)):
        found.append(finding)
        if not args.json:
            print(line_of(finding), flush=True)
    bad = sum(finding.level is Level.PROBLEM for finding in found)
    doubtful = sum(finding.level is Level.WARNING for finding in found)
    if args.json:
        print(json.dumps(as_json(found), indent=2))
    else:
        print(f'\nproblems: {bad}, warnings: {doubtful}')
    return int(bad > 0)


def checks(wait: float) -> tuple[tuple[str, Check], ...]:
    """Return every check with its name, in the order in which things build on each other."""
    made: tuple[tuple[str, Check], ...] = (
        ('Python', check_python),
        ('packages', check_packages),
        ('ROS 2', check_ros),
        ('interfaces', check_interfaces),
        ('middleware', check_middleware),
        ('shared memory', check_shared_memory),
        ('accelerator', check_accelerator),
        ('weights', check_weights),
        ('tracker', check_choice),
        ('extras', check_extras),
        ('disk', check_disk),
    )
    return (*made, ('nodes', partial(check_graph, wait))) if wait > 0 else made


def examine(made: Iterable[tuple[str, Check]]) -> Iterator[Finding]:
    """Yield what the checks find; one that fails itself is a problem, and the others go on."""
    for name, check in made:
        try:
            yield from check()
        except Exception as error:
            words = f'cannot be checked: {type(error).__name__}: {error}'
            yield problem(name, words, 'mend what is named above first')


def line_of(finding: Finding) -> str:
    """Return a finding for the terminal."""
    line = f'{finding.level.value:8} {finding.name:14} {finding.found}'
    return f'{line}\n{"":9}{"":14} -> {finding.mend}' if finding.mend else line


def as_json(found: Iterable[Finding]) -> dict[str, object]:
    """Return the findings for programs."""
    items = [
        {'name': item.name, 'level': item.level.value, 'found': item.found, 'mend': item.mend}
        for item in found
    ]
    return {'ok': all(item['level'] != 'problem' for item in items), 'checks': items}
