import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.xmem.preprocessing import check_image
from lazy_vos_ros.engine.xmem.preprocessing import image_to_network
from lazy_vos_ros.engine.xmem.preprocessing import masks_to_network
from lazy_vos_ros.engine.xmem.preprocessing import objects_to_network
from lazy_vos_ros.engine.xmem.preprocessing import plan_geometry
from lazy_vos_ros.engine.xmem.preprocessing import probabilities_to_image

CPU = torch.device('cpu')


def plan(height, width, size=480, enlarge=False, multiple=16):
    return plan_geometry((height, width), size=size, enlarge=enlarge, multiple=multiple)


@pytest.mark.parametrize(
    ('image', 'options', 'resized', 'padded'),
    [
        ((720, 1280), {}, (480, 853), (480, 864)),
        ((1280, 720), {}, (853, 480), (864, 480)),
        ((480, 854), {}, (480, 854), (480, 864)),
        ((240, 432), {}, (240, 432), (240, 432)),
        ((240, 432), {'enlarge': True}, (480, 864), (480, 864)),
        ((1080, 1920), {'size': -1}, (1080, 1920), (1088, 1920)),
        ((118, 181), {'size': -1, 'multiple': 32}, (118, 181), (128, 192)),
        ((1, 1), {}, (1, 1), (16, 16)),
    ],
)
def test_sizes(image, options, resized, padded):
    geometry = plan(*image, **options)
    assert geometry.resized == resized
    assert geometry.padded == padded


def test_padding_is_even_with_the_odd_pixel_right_and_below():
    assert plan(117, 181, size=-1).padding == (5, 6, 5, 6)


@pytest.mark.parametrize('size', [(0, 5), (5, 0), (10, 161)])
def test_impossible_images_are_refused(size):
    with pytest.raises(ValueError, match='allowed'):
        plan(*size)


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        [[1, 2, 3]],
        None,
    ],
)
def test_bad_images_are_refused(image):
    with pytest.raises(ValueError, match='image is'):
        check_image(image)


def test_image_is_normalised_then_padded_with_zeros():
    geometry = plan(8, 16, size=-1)
    got = image_to_network(np.full((8, 16, 3), 255, np.uint8), geometry, CPU)
    assert got.shape == (1, 3, 16, 16)
    assert not got[:, :, :4].any()
    assert not got[:, :, 12:].any()
    want = [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert got[0, :, 4, 0].tolist() == pytest.approx(want)


def test_views_with_negative_strides_are_read():
    image = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    geometry = plan(16, 16)
    got = image_to_network(image[:, ::-1], geometry, CPU)
    assert torch.equal(got.flip(-1), image_to_network(image, geometry, CPU))


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    got = image_to_network(stripes, plan(64, 64, size=16), CPU)
    assert got[:, :, 4:12, 4:12].std((2, 3)).max() < 0.05


def test_masks_stay_hard_and_soft_maps_stay_soft():
    geometry = plan(20, 30, size=16)
    mask = torch.zeros(1, 20, 30, dtype=torch.bool)
    mask[:, :10] = True
    hard = masks_to_network(mask, geometry)
    assert hard.shape == (1, *geometry.padded)
    assert set(hard.unique().tolist()) == {0.0, 1.0}
    soft = objects_to_network(mask.float(), geometry)
    assert soft.shape == hard.shape
    assert (soft - hard).abs().max() <= 0.51


@pytest.mark.parametrize(('size', 'image'), [(-1, (21, 33)), (16, (50, 70))])
def test_back_to_the_image(size, image):
    geometry = plan(*image, size=size)
    maps = torch.rand(3, *geometry.padded).softmax(0)
    got = probabilities_to_image(maps, geometry)
    assert got.shape == (3, *image)
    torch.testing.assert_close(got.sum(0), torch.ones(image))


def test_a_point_comes_back_where_it_was():
    geometry = plan(96, 160, size=48)
    mask = torch.zeros(1, 96, 160, dtype=torch.bool)
    mask[0, 40:60, 100:130] = True
    back = probabilities_to_image(masks_to_network(mask, geometry), geometry)[0] > 0.5
    assert (back ^ mask[0]).sum() <= 100
    ys, xs = back.nonzero().float().mean(0).tolist()
    assert (ys, xs) == pytest.approx((49.5, 114.5), abs=0.6)
