"""Run the linters, the type checker and all tests.

Whatever follows -- goes to pytest: lazy-vos test -- -k entropy
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = {
    'format': ['ruff', 'format', '--check', '.'],
    'lint': ['ruff', 'check', '.'],
    'types': ['mypy'],
    'tests': ['pytest'],
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
        done = subprocess.run([sys.executable, '-m', *command], cwd=ROOT, check=False)
        results.append((name, done.returncode, time.monotonic() - start))
    print()
    for name, status, seconds in results:
        print(f'{name:7} {"ok" if status == 0 else f"FAILED ({status})":11} {seconds:6.1f} s')
    return int(any(status != 0 for _, status, _ in results))
