"""Train the tracker of the compact model on synthetic clips."""

import json
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset
from tqdm import tqdm

from lazy_vos_ros.engine.build import resolve_device
from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.network import XMemNetwork
from lazy_vos_ros.training import checkpoint
from lazy_vos_ros.training.clips import ClipMaker
from lazy_vos_ros.training.data import StillImages
from lazy_vos_ros.training.disturb import disturb
from lazy_vos_ros.training.extent import vary_extent
from lazy_vos_ros.training.losses import bootstrapped_cross_entropy
from lazy_vos_ros.training.losses import prior_cross_entropy
from lazy_vos_ros.training.losses import soft_dice
from lazy_vos_ros.training.schedule import rate_factor
from lazy_vos_ros.training.settings import TrainSettings
from lazy_vos_ros.training.trunk_weights import load_trunk
from lazy_vos_ros.training.trunk_weights import published_state
from lazy_vos_ros.training.trunk_weights import standardise
from lazy_vos_ros.training.unroll import normalise
from lazy_vos_ros.training.unroll import one_hot
from lazy_vos_ros.training.unroll import unroll

FIRST_TUNED_BLOCK = 3
"""Blocks of the trunk before this one (up to stride 4) are never trained."""
_VALIDATION_SEED = 987654321
_PRIOR_WEIGHT = 0.3
_AVERAGE_DECAY = 0.995

Batch = tuple[Tensor, Tensor]
"""(B, T, S, S, 3) uint8 images and (B, T, S, S) uint8 labels."""


class StepClips(Dataset[Batch]):
    """The clips of every step, made from the seed and the step's number alone; undisturbed."""

    def __init__(self, settings: TrainSettings, first: int) -> None:
        self.settings = settings
        self.first = first
        self._maker: ClipMaker | None = None

    def __len__(self) -> int:
        return self.settings.steps - self.first

    def __getitem__(self, index: int) -> Batch:
        """Return the clips of step `first + index`."""
        if self._maker is None:
            self._maker = ClipMaker(StillImages(self.settings.cache))
        step = self.first + index
        stage = self.settings.stage(step)
        rng = np.random.default_rng([self.settings.seed, step])
        shares = self.settings.object_shares
        objects = 1 + int(rng.choice(len(shares), p=shares))
        made = make_batch(self._maker, rng, stage.clips, stage.frames, self.settings.crop, objects)
        clips = [self._vary(rng, *clip) for clip in zip(*made, strict=True)]
        images, labels = (torch.stack(part) for part in zip(*clips, strict=True))
        return images, labels

    def _vary(self, rng: np.random.Generator, images: Tensor, labels: Tensor) -> Batch:
        changed = vary_extent(
            rng,
            images.numpy(),
            labels.numpy(),
            margin_share=self.settings.margin_share,
            shadow_share=self.settings.shadow_share,
        )
        return torch.from_numpy(changed[0]), torch.from_numpy(changed[1])


def make_batch(
    maker: ClipMaker, rng: np.random.Generator, clips: int, frames: int, crop: int, objects: int
) -> Batch:
    """Return `clips` clips of the same number of objects."""
    made = [maker.clip(rng, frames, crop, objects) for _ in range(clips)]
    images, labels = (torch.from_numpy(np.stack(part)) for part in zip(*made, strict=True))
    return images, labels


def clip_loss(
    network: XMemNetwork,
    batch: Batch,
    generator: torch.Generator,
    *,
    hardest: float,
    tune_trunk: bool,
    half: bool,
) -> Tensor:
    """Unroll one batch and return its loss, averaged over the predicted frames."""
    images, labels = batch[0], batch[1].long()
    objects = max(int(labels[:, 0].max()), 1)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
        result = unroll(
            network,
            normalise(images),
            one_hot(labels[:, 0], objects),
            tune_trunk=tune_trunk,
            generator=generator,
        )
    losses = []
    pairs = zip(result.probabilities, result.priors, labels.unbind(1)[1:], strict=True)
    for probabilities, prior, truth in pairs:
        losses.append(
            bootstrapped_cross_entropy(probabilities, truth, hardest)
            + soft_dice(probabilities[:, 1:], truth)
            + _PRIOR_WEIGHT * sum(prior_cross_entropy(cells.float(), truth) for cells in prior)
        )
    return torch.stack(losses).mean()


@torch.no_grad()
def validation_score(network: XMemNetwork, batches: list[Batch]) -> float:
    """Return the mean IoU of the last frame over objects that are still visible in it."""
    scores = []
    device = next(network.parameters()).device
    for images, labels in (on_device(batch, device) for batch in batches):
        objects = int(labels[:, 0].max())
        first = one_hot(labels[:, 0].long(), objects)
        generator = torch.Generator().manual_seed(0)
        result = unroll(network, normalise(images), first, generator=generator, deep_share=0.5)
        predicted = one_hot(result.probabilities[-1].argmax(1), objects)
        truth = one_hot(labels[:, -1].long(), objects)
        union = torch.maximum(predicted, truth).sum((2, 3))
        overlap = (predicted * truth).sum((2, 3)) / union.clamp_min(1)
        scores += overlap[truth.sum((2, 3)) > 50].tolist()
    return float(np.mean(scores)) if scores else 0.0


