"""J and F against the public package vos-benchmark, on random masks."""

import cv2
import numpy as np
import pytest
from PIL import Image

from lazy_vos_ros.evaluation import metrics

evaluator = pytest.importorskip('vos_benchmark.evaluator')

SIZES = [(1, 1), (1, 40), (24, 31), (60, 97), (97, 60), (130, 171)]


def blobs(random: np.random.Generator, size: tuple[int, int], objects: int) -> np.ndarray:
    """Random labels: smooth blobs of all sizes, also at the border, sometimes none at all."""
    height, width = size
    noise = random.random((max(1, height // 8), max(1, width // 8), objects + 1))
    noise *= random.choice([0.0, 1.0, 1.0, 1.2], objects + 1)
    smooth = cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return smooth.reshape(height, width, objects + 1).argmax(2).astype(np.uint8)


def moved(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """A prediction that is a little, or very, wrong."""
    rows, columns = random.integers(-4, 5, 2)
    shifted = np.roll(labels, (rows, columns), (0, 1))
    specks = random.random(labels.shape) < random.choice([0.0, 0.01, 0.3])
    return np.where(specks, random.integers(0, 3, labels.shape), shifted).astype(np.uint8)


@pytest.mark.parametrize('size', SIZES, ids=str)
def test_frames_have_equal_scores(size: tuple[int, int]):
    random = np.random.default_rng(20240701)
    differences = []
    for _ in range(40):
        truth = blobs(random, size, 2)
        prediction = random.choice([moved(random, truth), np.zeros_like(truth)], p=[0.9, 0.1])
        judge = evaluator.Evaluator()
        judge.feed_frame(prediction, truth)
        for item in judge.object_iou:
            pair = truth == item, prediction == item
            differences.append(metrics.jaccard(*pair) - judge.object_iou[item][0])
            differences.append(metrics.boundary_f(*pair) - judge.boundary_f[item][0])
    assert len(differences) > 20
    assert np.abs(differences).max() <= 1e-12


def test_videos_have_equal_scores_over_the_same_frames(tmp_path):
    benchmark = pytest.importorskip('vos_benchmark.benchmark')
    random = np.random.default_rng(7)
    truth = [blobs(random, (48, 64), 2) for _ in range(6)]
    truth[0][:8, :8], truth[0][-8:, -8:] = 1, 2  # both objects are there from the first frame
    truth[1][:8, :8], truth[1][-8:, -8:] = 1, 2
    predictions = [moved(random, labels) for labels in truth]
    for folder, stack in (('truth', truth), ('prediction', predictions)):
        (tmp_path / folder / 'clip').mkdir(parents=True)
        for frame, labels in enumerate(stack):
            Image.fromarray(labels).save(tmp_path / folder / 'clip' / f'{frame:05d}.png')
    for skip in (True, False):
        judge = benchmark.VideoEvaluator(
            str(tmp_path / 'truth'), str(tmp_path / 'prediction'), skip_first_and_last=skip
        )
        _, js, fs = judge('clip')
        for item in (1, 2):
            pairs = [(t == item, p == item) for t, p in zip(truth, predictions, strict=True)]
            for measure, theirs in ((metrics.jaccard, js), (metrics.boundary_f, fs)):
                scores = [measure(*pair) for pair in pairs]
                ours = metrics.mean_over_frames(scores, skip_first=skip, skip_last=skip)
                assert 100 * ours == pytest.approx(theirs[item], rel=1e-12)
