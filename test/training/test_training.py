"""Tiny runs: the loss falls, an interrupted run goes on bit-equal, the results load."""

import json

import pytest
import torch

from lazy_vos_ros.engine.refiners.compact import load_refiner_model
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.training import train_tracker
from lazy_vos_ros.training.main import main
from lazy_vos_ros.training.schedule import rate_factor
from lazy_vos_ros.training.settings import from_mapping
from lazy_vos_ros.training.settings import read_settings
from lazy_vos_ros.training.trunk_weights import load_trunk


@pytest.fixture
def settings(stills, tmp_path, monkeypatch):
    """Return settings of a run of seconds; the trunk keeps its random weights."""
    monkeypatch.setattr(train_tracker, 'published_state', lambda path: {})
    monkeypatch.setattr(train_tracker, 'load_trunk', lambda trunk, state: None)
    threads = torch.get_num_threads()

    def make(**values):
        return from_mapping(
            {
                'cache': stills,
                'out': tmp_path / 'out',
                'steps': 6,
                'crop': 64,
                'warmup': 1,
                'threads': 1,
                'workers': 0,
                'half': False,
                'checkpoint_every': 3,
                'validate_every': 100,
                'validation_clips': 1,
                'refiner_steps': 2,
                'refiner_crop': 64,
                'refiner_images': 2,
                'stages': [
                    {'until': 0.5, 'frames': 2, 'clips': 1},
                    {'until': 1.0, 'frames': 3, 'clips': 1, 'tune_trunk': True},
                ],
                **values,
            }
        )

    yield make
    torch.set_num_threads(threads)


def test_both_parts_are_trained_and_can_be_loaded(settings):
    tracker, refiner = main(settings())
    load_compact_network(tracker)
    load_refiner_model(refiner)
    lines = (tracker.parent / 'log.jsonl').read_text().splitlines()
    assert {'loss', 'validation'} <= json.loads(lines[0]).keys()


def test_an_interrupted_run_goes_on_bit_equal(settings, tmp_path, monkeypatch):
    whole = train_tracker.train_tracker(settings(out=tmp_path / 'whole'))
    interrupted = settings(out=tmp_path / 'interrupted')
    step = train_tracker.train_step

    def failing(*arguments):
        if arguments[4] == 4:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(train_tracker, 'train_step', failing)
    with pytest.raises(KeyboardInterrupt):
        train_tracker.train_tracker(interrupted)
    monkeypatch.setattr(train_tracker, 'train_step', step)
    resumed = train_tracker.train_tracker(interrupted)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_the_loss_falls_on_one_batch(settings):
    chosen = settings(rate=2e-3, steps=1000)
    network = train_tracker.new_network(chosen)
    optimiser = train_tracker.make_optimiser(network, chosen)
    batch = train_tracker.StepClips(chosen, 0)[0]
    losses = [
        train_tracker.train_step(
            network, optimiser, batch, torch.Generator().manual_seed(0), step, chosen
        )
        for step in range(1, 25)
    ]
    assert losses[-1] < 0.7 * losses[0]


def test_the_trunk_is_trained_only_in_its_stage(settings):
    chosen = settings()
    network = train_tracker.new_network(chosen)
    optimiser = train_tracker.make_optimiser(network, chosen)
    before = {n: p.clone() for n, p in network.key_encoder.named_parameters()}
    generator = torch.Generator().manual_seed(0)
    clips = train_tracker.StepClips(chosen, 0)
    train_tracker.train_step(network, optimiser, clips[0], generator, 0, chosen)
    for name, parameter in network.key_encoder.named_parameters():
        assert torch.equal(parameter, before[name])
    train_tracker.train_step(network, optimiser, clips[5], generator, 5, chosen)
    changed = [
        name
        for name, parameter in network.key_encoder.named_parameters()
        if not torch.equal(parameter, before[name])
    ]
    assert changed
    assert all(int(name.split('.')[1]) >= train_tracker.FIRST_TUNED_BLOCK for name in changed)


def test_folding_batch_norm_keeps_the_function():
    """A convolution followed by batch norm equals the folded one."""
    torch.manual_seed(0)
    network = compact_network(train_tracker.CompactConfig())
    trunk = network.key_encoder
    state = {}

    def add(name, norm, conv):
        state[f'{name}.weight'] = torch.randn_like(conv.weight)
        for part in ('weight', 'bias', 'running_mean'):
            state[f'{norm}.{part}'] = torch.randn(conv.out_channels)
        state[f'{norm}.running_var'] = torch.rand(conv.out_channels) + 0.5

    add('_conv_stem', '_bn0', trunk.stem)
    for i, block in enumerate(trunk.blocks):
        if block.expand is not None:
            add(f'_blocks.{i}._expand_conv', f'_blocks.{i}._bn0', block.expand)
        add(f'_blocks.{i}._depthwise_conv', f'_blocks.{i}._bn1', block.depthwise)
        add(f'_blocks.{i}._project_conv', f'_blocks.{i}._bn2', block.project)
    load_trunk(trunk, state)
    x = torch.randn(1, 3, 16, 16)
    padded = torch.nn.functional.pad(x, trunk.stem.same_padding)
    plain = torch.nn.functional.conv2d(padded, state['_conv_stem.weight'], stride=2)
    norm = [state[f'_bn0.{p}'] for p in ('running_mean', 'running_var', 'weight', 'bias')]
    wanted = torch.nn.functional.batch_norm(plain, *norm, eps=1e-3)
    torch.testing.assert_close(trunk.stem(x), wanted, rtol=1e-4, atol=1e-4)


def test_wrong_settings_are_refused(tmp_path):
    paths = {'cache': tmp_path, 'out': tmp_path}
    with pytest.raises(ValueError, match='stepz'):
        from_mapping({**paths, 'stepz': 3})
    with pytest.raises(ValueError, match='crop'):
        from_mapping({**paths, 'crop': 100})
    with pytest.raises(ValueError, match='stages'):
        from_mapping({**paths, 'stages': [{'until': 0.5, 'frames': 2, 'clips': 1}]})
    with pytest.raises(ValueError, match=r'no folder is given for cache; allowed: .* --cache'):
        from_mapping({'out': tmp_path})
    with pytest.raises(ValueError, match='parts'):
        main(from_mapping(paths), parts=('decoder',))


def test_arguments_win_over_the_file(tmp_path):
    file = tmp_path / 'run.yaml'
    file.write_text('cache: a\nout: b\nsteps: 7\n')
    settings = read_settings(file, {'steps': 9, 'seed': None})
    assert (settings.steps, settings.seed, str(settings.out)) == (9, 0, 'b')


@pytest.mark.parametrize('text', ['seven', '- 1', 'steps: [', None])
def test_a_file_that_holds_no_settings_is_named(tmp_path, text):
    file = tmp_path / 'run.yaml'
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match=r'run\.yaml (holds|is no YAML file)'):
        read_settings(file, {})


def test_the_rate_rises_then_falls():
    factors = [rate_factor(step, 100, 10) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == factors[9] == pytest.approx(1.0)
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[-1] < 0.02
