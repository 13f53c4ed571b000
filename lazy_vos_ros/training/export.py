"""Turn checkpoints into the files that the engine loads.

``python -m lazy_vos_ros.training.export tracker CHECKPOINT.. OUT`` (or ``refiner``, one).

A network that learnt from synthetic clips doubts too much of a real video's masks: ``--gain``
multiplies the tracker's logits (temperature scaling, Guo et al. 2017, with T = 1 / gain). The
value is chosen on videos with truth, by the rank correlation of -S_R with IoU.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from lazy_vos_ros.engine.refiners.click_network import ClickConfig
from lazy_vos_ros.engine.refiners.compact import RefinerModel
from lazy_vos_ros.engine.refiners.compact import save_refiner
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_decoder import CompactDecoder
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network

_INSIDE = 'module.'


def export_tracker(checkpoints: Sequence[Path], out: Path, gain: float = 1.0) -> None:
    """Write the averaged network of a tracker's checkpoint, logits times gain, in half precision.

    Of several checkpoints, runs that began from the same weights, the mean is written (model
    soups, Wortsman et al. 2022).

    Raises
    ------
    ValueError
        If the gain is not positive or there is no checkpoint.
    """
    if not checkpoints:
        raise ValueError('there is no checkpoint; allowed: one or more')
    states = [torch.load(path, map_location='cpu', weights_only=True) for path in checkpoints]
    config = CompactConfig()
    network = compact_network(config)
    network.load_state_dict(mean_state([state['average'] for state in states]))
    scale_logits(network.decoder, gain)
    steps = ' and '.join(str(state['step']) for state in states)
    save_compact_network(network, config, out, recipe=f'{steps} steps, logits times {gain:g}')


def mean_state(averages: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of states of :class:`AveragedModel`, as a state of the model in it."""
    names = [name for name in averages[0] if name.startswith(_INSIDE)]
    return {
        name.removeprefix(_INSIDE): torch.stack(
            [average[name].double() for average in averages]
        ).mean(0)
        for name in names
    }


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
    parser.add_argument('checkpoints', type=Path, nargs='+')
    parser.add_argument('out', type=Path)
    parser.add_argument('--gain', type=float, default=1.0, help='of the tracker; default 1')
    arguments = parser.parse_args()
    if arguments.part == 'tracker':
        export_tracker(arguments.checkpoints, arguments.out, arguments.gain)
    elif len(arguments.checkpoints) > 1:
        parser.error('of the refiner, one checkpoint is exported')
    else:
        export_refiner(arguments.checkpoints[0], arguments.out)
