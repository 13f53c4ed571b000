"""Run the linters, the type checker and all tests.

Whatever follows -- goes to pytest: lazy-vos test -- -k entropy
Tests run in several processes; with -- -n 0 in one, which also shows what they print (-s).
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = max(1, min(4, len(os.sched_getaffinity(0))))
"""Each test file runs in one of them; more would leave the nodes' own processes no time."""
CHECKS = {
    'format': ['ruff', 'format', '--check', '.'],
    'lint': ['ruff', 'check', '.'],
    'types': ['mypy'],
    'tests': ['pytest', '-n', str(PROCESSES), '--dist', 'loadfile'],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos test`."""
    parser.add_argument(
        '--only', choices=CHECKS, action='append', help='run this check only (may be repeated)'
    )
    parser.add_argument('pytest_args', nargs='*', help='arguments for pytest, after --')


def run(args: argparse.Namespace) -> int:
    """Run every check, though one fails; return 1 if any did."""
    if not (ROOT / 'test').is_dir():
        raise RuntimeError(f'{ROOT} has no tests: they run in the sources, not where installed')
    results = []
    for name in args.only or CHECKS:
        extra = args.pytest_args if name == 'tests' else []
        command = [*CHECKS[name], *extra]
        print(f'\n== {name}: {" ".join(command)}', flush=True)
        start = time.monotonic()
        whole = [sys.executable, '-m', *command]
        done = subprocess.run(whole, cwd=ROOT, env=one_share(os.environ), check=False)
        results.append((name, done.returncode, time.monotonic() - start))
    print()
    for name, status, seconds in results:
        print(f'{name:7} {"ok" if status == 0 else f"FAILED ({status})":11} {seconds:6.1f} s')
    return int(any(status != 0 for _, status, _ in results))


def one_share(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which each test process uses its share of the cores."""
    threads = max(1, len(os.sched_getaffinity(0)) // PROCESSES)
    return {'OMP_NUM_THREADS': str(threads), **environment}
