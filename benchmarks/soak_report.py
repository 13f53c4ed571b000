"""What grew in a long run, in figures and as a picture."""

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

_PANELS = (
    ('resident_mib', 'resident memory [MiB]'),
    ('handles', 'open file handles, threads'),
    ('cpu_ms_p99', 'a frame, CPU time [ms]'),
    ('elements', 'memory elements'),
    ('objects', 'objects, open questions'),
)
_BESIDE = {
    'handles': 'threads',
    'cpu_ms_p99': 'cpu_ms_p50',
    'elements': 'long_term',
    'objects': 'open_questions',
}


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
    for axis, (name, words) in zip(axes, _PANELS, strict=True):
        for shown in (name, _BESIDE.get(name)):
            if shown is not None:
                axis.plot(frames, series(samples, shown), linewidth=1, label=shown)
        axis.set_ylim(bottom=0)
        axis.set_ylabel(words, fontsize=9)
        axis.axvspan(0, frames[-1] / 20, color='0.9')
        axis.grid(alpha=0.3)
        axis.legend(loc='lower right', fontsize=8)
    axes[0].set_title(title, fontsize=8)
    axes[-1].set_xlabel('thousand frames')
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
