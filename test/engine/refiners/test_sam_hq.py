import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.refiners import sam_package
from lazy_vos_ros.engine.refiners.sam_hq import SamHqRefiner
from lazy_vos_ros.engine.weights import title_of

try:
    sam = sam_package.import_sam()
except RuntimeError as missing:
    pytest.skip(str(missing), allow_module_level=True)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """The real smallest network, randomly filled, saved as the published ones are."""
    torch.manual_seed(0)
    model = sam.sam_model_registry['vit_tiny']()
    path = tmp_path_factory.mktemp('weights') / 'sam_hq_vit_tiny.pth'
    state = model.state_dict()
    for name, tensor in state.items():
        if name.endswith('attention_biases'):
            tensor.normal_()
    torch.save(state, path)
    return path


@pytest.fixture(scope='module')
def refiner(checkpoint):
    return SamHqRefiner.load(checkpoint, 'vit_tiny')


@pytest.fixture(scope='module')
def real_features(refiner):
    """What the real encoder makes of one image, for the tests that are not about it."""
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.normal(size=(1, 3, 1024, 1024)).astype(np.float32))
    with torch.inference_mode():
        return refiner._predictor.model.image_encoder(pixels)


@pytest.fixture
def encoder_calls(refiner, real_features, monkeypatch):
    """Images that were encoded; encoding them takes no time, but depends on the image."""
    calls = []

    def encode(pixels):
        calls.append(pixels)
        embedding, intermediate = real_features
        return embedding + pixels.mean(), intermediate

    monkeypatch.setattr(refiner._predictor.model.image_encoder, 'forward', encode)
    return calls


def test_real_network_answers_a_click(refiner, make_frame):
    frame = make_frame(0, height=48, width=64)
    refined = refiner.refine(frame, [Click(20, 30)], object_id=1)
    assert refined.mask.shape == (48, 64)
    assert refined.mask.dtype == torch.bool
    assert 0 <= refined.score <= 1


def test_checkpoint_is_loaded_whole(checkpoint, refiner):
    state = torch.load(checkpoint, weights_only=True)
    model = refiner._predictor.model
    loaded = model.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert not model.training
    assert refiner.name == f'SAM-HQ vit_tiny ({title_of(checkpoint)})'


def test_attention_uses_the_biases_of_the_checkpoint(refiner):
    attentions = [
        module
        for module in refiner._predictor.model.modules()
        if hasattr(module, 'attention_bias_idxs')
    ]
    assert attentions
    for module in attentions:
        assert torch.equal(module.ab, module.attention_biases[:, module.attention_bias_idxs])


def test_clicks_on_one_frame_share_one_embedding(refiner, encoder_calls, make_frame):
    frame = make_frame(7, height=48, width=64)
    first = refiner.refine(frame, [Click(20, 30)], object_id=1)
    refiner.refine(frame, [Click(20, 30), Click(2, 3, positive=False)], object_id=2)
    assert len(encoder_calls) == 1
    again = refiner.refine(frame, [Click(20, 30)], object_id=1)
    assert torch.equal(again.mask, first.mask)


def test_same_index_after_a_reset_is_another_frame(refiner, encoder_calls, make_frame):
    refiner.refine(make_frame(0, seed=1), [Click(3, 3)], object_id=1)
    refiner.refine(make_frame(0, seed=2), [Click(3, 3)], object_id=1)
    assert len(encoder_calls) == 2


def test_standard_input_keeps_the_aspect_ratio_and_square_stretches(
    refiner, encoder_calls, make_frame
):
    frame = make_frame(0, height=30, width=60)
    refiner.refine(frame, [Click(15, 15)], object_id=1)
    assert refiner._predictor.input_size == (512, 1024)
    assert refiner._points([Click(15, 15)]).tolist() == [[[256, 256]]]
    stretching = SamHqRefiner(refiner._predictor.model, square=True)
    refined = stretching.refine(frame, [Click(15, 15)], object_id=1)
    assert stretching._predictor.input_size == (1024, 1024)
    assert stretching._points([Click(15, 15)]).tolist() == [[[256, 512]]]
    assert refined.mask.shape == (30, 60)
    standard, square = encoder_calls
    assert not standard[0, :, 512:].any()  # padded below
    assert square[0, :, 512:].any()


