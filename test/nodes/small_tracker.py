"""`lazy_vos` with weights made on the spot: the compact network, random; a disc for each click.

What the network makes of an image means nothing, but it is the same each time.
"""

import sys
import tempfile
from pathlib import Path

import torch

from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network
from lazy_vos_ros.nodes import tracker_node
from lazy_vos_ros.nodes import tracking

RADIUS = 10


class DiscRefiner:
    """The mask of clicks: discs around the positive ones, without those around the others."""

    name = 'discs'

    def refine(self, frame, clicks, *, object_id, prior=None):
        height, width = frame.image.shape[:2]
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
        mask = torch.zeros(height, width, dtype=torch.bool)
        for click in clicks:
            near = (rows - click.y) ** 2 + (columns - click.x) ** 2 <= RADIUS**2
            mask = mask | near if click.positive else mask & ~near
        return RefinedMask(mask, 1.0)


def main():
    torch.manual_seed(5)
    torch.set_num_threads(1)
    config = CompactConfig(learnt=8, state=8, coarse=16, middle=8, fine=8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'small.safetensors'
        save_compact_network(compact_network(config), config, path)
        tracking.make_refiner = lambda name, *, backend, device: DiscRefiner()
        values = {
            'weights': path,
            'xmem.size': -1,
            'xmem.max_mid_term_frames': 10,
            'xmem.min_mid_term_frames': 5,
        }
        given = [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]
        small = ['--ros-args', *given, '--']
        return tracker_node.main([*sys.argv, *small])


if __name__ == '__main__':
    sys.exit(main())
