"""Train the compact model: the tracker, then the click refiner.

An interrupted run goes on from its last checkpoint in --out. The images are packed once into
--cache. Settings come from a YAML file (--config) with the names of
lazy_vos_ros/training/settings.py; the arguments below win over it.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('--config', type=Path, help='YAML file of settings')
    parser.add_argument(
        '--source',
        type=Path,
        help='folder of the sets, each as NAME or NAME.tar; weights/MODEL_CARD.md has the names',
    )
    parser.add_argument('--cache', type=Path, help='folder of the packed images')
    parser.add_argument('--out', type=Path, help='folder of checkpoints, log and weights')
    parser.add_argument('--trunk-weights', type=Path, help='ImageNet weights of the trunk')
    parser.add_argument('--part', choices=('tracker', 'refiner'), help='train one part only')
    parser.add_argument('--steps', type=int, help='steps of the tracker')
    parser.add_argument('--refiner-steps', type=int, help='steps of the refiner')
    parser.add_argument('--seed', type=int)
    parser.add_argument('--threads', type=int, help='CPU threads of the network')


def run(args: argparse.Namespace) -> int:
    """Train, and print where the weights are."""
    from lazy_vos_ros.training.main import PARTS
    from lazy_vos_ros.training.main import main
    from lazy_vos_ros.training.settings import read_settings

    names = ('cache', 'out', 'trunk_weights', 'steps', 'refiner_steps', 'seed', 'threads')
    settings = read_settings(args.config, {name: getattr(args, name) for name in names})
    parts = PARTS if args.part is None else (args.part,)
    for path in main(settings, source=args.source, parts=parts, report=print):
        print(path)
    return 0