def test_prompt_is_the_click_alone_and_the_high_quality_token_answers(
    refiner, encoder_calls, make_frame, monkeypatch
):
    asked = {}
    original = refiner._predictor.predict_torch

    def record(points, labels, **options):
        asked.update(points=points, labels=labels, **options)
        return original(points, labels, **options)

    monkeypatch.setattr(refiner._predictor, 'predict_torch', record)
    refiner.refine(make_frame(0), [Click(10, 20, positive=False)], object_id=1)
    assert asked['points'].shape == (1, 1, 2)
    assert asked['labels'].tolist() == [[0]]
    assert asked['multimask_output'] is True
    assert asked['hq_token_only'] is True
    assert 'boxes' not in asked
    assert 'mask_input' not in asked


def test_bad_clicks_are_refused_before_anything_is_encoded(refiner, encoder_calls, make_frame):
    with pytest.raises(ValueError, match='at least one'):
        refiner.refine(make_frame(), [], object_id=1)
    with pytest.raises(ValueError, match='inside the image'):
        refiner.refine(make_frame(), [Click(-1, 0)], object_id=1)
    assert not encoder_calls


def test_failed_encoding_leaves_no_stale_embedding(
    refiner, encoder_calls, make_frame, monkeypatch
):
    good, bad = make_frame(1, seed=1), make_frame(2, seed=2)
    expected = refiner.refine(good, [Click(5, 5)], object_id=1)
    with monkeypatch.context() as patch:
        patch.setattr(
            refiner._predictor.model.image_encoder,
            'forward',
            lambda image: (_ for _ in ()).throw(RuntimeError('out of memory')),
        )
        with pytest.raises(RuntimeError, match='out of memory'):
            refiner.refine(bad, [Click(5, 5)], object_id=1)
    again = refiner.refine(good, [Click(5, 5)], object_id=1)
    assert torch.equal(again.mask, expected.mask)


def test_unknown_variant_names_the_allowed_ones(checkpoint):
    with pytest.raises(ValueError, match="'vit_x'; allowed: vit_tiny, vit_b, vit_l, vit_h"):
        SamHqRefiner.load(checkpoint, 'vit_x')


def test_checkpoint_that_is_no_checkpoint_is_named(tmp_path):
    path = tmp_path / 'sam_hq_vit_tiny.pth'
    path.write_bytes(b'<html>404</html>')
    with pytest.raises(ValueError, match=r'sam_hq_vit_tiny\.pth is no readable file'):
        SamHqRefiner.load(path, 'vit_tiny')


def test_cut_off_checkpoint_is_named(checkpoint, tmp_path):
    path = tmp_path / 'half.pth'
    path.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    with pytest.raises(ValueError, match=r'half\.pth is no readable file'):
        SamHqRefiner.load(path, 'vit_tiny')


def test_checkpoint_of_plain_sam_lacks_the_high_quality_token(checkpoint, tmp_path):
    state = torch.load(checkpoint, weights_only=True)
    plain = {name: value for name, value in state.items() if 'hf_' not in name}
    path = tmp_path / 'sam.pth'
    torch.save(plain, path)
    with pytest.raises(ValueError, match=r'missing: mask_decoder\.hf_'):
        SamHqRefiner.load(path, 'vit_tiny')


def _run(code):
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_missing_package_names_what_to_install():
    message = _run(
        'import json, sys\n'
        'sys.modules["segment_anything_hq"] = None\n'
        'from lazy_vos_ros.engine.refiners.sam_package import import_sam\n'
        'try:\n'
        '    import_sam()\n'
        'except RuntimeError as error:\n'
        '    print(json.dumps(str(error)))\n'
    )
    assert 'lazy_vos_ros[sam]' in message
    assert 'segment-anything-hq' in message


def test_nothing_of_it_is_imported_with_the_engine():
    loaded = _run(
        'import json, sys\n'
        'import lazy_vos_ros.engine.refiners, lazy_vos_ros.engine.tracker\n'
        'print(json.dumps([m for m in ("torchvision", "timm", "segment_anything_hq") '
        'if m in sys.modules]))\n'
    )
    assert loaded == []


def test_mask_follows_the_size_of_the_image(refiner, encoder_calls, make_frame):
    for index, (height, width) in enumerate([(33, 21), (20, 50)]):
        frame = make_frame(index, height, width)
        refined = refiner.refine(frame, [Click(width - 1, height - 1)], object_id=1)
        assert refined.mask.shape == (height, width)
        assert np.asarray(refined.mask).dtype == np.bool_