def validation_batches(settings: TrainSettings, stills: StillImages) -> list[Batch]:
    """Return fixed clips of 6 frames, the same for every run with this crop."""
    rng = np.random.default_rng(_VALIDATION_SEED)
    generator = torch.Generator().manual_seed(_VALIDATION_SEED)
    maker = ClipMaker(stills)
    batches = []
    for number in range(settings.validation_clips):
        images, labels = make_batch(maker, rng, 1, 6, settings.crop, 1 + number % 2)
        batches.append((disturb(images, generator), labels))
    return batches


def on_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch on the device; from pinned memory the copy does not wait."""
    images, labels = (part.to(device, non_blocking=True) for part in batch)
    return images, labels


def new_network(settings: TrainSettings) -> XMemNetwork:
    """Return the network with random weights, its trunk's included."""
    torch.manual_seed(settings.seed)
    return compact_network(CompactConfig())


def start_from_imagenet(
    network: XMemNetwork, settings: TrainSettings, stills: StillImages
) -> None:
    """Give the trunk its ImageNet weights and fit its standardisation to training images."""
    trunk = network.key_encoder
    load_trunk(trunk, published_state(settings.trunk_weights))
    maker = ClipMaker(stills)
    rng = np.random.default_rng([settings.seed, 1])
    clips = (make_batch(maker, rng, 8, 1, settings.crop, 1)[0][:, 0] for _ in range(12))
    standardise(trunk, (normalise(images) for images in clips))


def make_optimiser(network: XMemNetwork, settings: TrainSettings) -> torch.optim.Optimizer:
    """Return AdamW with the trunk's later blocks in a group of a lower rate."""
    trunk = network.key_encoder
    tuned = [p for block in trunk.blocks[FIRST_TUNED_BLOCK:] for p in block.parameters()]
    of_trunk = {id(p) for p in trunk.parameters()}
    head = [p for p in network.parameters() if id(p) not in of_trunk]
    for parameter in trunk.parameters():
        parameter.requires_grad_(any(parameter is p for p in tuned))
    groups = [
        {'params': head, 'lr': settings.rate, 'peak': settings.rate},
        {'params': tuned, 'lr': settings.trunk_rate, 'peak': settings.trunk_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay, betas=(0.9, 0.98))


def hardest_share(step: int, settings: TrainSettings) -> float:
    """Share of pixels in the bootstrapped cross-entropy: 1, falling to 0.7 by 40 % of the run."""
    progress = step / settings.steps
    return float(np.interp(progress, (0.1, 0.4), (1.0, 0.7)))


def train_tracker(
    settings: TrainSettings, report: Callable[[dict[str, Any]], None] | None = None
) -> XMemNetwork:
    """Run or resume a training; checkpoints and ``log.jsonl`` go to `settings.out`."""
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)  # its thread pool does not survive the fork of the workers
    settings.out.mkdir(parents=True, exist_ok=True)
    stills = StillImages(settings.cache)
    device = resolve_device(settings.device)
    network = new_network(settings).to(device)
    optimiser = make_optimiser(network, settings)
    generator = torch.Generator().manual_seed(settings.seed)
    path = settings.out / 'tracker.ckpt'
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGE_DECAY))
    first = checkpoint.load(path, network, optimiser, generator, average)
    if not first and settings.start is not None:
        network.load_state_dict(load_compact_network(settings.start).state_dict())
    elif not first:
        start_from_imagenet(network, settings, stills)
    validation = validation_batches(settings, stills)
    loader = DataLoader(
        StepClips(settings, first),
        batch_size=None,
        num_workers=settings.workers,
        prefetch_factor=6 if settings.workers else None,
        pin_memory=device.type == 'cuda',
    )
    progress = tqdm(loader, total=settings.steps, initial=first, mininterval=10, desc='tracker')
    running, score = 0.0, 0.0
    for step, batch in enumerate(progress, first):
        images, labels = on_device(batch, device)
        disturbance = torch.Generator().manual_seed((settings.seed << 32) + step)
        batch = disturb(images, disturbance), labels
        loss = train_step(network, optimiser, batch, generator, step, settings)
        average.update_parameters(network)
        running = loss if step == first else 0.98 * running + 0.02 * loss
        done = step + 1
        if done % settings.validate_every == 0 or done == settings.steps:
            score = validation_score(average.module, validation)
            _log(settings, {'step': done, 'loss': running, 'validation': score}, report)
        progress.set_postfix(loss=f'{running:.3f}', val=f'{score:.3f}', refresh=False)
        if done % settings.checkpoint_every == 0 or done == settings.steps:
            checkpoint.save(path, done, network, optimiser, generator, average)
    return average.module


def train_step(
    network: XMemNetwork,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    generator: torch.Generator,
    step: int,
    settings: TrainSettings,
) -> float:
    """Make one optimiser step and return the loss."""
    for group in optimiser.param_groups:
        group['lr'] = group['peak'] * rate_factor(step, settings.steps, settings.warmup)
    loss = clip_loss(
        network,
        batch,
        generator,
        hardest=hardest_share(step, settings),
        tune_trunk=settings.stage(step).tune_trunk,
        half=settings.half,
    )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    trained = [p for group in optimiser.param_groups for p in group['params']]
    norm = torch.nn.utils.clip_grad_norm_([p for p in trained if p.grad is not None], 1.0)
    if torch.isfinite(norm):
        optimiser.step()
    return float(loss.detach())


def _log(
    settings: TrainSettings,
    values: dict[str, Any],
    report: Callable[[dict[str, Any]], None] | None,
) -> None:
    with (settings.out / 'log.jsonl').open('a') as file:
        file.write(json.dumps(values) + '\n')
    if report is not None:
        report(values)
