"""The tracker with its network compiled by PyTorch beside the same one as it is, frame by frame.

Both track the same scene in turn in one process, so that other programs disturb both alike. The
first image of the compiled one, on which it compiles, is apart.

Example: ``python -m benchmarks.compiled --size 256 --threads 1``
"""

import argparse
from dataclasses import dataclass
from dataclasses import replace
from time import perf_counter
from time import process_time

import numpy as np
import torch

from lazy_vos_ros.engine.allocator import tune_allocator
from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.build import tracker_entry
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.evaluation.speed.scene import MovingScene

WARM_UP = 6


@dataclass(frozen=True)
class Step:
    """One frame."""

    cpu: float
    wall: float
    probabilities: torch.Tensor


def step(backend: Backend, scene: MovingScene, index: int) -> Step:
    """Track frame `index`; the object is given on the first one."""
    image = scene.frame(index)
    cpu, wall = process_time(), perf_counter()
    prediction = backend.predict(image)
    if index == 0:
        given = torch.from_numpy(scene.mask(0)).to(backend.device)
        prediction = backend.add_objects(prediction, {1: given})
    backend.commit(prediction)
    probabilities = prediction.probabilities.cpu()
    return Step(process_time() - cpu, perf_counter() - wall, probabilities)


def main() -> None:
    """Print the times of both, their ratio and the largest difference of their results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', default='compact')
    parser.add_argument('--size', type=int, default=256)
    parser.add_argument('--precision', default='fp32')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--frames', type=int, default=40)
    args = parser.parse_args()
    tune_allocator()
    torch.set_num_threads(args.threads)
    own = XMemConfig(**tracker_entry(args.weights).settings)
    settings = replace(own, size=args.size, precision=args.precision)
    pair = {
        name: make_backend(
            args.weights, device=args.device, settings=replace(settings, compile=compiled)
        )
        for name, compiled in (('as it is', False), ('compiled', True))
    }
    scene = MovingScene(480, 720)
    steps: dict[str, list[Step]] = {name: [] for name in pair}
    for index in range(1 + WARM_UP + args.frames):
        for name, backend in pair.items():
            steps[name].append(step(backend, scene, index))
    typical = {}
    for name, taken in steps.items():
        cpu, wall = (
            1e3 * np.array([getattr(one, kind) for one in taken[1 + WARM_UP :]])
            for kind in ('cpu', 'wall')
        )
        typical[name] = float(np.median(cpu))
        print(
            f'{name}: first frame {taken[0].wall:.1f} s; then CPU p50 {np.median(cpu):.1f} ms, '
            f'wall clock p50 {np.median(wall):.1f} ms'
        )
    difference = max(
        float((one.probabilities - other.probabilities).abs().max())
        for one, other in zip(*steps.values(), strict=True)
    )
    print(f'CPU time as it is / compiled: {typical["as it is"] / typical["compiled"]:.2f}')
    print(f'largest difference of probabilities: {difference:.1e}')


if __name__ == '__main__':
    main()
