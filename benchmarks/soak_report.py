"""What grew in a long run, in figures and as a picture, also of one that is not through yet.

Example: ``python -m benchmarks.soak_report out/soak.json --picture out/soak.png``
"""

import argparse
import json
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use('Agg')

from matplotlib import pyplot as plt

Samples = Sequence[Mapping[str, float]]

FLAT = (
    'resident_mib',
    'handles',
    'threads',
    'cpu_ms_p50',
    'cpu_ms_p99',
    'memory_bytes',
    'elements',
)
"""What must not grow."""

_PANELS = {
    'MiB': {'resident_mib': 'resident memory'},
    'count': {'handles': 'open file handles', 'threads': 'threads'},
    'ms a frame (CPU)': {'cpu_ms_p99': 'p99', 'cpu_ms_p50': 'median'},
    'elements': {'elements': 'working and long-term memory', 'long_term': 'long-term memory'},
    'objects': {'objects': 'objects tracked', 'open_questions': 'open questions'},
}
"""What is drawn: unit, then figures with their names for people."""


def series(samples: Samples, name: str) -> np.ndarray:
    """Return one figure of all samples; `elements` is the working and the long-term memory."""
    if name == 'elements':
        return np.array([sample['working'] + sample['long_term'] for sample in samples], float)
    return np.array([sample[name] for sample in samples], float)


def growth(samples: Samples) -> dict[str, dict[str, float]]:
    """Compare the first and the last tenth of what follows the first 5 % of a run.

    Returns for each of :data:`FLAT` the means of both, and `percent`, by how much the last one is
    above the first one; the figures in between may go up and down with the objects.
    """
    begin = len(samples) // 20
    tenth = max(1, (len(samples) - begin) // 10)
    figures = {}
    for name in FLAT:
        values = series(samples, name)
        first = float(values[begin : begin + tenth].mean())
        last = float(values[-tenth:].mean())
        percent = 100 * (last - first) / first if first else 100 * (last > 0)
        figures[name] = {
            'first': round(first, 2),
            'last': round(last, 2),
            'highest': round(float(values[begin:].max()), 2),
            'percent': round(percent, 2),
        }
    return figures


def save_picture(samples: Samples, title: str, path: Path) -> None:
    """Draw every figure against the number of frames; the first 5 % are shaded."""
    frames = series(samples, 'frame') / 1000
    figure, axes = plt.subplots(len(_PANELS), 1, figsize=(10, 11), sharex=True)
    for axis, (unit, shown) in zip(axes, _PANELS.items(), strict=True):
        for name, words in shown.items():
            axis.plot(frames, series(samples, name), linewidth=1, label=words)
        axis.set_ylim(0, 1.25 * max(1.0, axis.get_ylim()[1]))
        axis.set_ylabel(unit, fontsize=9)
        axis.axvspan(0, frames[-1] / 20, color='0.9')
        axis.grid(alpha=0.3)
        axis.legend(loc='upper right', fontsize=8, ncols=2)
    axes[0].set_title(title, fontsize=8)
    axes[-1].set_xlabel('thousand frames')
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> int:
    """Print what has grown and draw the picture of a file of `benchmarks.soak`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('run', type=Path, help='JSON file of benchmarks.soak')
    parser.add_argument('--picture', type=Path, help='PNG file')
    args = parser.parse_args()
    run = json.loads(args.run.read_text())
    print(json.dumps({'counts': run['counts'], 'growth': growth(run['samples'])}, indent=2))
    if args.picture:
        save_picture(run['samples'], run['weights'], args.picture)
    return 0


if __name__ == '__main__':
    sys.exit(main())
