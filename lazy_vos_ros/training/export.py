"""Turn checkpoints into the files that the engine loads.

``python -m lazy_vos_ros.training.export tracker CHECKPOINT OUT`` (or ``refiner``).
"""

import argparse
from pathlib import Path

import torch

from lazy_vos_ros.engine.refiners.click_network import ClickConfig
from lazy_vos_ros.engine.refiners.compact import RefinerModel
from lazy_vos_ros.engine.refiners.compact import save_refiner
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


def export_refiner(checkpoint: Path, out: Path) -> None:
    """Write the model of a refiner's checkpoint in half precision."""
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    config = ClickConfig()
    model = RefinerModel(config)
    model.load_state_dict(state['model'])
    save_refiner(model, config, out, recipe=f'{state["step"]} steps')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Export a checkpoint for the engine.')
    parser.add_argument('part', choices=('tracker', 'refiner'))
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('out', type=Path)
    arguments = parser.parse_args()
    export = export_tracker if arguments.part == 'tracker' else export_refiner
    export(arguments.checkpoint, arguments.out)
