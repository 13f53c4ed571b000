"""Turn checkpoints into the files that the engine loads.

``python -m lazy_vos_ros.training.export --checkpoint tracker.ckpt --out compact_tracker.safetensors``
"""

import argparse
from pathlib import Path

import torch

from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network


def export_tracker(checkpoint: Path, out: Path) -> None:
    """Write the network of a tracker's checkpoint in half precision."""
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    config = CompactConfig()
    network = compact_network(config)
    network.load_state_dict(state['model'])
    save_compact_network(network, config, out, recipe=f'{state["step"]} steps')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Export a checkpoint for the engine.')
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True)
    arguments = parser.parse_args()
    export_tracker(arguments.checkpoint, arguments.out)
