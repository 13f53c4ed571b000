"""Frames a second of this engine and of the published XMem code, in one run.

Example: ``python -m benchmarks.official_comparison --official ../XMem --frames 30 --threads 2``
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from lazy_vos_ros.evaluation.speed.official_comparison import compare
from lazy_vos_ros.evaluation.speed.official_comparison import load_official
from lazy_vos_ros.evaluation.speed.official_comparison import random_state
from lazy_vos_ros.evaluation.speed.scene import MovingScene


def main() -> int:
    """Compare once and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--official', type=Path, required=True, help='a checkout of XMem')
    parser.add_argument('--weights', type=Path, help='a published checkpoint; else random ones')
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--width', type=int, default=854)
    parser.add_argument('--frames', type=int, default=30)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--precision', default='fp32', choices=('fp32', 'fp16', 'bf16'))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    scene = MovingScene(args.height, args.width)
    state = torch.load(args.weights, weights_only=True) if args.weights else random_state()
    with tqdm(total=args.frames, unit='frame', file=sys.stderr) as bar:
        result = compare(
            load_official(args.official),
            list(scene.frames(args.frames)),
            np.stack([scene.mask(0)]),
            state=state,
            device=args.device,
            precision=args.precision,
            done=bar.update,
        )
    print(json.dumps(result.facts(), indent=2))
    return 0


if __name__ == '__main__':
    sys.exit(main())
