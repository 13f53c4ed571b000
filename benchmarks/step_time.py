"""Time and memory of one whole step (network, memory, lazy layer) against the video's length.

Example: ``python -m benchmarks.step_time --weights compact --size 256 --frames 500``
"""

import argparse
import json
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.refiners import make_refiner
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.official import official_network
from lazy_vos_ros.evaluation.speed.scene import MovingScene

UNDISTURBED = LazyConfig(
    uncertainty_driven_update=False, pseudo_corrections=False, user_corrections=False
)
"""Frames are memorised when they are due, whatever random weights make of them."""


def filled_checkpoint(folder: Path) -> Path:
    """Save the official layout with random numbers: same operations and bytes, no meaning."""
    torch.manual_seed(0)
    path = folder / 'random-XMem.pth'
    torch.save(official_network().state_dict(), path)
    return path


def resident_mib() -> float:
    """Return the memory that this process holds now, in MiB."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(tracker: LazyTracker, scene: MovingScene, frames: int) -> dict[str, object]:
    """Track through the scene; return milliseconds of plain and of memorised frames, and MiB."""
    tracker.add_object(scene.frame(0), mask=scene.mask(0))
    plain, memorised, lazy, resident = [], [], [], {}
    for index in tqdm(range(1, frames), unit='frame', file=sys.stderr):
        result = tracker.step(scene.frame(index))
        (memorised if result.memorised else plain).append(result.timings.total)
        lazy.append(result.timings.lazy / result.timings.total)
        if index + 1 in (100, 500, 1000, 5000, 10000):
            resident[index + 1] = round(resident_mib(), 1)
    every = plain + memorised
    return {
        'ms per plain frame (p50)': round(1e3 * float(np.median(plain or [0])), 1),
        'ms per memory frame (p50)': round(1e3 * float(np.median(memorised or [0])), 1),
        'ms per frame (mean)': round(1e3 * float(np.mean(every)), 1),
        'frames per second': round(1 / float(np.mean(every)), 2),
        'share of the lazy layer': round(float(np.mean(lazy)), 4),
        'resident MiB after frames': resident,
        'peak resident MiB': round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        'memory elements': tracker.memory_size().working + tracker.memory_size().long_term,
    }


def main() -> int:
    """Run one measurement and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--weights', default='auto', help='name, file, or "random" (XMem layout)')
    parser.add_argument('--size', type=int, help='short side inside the network')
    parser.add_argument('--height', type=int, default=480)
    parser.add_argument('--width', type=int, default=854)
    parser.add_argument('--frames', type=int, default=100)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--device', default='cpu')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    settings = XMemConfig(size=args.size) if args.size else None
    with tempfile.TemporaryDirectory() as folder:
        weights = (
            str(filled_checkpoint(Path(folder))) if args.weights == 'random' else args.weights
        )
        backend = make_backend(weights, device=args.device, settings=settings)
    refiner = make_refiner('auto', backend=backend, device=args.device)
    tracker = LazyTracker(backend, refiner, UNDISTURBED)
    figures = measure(tracker, MovingScene(args.height, args.width), args.frames)
    print(json.dumps({'backend': backend.name, **vars(args), **figures}, indent=2))
    return 0


if __name__ == '__main__':
    sys.exit(main())
