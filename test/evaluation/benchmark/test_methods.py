import pytest

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.evaluation.benchmark.methods import TOGGLES
from lazy_vos_ros.evaluation.benchmark.methods import parse_method

BASE = LazyConfig(tau_u=0.4, tau_p=0.3, tau_m=0.6)


def toggles(text):
    config = parse_method(text, BASE).config
    return {name for name, field in TOGGLES.items() if getattr(config, field)}


@pytest.mark.parametrize(
    ('text', 'on'),
    [
        ('xmem', set()),
        ('plain', set()),
        ('lazy-auto', {'udu', 'pseudo'}),
        ('lazy', {'udu', 'pseudo', 'user', 'idu'}),
        ('rand-lazy', {'udu', 'pseudo', 'idu'}),
        ('interval:60', {'udu', 'pseudo', 'idu'}),
        ('udu', {'udu'}),
        ('udu+pseudo+pseudo-idu+user+idu', set(TOGGLES)),
        ('s-trigger+udu+user', {'udu', 'user'}),
        ('interval:7+idu', {'idu'}),
    ],
)
def test_toggles_that_are_not_named_are_off(text: str, on: set):
    assert toggles(text) == on


def test_thresholds_are_those_given():
    config = parse_method('lazy', BASE).config
    assert (config.tau_u, config.tau_p, config.tau_m, config.trigger) == (
        0.4,
        0.3,
        0.6,
        'derivative',
    )


def test_level_trigger_asks_from_tau_u_or_what_is_given():
    method = parse_method('s-trigger+udu+user', BASE)
    assert (method.config.trigger, method.config.tau_u) == ('level', 0.4)
    method = parse_method('s-trigger+udu+user', BASE, s_threshold=0.1)
    assert (method.config.tau_u, method.config.tau_p) == (0.1, 0.1)
    assert parse_method('ds-trigger+user', BASE).config.trigger == 'derivative'


def test_schedules():
    assert parse_method('rand-lazy', BASE).random
    assert parse_method('random+idu', BASE).random
    assert parse_method('interval:60', BASE).interval == 60
    for text in ('rand-lazy', 'interval:60'):
        assert parse_method(text, BASE).scheduled
        assert parse_method(text, BASE).asks
    assert not parse_method('lazy', BASE).scheduled
    assert parse_method('lazy', BASE).asks
    assert not parse_method('lazy-auto', BASE).asks


@pytest.mark.parametrize(
    'text',
    [
        '',
        'lazy+',
        'fast',
        'interval:',
        'interval:0',
        'interval:-3',
        'interval:x',
        'udu+udu',
        'random+interval:3',
        'random+user',
        'interval:5+user',
        'cutie',
    ],
)
def test_what_means_no_method(text: str):
    with pytest.raises(ValueError, match=r'method is .*; allowed: '):
        parse_method(text, BASE)


def test_plain_method_is_called_like_the_tracker():
    assert not parse_method('cutie', BASE, plain='cutie').asks
