"""Feed the doors of the project with inputs that were not meant to come, and count what breaks.

Every door may refuse an input with the errors that it names; any other exception is a crash, and
more than ten seconds for one input is a hang.

Example: ``python -m benchmarks.fuzz --inputs 110000 --out out/fuzz.json``
"""

import argparse
import json
import logging
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

import rclpy
import torch
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import given
from hypothesis import seed
from hypothesis import settings

from benchmarks.fuzz_door import Door
from benchmarks.fuzz_files import file_doors
from benchmarks.fuzz_messages import message_doors
from benchmarks.fuzz_settings import running_doors
from benchmarks.fuzz_settings import setting_doors
from benchmarks.fuzz_tracker import tracker_doors

LONGEST = 10.0
"""Seconds that one input may take."""


class HangError(BaseException):
    """An input took too long; no exception that a door could take for its own."""


@dataclass
class Findings:
    """What came of one door."""

    inputs: int = 0
    refused: int = 0
    """With an error that the door names."""
    slowest: float = 0.0
    """Seconds."""
    crashes: dict[str, str] = field(default_factory=dict)
    """An input by what it did: the exception and the line that raised it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise HangError in the main thread after this time."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def doors(folder: Path) -> list[Door]:
    """Return all doors that need no running node; files are written into `folder`."""
    return [*message_doors(), *setting_doors(), *tracker_doors(folder), *file_doors(folder)]


def place_of(error: BaseException) -> str:
    """Return the exception's type and the last line of the project that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if 'lazy_vos_ros' in frame.filename]
    last = (own or frames)[-1]
    return f'{type(error).__name__} at {Path(last.filename).name}:{last.lineno}'


def feed(door: Door, value: Any, findings: Findings) -> None:
    """Give one input to a door and note what it did."""
    findings.inputs += 1
    start = monotonic()
    try:
        with limited(LONGEST):
            door.enter(value)
    except door.refuses:
        findings.refused += 1
    except (Exception, HangError) as error:
        findings.crashes.setdefault(f'{place_of(error)}: {str(error)[:120]}', repr(value)[:2000])
    findings.slowest = max(findings.slowest, monotonic() - start)


def fuzz(door: Door, inputs: int, number: int = 0) -> Findings:
    """Give this many inputs to a door; the same `number` gives the same ones."""
    findings = Findings()

    @seed(number)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(door.inputs)
    def each(value: Any) -> None:
        feed(door, value, findings)

    each()
    return findings


def main() -> int:
    """Fuzz all doors, print a table, and return 1 if something broke."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--inputs', type=int, default=110_000, help='over all doors')
    parser.add_argument('--only', nargs='*', help='doors whose names hold one of these')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, help='JSON file')
    args = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter('ignore')
    found: dict[str, Findings] = {}
    rclpy.init(args=[])
    node = rclpy.create_node('fuzz')
    rclpy.logging.set_logger_level('fuzz', rclpy.logging.LoggingSeverity.FATAL)
    with tempfile.TemporaryDirectory(prefix='lazy_vos_fuzz_') as folder:
        every = [*doors(Path(folder)), *running_doors(node)]
        chosen = [d for d in every if not args.only or any(part in d.name for part in args.only)]
        total = sum(door.share for door in chosen)
        for door in chosen:
            found[door.name] = fuzz(door, -(-args.inputs * door.share // total), args.seed)
            line = found[door.name]
            print(
                f'{door.name:32} {line.inputs:7} inputs {line.refused:7} refused '
                f'{line.slowest:6.2f} s slowest {len(line.crashes):3} crashes',
                flush=True,
            )
            for what, value in line.crashes.items():
                print(f'    {what}\n        {value[:300]}', flush=True)
            if args.out:
                args.out.parent.mkdir(parents=True, exist_ok=True)
                args.out.write_text(json.dumps({k: vars(v) for k, v in found.items()}, indent=1))
    node.destroy_node()
    rclpy.shutdown()
    print(f'{sum(item.inputs for item in found.values())} inputs')
    return 1 if any(item.crashes for item in found.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
