"""Train the click refiner on the features of a trained tracker's trunk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader
from torch.utils.data import Dataset
from tqdm import tqdm

from lazy_vos_ros.engine.build import resolve_device
from lazy_vos_ros.engine.centre import centre_click
from lazy_vos_ros.engine.refiners.click_network import ClickConfig
from lazy_vos_ros.engine.refiners.click_network import Taps
from lazy_vos_ros.engine.refiners.compact import RefinerModel
from lazy_vos_ros.engine.refiners.compact import load_refiner_model
from lazy_vos_ros.engine.xmem.lite_trunk import LiteTrunk
from lazy_vos_ros.training import checkpoint
from lazy_vos_ros.training.clips import ClipMaker
from lazy_vos_ros.training.data import StillImages
from lazy_vos_ros.training.disturb import disturb
from lazy_vos_ros.training.schedule import rate_factor
from lazy_vos_ros.training.settings import TrainSettings
from lazy_vos_ros.training.unroll import normalise

WEIGHTS = {
    'ecssd': 0.5,
    'coco_panoptic': 0.15,
    'human_seg': 0.1,
    'weizmann_horse': 0.08,
    'ccp': 0.07,
    'camvid': 0.05,
    'emoji3d': 0.05,
}
"""How often an object comes from each set."""
_LIFTED_SHARE = 0.85
_QUALITY_WEIGHT = 0.2
_NO_PRIOR = 0.4
"""Share of batches whose first click has no mask to start from."""

Batch = tuple[Tensor, Tensor]
"""(B, S, S, 3) uint8 images and (B, S, S) bool masks."""


class StepImages(Dataset[Batch]):
    """The images of every step, each made from the seed and the step's number alone."""

    def __init__(self, settings: TrainSettings, first: int) -> None:
        self.settings = settings
        self.first = first
        self._maker: ClipMaker | None = None

    def __len__(self) -> int:
        return self.settings.refiner_steps - self.first

    def __getitem__(self, index: int) -> Batch:
        """Return the images and masks of step `first + index`."""
        if self._maker is None:
            stills = StillImages(self.settings.cache)
            self._maker = ClipMaker(stills, WEIGHTS, lifted_share=_LIFTED_SHARE, scene_share=0.0)
        rng = np.random.default_rng([self.settings.seed, 2, self.first + index])
        count, crop = self.settings.refiner_images, self.settings.refiner_crop
        made = [self._maker.clip(rng, 1, crop, 1) for _ in range(count)]
        images = np.stack([images[0] for images, _ in made])
        masks = np.stack([labels[0] == 1 for _, labels in made])
        return torch.from_numpy(images), torch.from_numpy(masks)


def first_click(rng: np.random.Generator, mask: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return x, y of a first click: the object's centre, or any point well inside it."""
    click = centre_click(mask)
    if click is not None and rng.random() < 0.6:
        return click.x, click.y
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[
        1:-1, 1:-1
    ]
    rows, columns = np.nonzero(depth >= 0.4 * depth.max())
    pick = rng.integers(len(rows))
    return float(columns[pick]), float(rows[pick])


def next_click(
    mask: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]
) -> tuple[float, float, int]:
    """Return x, y and kind of a click at the centre of the largest error; kind 0 if none."""
    clicks = [centre_click(mask & ~predicted), centre_click(predicted & ~mask, positive=False)]
    areas = [_largest(mask & ~predicted), _largest(predicted & ~mask)]
    click = clicks[int(np.argmax(areas))]
    return (0.0, 0.0, 0) if click is None else (click.x, click.y, 1 if click.positive else -1)


def _largest(region: npt.NDArray[np.bool_]) -> int:
    statistics = cv2.connectedComponentsWithStats(region.astype(np.uint8))[2]
    return int(statistics[1:, cv2.CC_STAT_AREA].max(initial=0))


def imagined_prior(rng: np.random.Generator, masks: Tensor) -> Tensor | None:
    """Return (B, 1, S/4, S/4) flawed masks as a tracker would give, or None in 2 of 5 batches.

    Mostly near the truth, as a tracker's masks are: moved, shrunk or grown a little, with a bite
    missing or too much; seldom far from it, or of another object altogether.
    """
    if rng.random() < _NO_PRIOR:
        return None
    flawed = []
    for i, mask in enumerate(masks.numpy()):
        other = rng.random() < 0.06
        flawed.append(_flawed(rng, masks[(i + 1) % len(masks)].numpy() if other else mask))
    return functional.avg_pool2d(torch.from_numpy(np.stack(flawed))[:, None], 4)


