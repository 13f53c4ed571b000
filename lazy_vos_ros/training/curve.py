"""Draw the course of a training: ``python -m lazy_vos_ros.training.curve LOG --out PNG``."""

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure

LOSS, SCORE = '#0072b2', '#d55e00'


def draw_curve(log: Path, out: Path) -> None:
    """Plot loss and validation score of a tracker's ``log.jsonl`` over the steps.

    Raises
    ------
    ValueError
        If the log holds no line of a tracker's training.
    """
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines = [line for line in lines if 'validation' in line]
    if not lines:
        raise ValueError(f'{log} holds no line with a validation score')
    steps = [line['step'] for line in lines]
    figure = Figure(figsize=(7, 3.6), layout='constrained')
    left = figure.add_subplot()
    left.plot(steps, [line['loss'] for line in lines], 'o-', color=LOSS)
    left.set(xlabel='step', ylim=(0, None), xlim=(0, None))
    left.set_ylabel('loss, running mean (o)', color=LOSS)
    right = left.twinx()
    right.plot(steps, [line['validation'] for line in lines], 's--', color=SCORE)
    right.set_ylabel('mean IoU of the sixth frame (squares)', color=SCORE)
    right.set_ylim(0, 1)
    left.grid(alpha=0.3)
    figure.savefig(out, dpi=110)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Draw the course of a training.')
    parser.add_argument('log', type=Path)
    parser.add_argument('--out', type=Path, required=True)
    arguments = parser.parse_args()
    draw_curve(arguments.log, arguments.out)
