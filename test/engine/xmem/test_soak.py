"""3,000 frames of benchmarks/soak.py: everything happens, and nothing grows."""

from dataclasses import asdict
from dataclasses import replace
from math import inf

import torch
from torch import nn
from torch.nn import functional

from benchmarks.soak import Soak
from benchmarks.soak_people import HelpedRefiner
from benchmarks.soak_report import growth
from benchmarks.soak_report import save_picture
from benchmarks.soak_scene import SoakScene
from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.refiners.base import RefinedMask
from lazy_vos_ros.engine.tracker import LazyTracker
from lazy_vos_ros.engine.xmem.backend import XMemBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.engine.xmem.network import XMemNetwork

FRAMES = 3000
SETTINGS = XMemConfig(
    size=-1,
    max_mid_term_frames=4,
    min_mid_term_frames=2,
    num_prototypes=4,
    max_long_term_elements=20,
)


class PooledKeys(nn.Module):
    """Colours of cells of 8 x 8 pixels."""

    def forward(self, image):
        coarse = functional.avg_pool2d(image, 8)
        return coarse, coarse, coarse


class ColourKey(nn.Module):
    def forward(self, features):
        one = torch.ones_like(features.f16[:, :1])
        return features.f16, one, torch.ones_like(features.f16)


class PooledValues(nn.Module):
    """How much of a cell is the object's."""

    def forward(self, image, features, hidden, masks, *, deep_update):
        return functional.avg_pool2d(masks, 8)[:, :, None], hidden


class Enlarge(nn.Module):
    def forward(self, features, readout, hidden, *, update_hidden):
        logits = functional.interpolate(8 * readout[:, :, 0] - 4, scale_factor=2)
        return hidden if update_hidden else None, logits


def pooled_network():
    """A network without weights; everything around it is real."""
    parts = (PooledKeys(), PooledValues(), ColourKey(), Enlarge())
    return XMemNetwork(*parts, key_dim=3, value_dim=1, hidden_dim=0, stride=8)


class NothingRefiner:
    """Finds nothing, so that its helper draws a disc."""

    name = 'nothing'

    def refine(self, frame, clicks, *, object_id, prior=None):
        return RefinedMask(torch.zeros(frame.image.shape[:2], dtype=torch.bool), 0.5)


def test_nothing_grows_while_objects_come_and_go(tmp_path):
    backend = XMemBackend(pooled_network(), SETTINGS, name='pooled')
    config = replace(
        PROFILES['live'],
        tau_u=0.0,
        tau_p=0.0,
        question_timeout=2.0,
        question_cooldown=0.5,
        questions_per_minute=600.0,
        rearm_ratio=inf,
        spare_absent=False,
        pseudo_corrections=False,
    )
    soak = Soak(
        LazyTracker(backend, HelpedRefiner(NothingRefiner(), 3), config), SoakScene(24, 32, 2)
    )
    samples = [asdict(sample) for sample in soak.run(FRAMES, 100)]
    counts = soak.counts
    assert min(counts['objects'].values()) >= 5
    assert {'asked', 'answered', 'skipped', 'expired', 'removed'} <= counts['events'].keys()
    assert counts['person']['asked'] > 50
    figures = growth(samples)
    for name in ('resident_mib', 'handles', 'threads'):
        assert figures[name]['percent'] < 1, (name, figures[name])
    assert figures['memory_bytes']['highest'] <= samples[5]['memory_bytes'] * 1.5
    assert all(s['long_term'] <= 20 and s['open_questions'] <= 2 for s in samples)
    save_picture(samples, 'tiny', tmp_path / 'soak.png')
    assert (tmp_path / 'soak.png').stat().st_size > 1000


def test_growth_is_told_from_ups_and_downs():
    flat = [
        {'resident_mib': 100 + step % 2, 'handles': 5, 'threads': 2, 'cpu_ms_p50': 1.0}
        | {'cpu_ms_p99': 2.0, 'memory_bytes': 0, 'working': step % 3, 'long_term': 3}
        for step in range(200)
    ]
    assert all(abs(item['percent']) < 1 for item in growth(flat).values())
    grown = [{**sample, 'resident_mib': 100 + step / 50} for step, sample in enumerate(flat)]
    assert growth(grown)['resident_mib']['percent'] > 3
    opened = [{**sample, 'handles': int(step > 150)} for step, sample in enumerate(flat)]
    assert growth(opened)['handles']['percent'] == 100
