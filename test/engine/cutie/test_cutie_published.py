"""The backend against the package's own inference code on the same weights."""

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.cutie.backend import CutieBackend
from lazy_vos_ros.engine.xmem.config import XMemConfig

pytestmark = pytest.mark.filterwarnings('ignore::FutureWarning:cutie')

SIZE = (40, 56)
SMALL_MEMORY = {
    'max_mid_term_frames': 4,
    'min_mid_term_frames': 2,
    'num_prototypes': 8,
    'max_long_term_elements': 1000,
}


@pytest.fixture
def published(filled_model):
    """Return a function of the settings that makes the package's inference code."""
    from cutie.inference.inference_core import InferenceCore
    from omegaconf import OmegaConf

    def make(config):
        settings = OmegaConf.create(
            {
                'model': {'sensory_dim': filled_model.sensory_dim},
                'mem_every': config.mem_every,
                'stagger_updates': config.mem_every,
                'chunk_size': -1,
                'save_aux': False,
                'max_internal_size': -1,
                'flip_aug': False,
                'top_k': config.top_k,
                'use_long_term': config.long_term,
                'max_mem_frames': config.max_working_frames,
                'long_term': {
                    'count_usage': True,
                    'max_mem_frames': config.max_mid_term_frames,
                    'min_mem_frames': config.min_mid_term_frames,
                    'num_prototypes': config.num_prototypes,
                    'max_num_tokens': config.max_long_term_elements,
                    'buffer_tokens': 0,
                },
            }
        )
        return InferenceCore(filled_model, settings)

    return make


def mask_at(top, left):
    mask = np.zeros(SIZE, bool)
    mask[top : top + 16, left : left + 16] = True
    return mask


def labels_of(masks):
    labels = torch.zeros(SIZE, dtype=torch.long)
    for object_id, mask in masks.items():
        labels[torch.from_numpy(mask)] = object_id
    return labels


@torch.inference_mode()
def published_step(core, image, masks=None):
    pixels = torch.from_numpy(image).permute(2, 0, 1).float() / 255
    if not masks:
        return core.step(pixels)
    return core.step(pixels, labels_of(masks), list(masks))


def our_step(backend, image, masks=None):
    prediction = backend.predict(image)
    if masks:
        given = {object_id: torch.from_numpy(mask) for object_id, mask in masks.items()}
        prediction = backend.add_objects(prediction, given)
    backend.commit(prediction, MemoryWrite.FORCED if masks else MemoryWrite.SCHEDULED)
    return prediction.probabilities


def run_both(network, published, config, images, appear, leave=None):
    """Step both through the images; return the largest difference on each frame."""
    backend, core = CutieBackend(network, config), published(config)
    differences = []
    for t, image in enumerate(images):
        for object_id in (leave or {}).get(t, ()):
            # The published code leaves the channel of a removed object in the last masks, so
            # that on the next frame the objects behind it look at each other's.
            kept = [row for row, i in enumerate(backend.object_ids) if i != object_id]
            core.last_mask = core.last_mask[:, kept]
            core.delete_objects([object_id])
            backend.remove_objects((object_id,))
        ours = our_step(backend, image, appear.get(t))
        theirs = published_step(core, image, appear.get(t))
        assert ours.shape == theirs.shape
        differences.append(float((ours - theirs).abs().max()))
    return differences


def test_working_memory_only(network, published, frames):
    config = XMemConfig(size=-1, top_k=6, mem_every=2, long_term=False, max_working_frames=3)
    appear = {0: {1: mask_at(2, 2), 2: mask_at(20, 30)}}
    assert max(run_both(network, published, config, frames(12, *SIZE), appear)) < 1e-4


def test_long_term_memory(network, published, frames):
    config = XMemConfig(size=-1, top_k=6, mem_every=1, **SMALL_MEMORY)
    appear = {0: {1: mask_at(2, 2), 2: mask_at(20, 30)}}
    assert max(run_both(network, published, config, frames(14, *SIZE), appear)) < 1e-4


def test_objects_that_come_and_go(network, published, frames):
    config = XMemConfig(size=-1, top_k=6, mem_every=3, long_term=False)
    appear = {
        0: {1: mask_at(2, 2), 2: mask_at(20, 30)},
        4: {5: mask_at(4, 34), 9: mask_at(22, 4)},
        10: {12: mask_at(0, 20)},
    }
    leave = {7: (1,), 12: (5,), 13: (2,)}
    images = frames(16, *SIZE)
    assert max(run_both(network, published, config, images, appear, leave)) < 1e-4