def _flawed(rng: np.random.Generator, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    size, far = mask.shape[-1], rng.random() < 0.25
    shift = rng.normal(0, (0.04 if far else 0.006) * size, 2)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    moved = cv2.warpAffine(mask.astype(np.uint8), matrix, (size, size))
    kernel = np.ones((int(rng.integers(1, 16 if far else 5)),) * 2, np.uint8)
    moved = (cv2.erode if rng.random() < 0.5 else cv2.dilate)(moved, kernel)
    rows, columns = np.nonzero(mask)
    for _ in range(int(rng.integers(0, 3))):
        # A bite out of the object, or a piece of what lies beside it.
        pick = rng.integers(len(rows))
        reach = np.sqrt(len(rows)) * rng.uniform(0.15, 0.6)
        centre = np.array([columns[pick], rows[pick]]) + rng.normal(0, 0.5 * reach, 2)
        axes = (reach * rng.uniform(0.4, 1, 2)).astype(int) + 1
        fill = int(rng.random() < 0.5)
        angle = rng.uniform(0, 180)
        cv2.ellipse(moved, centre.astype(int).tolist(), axes.tolist(), angle, 0, 360, fill, -1)
    return cv2.GaussianBlur(moved.astype(np.float32), (0, 0), rng.uniform(0.5, 3))


def opening_click(
    rng: np.random.Generator, mask: npt.NDArray[np.bool_], prior: npt.NDArray[np.bool_] | None
) -> tuple[float, float, int]:
    """Return x, y and kind of the first click: on the object, or on the error of a mask."""
    if prior is not None and rng.random() < 0.5:
        click = next_click(mask, prior)
        if click[2]:
            return click
    return (*first_click(rng, mask), 1)


def _at_full_size(maps: Tensor) -> npt.NDArray[np.bool_]:
    """Return (B, S, S) masks of probabilities (B, 1, S/4, S/4)."""
    large = functional.interpolate(maps, scale_factor=4, mode='bilinear')
    return np.asarray((large[:, 0] > 0.5).cpu().numpy())


def mask_loss(logits: Tensor, quality: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy and soft Dice at stride 4, and the error of the expected IoU."""
    truth = functional.avg_pool2d(masks[:, None].float(), 4)
    predicted = logits.sigmoid()
    entropy = functional.binary_cross_entropy_with_logits(logits, truth)
    overlap = (predicted * truth).sum((1, 2, 3))
    total = (predicted + truth).sum((1, 2, 3))
    dice = (1 - (2 * overlap + 1) / (total + 1)).mean()
    hard, solid = logits > 0, truth > 0.5
    union = (hard | solid).sum((1, 2, 3)).clamp_min(1)
    iou = (hard & solid).sum((1, 2, 3)) / union
    return entropy + dice + _QUALITY_WEIGHT * functional.mse_loss(quality, iou)


def refine_loss(
    model: RefinerModel, batch: Batch, rng: np.random.Generator, *, half: bool
) -> Tensor:
    """Return the loss of one batch, averaged over one to three clicks an image."""
    images, masks = batch
    device = images.device
    maps = normalise(images).contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), torch.autocast(images.device.type, torch.bfloat16, enabled=half):
        taps = Taps(*(tap.float() for tap in model.trunk(maps)))
    truths = masks.cpu().numpy()
    previous = imagined_prior(rng, masks.cpu())
    previous = None if previous is None else previous.to(device)
    guesses = [None] * len(truths) if previous is None else _at_full_size(previous)
    clicks = [
        [opening_click(rng, truth, guess)] for truth, guess in zip(truths, guesses, strict=True)
    ]
    losses = []
    for number in range(int(rng.integers(1, 4))):
        if number:
            for made, truth, guess in zip(clicks, truths, _at_full_size(previous), strict=True):
                made.append(next_click(truth, guess))
        table = torch.tensor(clicks, dtype=torch.float32, device=device)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
            logits, quality = model.clicks(taps, table[..., :2], table[..., 2], previous)
        losses.append(mask_loss(logits.float(), quality.float(), masks))
        previous = logits.detach().float().sigmoid()
    return torch.stack(losses).mean()


def train_refiner(
    settings: TrainSettings,
    trunk: LiteTrunk,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> RefinerModel:
    """Run or resume a training on a trained trunk; checkpoints go to `settings.out`."""
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)  # its thread pool does not survive the fork of the workers
    torch.manual_seed(settings.seed)
    settings.out.mkdir(parents=True, exist_ok=True)
    device = resolve_device(settings.device)
    model = RefinerModel(ClickConfig()).to(device)
    model.trunk.load_state_dict(trunk.state_dict())
    model.trunk.requires_grad_(False).channels_last()
    optimiser = torch.optim.AdamW(
        model.clicks.parameters(), settings.refiner_rate, weight_decay=settings.weight_decay
    )
    generator = torch.Generator().manual_seed(settings.seed)
    path = settings.out / 'refiner.ckpt'
    first = checkpoint.load(path, model, optimiser, generator)
    if not first and settings.refiner_start is not None:
        model.clicks.load_state_dict(
            load_refiner_model(settings.refiner_start).clicks.state_dict()
        )
    steps = settings.refiner_steps
    loader = DataLoader(
        StepImages(settings, first),
        batch_size=None,
        num_workers=settings.workers,
        prefetch_factor=6 if settings.workers else None,
        pin_memory=device.type == 'cuda',
    )
    progress = tqdm(loader, total=steps, initial=first, mininterval=10, desc='refiner')
    average = 0.0
    for step, batch in enumerate(progress, first):
        for group in optimiser.param_groups:
            group['lr'] = settings.refiner_rate * rate_factor(step, steps, settings.warmup)
        rng = np.random.default_rng([settings.seed, 3, step])
        images, masks = (part.to(device, non_blocking=True) for part in batch)
        disturbance = torch.Generator().manual_seed((settings.seed << 32) + (1 << 31) + step)
        images = disturb(images[:, None], disturbance)[:, 0]
        loss = refine_loss(model, (images, masks), rng, half=settings.half)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.clicks.parameters(), 1.0)
        if torch.isfinite(norm):
            optimiser.step()
        value = float(loss.detach())
        average = value if step == first else 0.98 * average + 0.02 * value
        progress.set_postfix(loss=f'{average:.3f}', refresh=False)
        done = step + 1
        if done % settings.checkpoint_every == 0 or done == steps:
            checkpoint.save(path, done, model, optimiser, generator)
            _log(settings.out, {'step': done, 'refiner loss': average}, report)
    return model


def _log(
    out: Path, values: dict[str, Any], report: Callable[[dict[str, Any]], None] | None
) -> None:
    with (out / 'log.jsonl').open('a') as file:
        file.write(json.dumps(values) + '\n')
    if report is not None:
        report(values)
