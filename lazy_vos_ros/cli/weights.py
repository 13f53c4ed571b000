"""List, fetch or verify the weights of networks.

A name of the kind tracker is for --weights, one of the kind refiner (what makes a mask of a click)
for --refiner and the node's parameter `refiner`. Fetched weights go into weights/ of the sources,
or where LAZY_VOS_WEIGHTS says.
"""

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazy_vos_ros.engine.weights import WeightsEntry

MEGABYTE = 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `lazy-vos weights`."""
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    actions.add_parser('list', help='show which weights are known, and which are here')
    fetch = actions.add_parser('fetch', help='download official weights')
    fetch.add_argument('name', help='a name that `list` shows')
    verify = actions.add_parser('verify', help='compare files with their SHA-256')
    verify.add_argument('name', nargs='?', help='only these weights; default: all that are here')


def run(args: argparse.Namespace) -> int:
    """Do what `args.action` says."""
    if args.action == 'list':
        return show_weights()
    if args.action == 'fetch':
        return fetch_weights(args.name)
    return verify_weights(args.name)


def show_weights() -> int:
    """Print one line for each of the known weights."""
    from lazy_vos_ros.engine.weights import known_weights
    from lazy_vos_ros.engine.weights import locate

    for entry in known_weights():
        path = locate(entry)
        here = f'here: {path}' if path else 'not here'
        print(f'{entry.name:16} {entry.kind:8} {entry.description}; {here}')
        if own := own_defaults(entry):
            print(f'{"":25} its own defaults: {own}')
    return 0


def own_defaults(entry: 'WeightsEntry') -> str:
    """Return the settings that come with weights, named as the parameters of the node."""
    network = {f'xmem.{name}': value for name, value in entry.settings.items()}
    values = {**network, **entry.thresholds}
    return ', '.join(f'{name} {json.dumps(value)}' for name, value in values.items())


def fetch_weights(name: str) -> int:
    """Download the named weights unless they are here and whole."""
    from lazy_vos_ros.engine.download import fetch
    from lazy_vos_ros.engine.weights import Verdict
    from lazy_vos_ros.engine.weights import find_entry
    from lazy_vos_ros.engine.weights import locate
    from lazy_vos_ros.engine.weights import verify

    entry = find_entry(name)
    if verify(entry) is Verdict.GENUINE:
        print(f'{entry.name}: already here, {locate(entry)}')
        return 0
    path, sha256 = fetch(entry, progress=_show_progress)
    print(f'\n{entry.name}: {path}\nSHA-256 {sha256}')
    return 0


def _show_progress(received: int, total: int | None) -> None:
    if sys.stderr.isatty():
        whole = f' of {total / MEGABYTE:.0f}' if total else ''
        print(f'\r{received / MEGABYTE:.0f}{whole} MB', end='', file=sys.stderr, flush=True)


def verify_weights(name: str | None) -> int:
    """Print a verdict on each file; return 1 if one is wrong, or the named one is absent."""
    from lazy_vos_ros.engine.weights import Verdict
    from lazy_vos_ros.engine.weights import find_entry
    from lazy_vos_ros.engine.weights import known_weights
    from lazy_vos_ros.engine.weights import verify

    entries = known_weights() if name is None else (find_entry(name),)
    verdicts = [(entry, verify(entry)) for entry in entries]
    for entry, verdict in verdicts:
        if name is not None or verdict is not Verdict.ABSENT:
            print(f'{entry.name:16} {_words(entry, verdict)}')
    bad = {Verdict.WRONG} if name is None else {Verdict.WRONG, Verdict.ABSENT}
    return int(any(verdict in bad for _, verdict in verdicts))


def _words(entry: 'WeightsEntry', verdict: object) -> str:
    from lazy_vos_ros.engine.weights import Verdict

    return {
        Verdict.GENUINE: 'genuine',
        Verdict.UNKNOWN: 'unknown: there is no SHA-256 to compare with',
        Verdict.WRONG: f'WRONG: {entry.file} is damaged or was replaced; fetch it again',
        Verdict.ABSENT: f'absent: {entry.file}',
    }[Verdict(verdict)]
