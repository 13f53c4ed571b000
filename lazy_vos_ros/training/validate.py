"""Score the tracker on annotated sequences, from the first mask and without corrections.

``python -m lazy_vos_ros.training.validate --weights FILE --data DIR --size 320``: `DIR` holds
``<sequence>/{JPEGImages,Annotations}/*``. Prints J of every object and how well the entropy warns.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as PngImage

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.uncertainty import frame_maps
from lazy_vos_ros.engine.uncertainty import object_uncertainty
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.config import XMemConfig

Labels = npt.NDArray[np.uint8]


@dataclass
class ObjectScore:
    """The course of one object; entry 0 is the first frame after the given one."""

    overlap: list[float]
    """IoU in every frame with truth."""
    uncertainty: list[float]
    """S_R in the same frames."""
    course: list[float]
    """S_R in all frames."""

    @property
    def mean(self) -> float:
        """J: the mean IoU."""
        return float(np.mean(self.overlap))

    @property
    def warning(self) -> float:
        """Spearman correlation of -S_R with IoU; not a number if one of them is constant."""
        return spearman(-np.array(self.uncertainty), np.array(self.overlap))


def spearman(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """Return the rank correlation of two series, with mean ranks for ties."""
    ranks = [_mean_ranks(series) for series in (a, b)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return float('nan')
    return float(np.corrcoef(*ranks)[0, 1])


def _mean_ranks(series: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(series, return_inverse=True, return_counts=True)
    last = np.cumsum(counts).astype(float)
    return np.asarray((last - (counts - 1) / 2)[inverse])


def sequence_frames(folder: Path) -> Iterator[tuple[npt.NDArray[np.uint8], Labels | None]]:
    """Yield the RGB image and the label mask, None where there is none, of every frame."""
    for path in sorted((folder / 'JPEGImages').iterdir()):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        truth = folder / 'Annotations' / f'{path.stem}.png'
        yield image, np.array(PngImage.open(truth)) if truth.is_file() else None


def iou(predicted: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """Return intersection over union; 1 if both are empty."""
    union = np.count_nonzero(predicted | truth)
    return np.count_nonzero(predicted & truth) / union if union else 1.0


def score_sequence(
    backend: XMemBackend, folder: Path, pictures: Path | None = None
) -> tuple[dict[int, ObjectScore], float]:
    """Track all objects of the first mask; return their scores and frames a second."""
    backend.reset()
    config = LazyConfig()
    scores: dict[int, ObjectScore] = {}
    seconds, frames = 0.0, 0
    for index, (image, truth) in enumerate(sequence_frames(folder)):
        start = perf_counter()
        prediction = backend.predict(image)
        if index == 0:
            if truth is None:
                raise ValueError(f'{folder} has no mask of its first frame')
            ids = [int(v) for v in np.unique(truth) if v not in (0, 255)] or [255]
            prediction = backend.add_objects(
                prediction, {i: torch.from_numpy(truth == i) for i in ids}
            )
            scores = {i: ObjectScore([], [], []) for i in ids}
        backend.commit(prediction)
        maps = frame_maps(prediction.probabilities, config)
        levels = [object_uncertainty(maps, c, config) for c in range(1, len(scores) + 1)]
        seconds, frames = seconds + perf_counter() - start, frames + 1
        if index == 0:
            continue
        for channel, (label, score) in enumerate(scores.items(), 1):
            score.course.append(levels[channel - 1])
            if truth is not None:
                score.overlap.append(iou(maps.channels == channel, truth == label))
                score.uncertainty.append(levels[channel - 1])
        if pictures is not None and index % 8 == 0:
            _save_picture(pictures / f'{folder.name}_{index:03d}.jpg', image, maps, truth)
    return scores, frames / seconds


def _save_picture(path: Path, image: Labels, maps: object, truth: Labels | None) -> None:
    colours = np.array(
        [(0, 0, 0), (255, 60, 60), (60, 255, 60), (80, 80, 255), (255, 255, 0), (255, 0, 255),
         (0, 255, 255), (255, 140, 0)], np.uint8,
    )  # fmt: skip
    channels, entropy = maps.channels, maps.entropy  # type: ignore[attr-defined]
    shown = image.copy()
    shown[channels > 0] = shown[channels > 0] // 2 + colours[channels[channels > 0] % 8] // 2
    if truth is not None:
        edge = cv2.morphologyEx((truth > 0).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3)))
        shown[edge > 0] = 255
    heat = cv2.applyColorMap((entropy * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    both = np.concatenate([cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), heat], 1)
    cv2.imwrite(str(path), both)


def validate(backend: XMemBackend, data: Path, pictures: Path | None = None) -> float:
    """Print a line for every sequence and return the mean J over all objects."""
    means: list[float] = []
    warnings: list[float] = []
    every: list[ObjectScore] = []
    for folder in sorted(path for path in data.iterdir() if (path / 'JPEGImages').is_dir()):
        scores, speed = score_sequence(backend, folder, pictures)
        every += scores.values()
        means += [score.mean for score in scores.values()]
        warnings += [score.warning for score in scores.values() if len(score.overlap) > 10]
        course = np.concatenate([score.course for score in scores.values()])
        objects = ' '.join(f'{score.mean:.3f}' for score in scores.values())
        print(
            f'{folder.name:28} J {np.mean([s.mean for s in scores.values()]):.3f} [{objects}] '
            f'S_R median {np.median(course):.2f} p90 {np.quantile(course, 0.9):.2f} '
            f'dS p99 {np.quantile(np.diff(course), 0.99):.3f} {speed:.1f} fps',
            flush=True,
        )
    print(
        f'mean J over {len(means)} objects {np.mean(means):.3f}, '
        f'median Spearman of -S_R and IoU {np.nanmedian(warnings):.2f}'
    )
    print_levels(every)
    return float(np.mean(means))


def print_levels(scores: list[ObjectScore]) -> None:
    """Print from which levels of dS and S_R thresholds can be chosen."""
    changes = np.concatenate([np.diff(score.course) for score in scores])
    for name, frames in (('tau_u', 60), ('tau_p', 12)):
        level = np.quantile(changes, 1 - 1 / frames)
        print(f'dS reaches {level:.3f} once in {frames} frames of an object: {name}')
    overlap = np.concatenate([score.overlap for score in scores])
    uncertainty = np.concatenate([score.uncertainty for score in scores])
    for name, chosen in (('J >= 0.7', overlap >= 0.7), ('J < 0.3', overlap < 0.3)):
        if chosen.any():
            levels = np.quantile(uncertainty[chosen], (0.1, 0.5, 0.9, 0.95))
            print(f'S_R where {name}: ' + ' '.join(f'{level:.2f}' for level in levels))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Score the compact tracker without corrections.')
    parser.add_argument('--weights', type=Path, required=True)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--size', type=int, default=384)
    parser.add_argument('--enlarge', action='store_true')
    parser.add_argument('--pictures', type=Path, help='folder for overlays')
    arguments = parser.parse_args()
    settings = XMemConfig(size=arguments.size, enlarge=arguments.enlarge)
    tracker = XMemBackend(load_compact_network(arguments.weights), settings)
    validate(tracker, arguments.data, arguments.pictures)
