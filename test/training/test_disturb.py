"""Disturbances of clips: what they must change and what they must leave."""

import cv2
import numpy as np
import torch

from lazy_vos_ros.training.disturb import blur
from lazy_vos_ros.training.disturb import compress
from lazy_vos_ros.training.disturb import cosine_basis
from lazy_vos_ros.training.disturb import disturb
from lazy_vos_ros.training.disturb import motion_kernel
from lazy_vos_ros.training.disturb import soft_kernel


def clips(count=40, frames=2, size=32):
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(count * frames, 3, 4, 4, generator=generator) * 200 + 25
    maps = torch.nn.functional.interpolate(small, size=(size, size), mode='bilinear')
    maps += 20 * torch.rand(maps.shape, generator=generator)
    return maps.view(count, frames, 3, size, size).movedim(2, -1).to(torch.uint8)


def test_the_seed_alone_decides():
    made = [disturb(clips(), torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert made[0].shape == clips().shape
    assert made[0].dtype == torch.uint8


def test_every_disturbance_occurs():
    before = clips(200).float()
    after = disturb(clips(200), torch.Generator().manual_seed(3)).float()
    grey = (after.amax(-1) - after.amin(-1)).flatten(1).amax(1) == 0
    assert 2 <= int(grey.sum()) <= 25

    def roughness(maps):
        return maps.diff(dim=3).abs().mean((2, 3, 4))

    ratio = roughness(after) / roughness(before)
    sharp_then_blurred = (ratio[:, 0] > 0.7) & (ratio[:, 1] < 0.6)
    assert 5 <= int(sharp_then_blurred.sum()) <= 45
    assert int((ratio.amax(1) < 0.6).sum()) >= 5


def test_kernels_sum_to_one_and_a_tiny_one_changes_nothing():
    for kernel in (soft_kernel(1.2), motion_kernel(4.0, 0.7), soft_kernel(0.05)):
        torch.testing.assert_close(kernel.sum(), torch.tensor(1.0))
    maps = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(blur(maps, soft_kernel(0.05).expand(2, -1, -1)), maps)


def test_motion_blur_runs_along_its_line():
    maps = torch.zeros(1, 1, 31, 31)
    maps[..., 15, 15] = 1
    spread = blur(maps, motion_kernel(4.0, 0.0)[None])[0, 0]
    assert (spread[15] > 0).sum() == 9
    assert spread.sum(1).argmax() == 15
    assert (spread.sum(1) > 0).sum() == 1


def test_the_cosine_transform_is_orthonormal_and_that_of_opencv():
    basis = cosine_basis()
    torch.testing.assert_close(basis @ basis.T, torch.eye(8), atol=1e-6, rtol=0)
    block = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    ours = basis.numpy() @ block @ basis.numpy().T
    np.testing.assert_allclose(ours, cv2.dct(block), atol=1e-5)


def test_compression_loses_about_what_jpeg_of_that_quality_loses():
    image = clips(1, 1, 64)[0, 0].numpy()[..., :1].repeat(3, -1)
    maps = torch.from_numpy(image).movedim(-1, 0)[None].float()
    for quality in (30, 70):
        data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        theirs = np.abs(cv2.imdecode(data, cv2.IMREAD_COLOR).astype(float) - image).mean()
        ours = float((compress(maps, quality) - maps).abs().mean())
        assert abs(ours - theirs) < 0.2 * theirs
