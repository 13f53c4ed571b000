"""Turn checkpoints into the files that the engine loads.

``python -m lazy_vos_ros.training.export tracker CHECKPOINT OUT`` (or ``refiner``).

A network that learnt from synthetic clips doubts too much of a real video's masks: ``--gain``
multiplies the tracker's logits (temperature scaling, Guo et al. 2017, with T = 1 / gain). The
value is chosen on videos with truth, by the rank correlation of -S_R with IoU.
"""

import argparse
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel

from lazy_vos_ros.engine.refiners.click_network import ClickConfig
from lazy_vos_ros.engine.refiners.compact import RefinerModel
from lazy_vos_ros.engine.refiners.compact import save_refiner
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_decoder import CompactDecoder
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network


def export_tracker(checkpoint: Path, out: Path, gain: float = 1.0) -> None:
    """Write the averaged network of a tracker's checkpoint, logits times gain, in half precision.

    Raises
    ------
    ValueError
        If the gain is not positive.
    """
    state = torch.load(checkpoint, map_location='cpu', weights_only=True)
    config = CompactConfig()
    network = compact_network(config)
    average = AveragedModel(network)
    average.load_state_dict(state['average'])
    network = average.module
    scale_logits(network.decoder, gain)
    recipe = f'{state["step"]} steps, logits times {gain:g}'
    save_compact_network(network, config, out, recipe=recipe)


def scale_logits(decoder: CompactDecoder, gain: float) -> None:
    """Multiply in place what the decoder's last layer adds up.

    Raises
    ------
    ValueError
        If the gain is not positive.
    """
    if not gain > 0:
        raise ValueError(f'the gain is {gain}; allowed: above 0')
    with torch.no_grad():
        for parameter in (*decoder.predict.parameters(), decoder.mask_gains):
            parameter.mul_(gain)


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
    parser.add_argument('--gain', type=float, default=1.0, help='of the tracker; default 1')
    arguments = parser.parse_args()
    if arguments.part == 'tracker':
        export_tracker(arguments.checkpoint, arguments.out, arguments.gain)
    else:
        export_refiner(arguments.checkpoint, arguments.out)
