from dataclasses import replace
from math import inf

import pytest

from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.triggers import Decision
from lazy_vos_ros.engine.triggers import ObjectTrigger
from lazy_vos_ros.engine.triggers import decide

PAPER, CODE = PROFILES['paper'], PROFILES['code']


@pytest.mark.parametrize(
    ('value', 'paper', 'code'),
    [
        (-0.9, Decision.NONE, Decision.NONE),
        (0.19, Decision.NONE, Decision.NONE),
        (0.2, Decision.PSEUDO, Decision.NONE),
        (0.3, Decision.PSEUDO, Decision.PSEUDO),
        (0.5, Decision.USER, Decision.NONE),
        (0.51, Decision.USER, Decision.USER),
    ],
)
def test_thresholds_at_equality(value, paper, code):
    assert decide(value, PAPER) is paper
    assert decide(value, CODE) is code


@pytest.mark.parametrize('config', [PAPER, CODE])
def test_without_a_user_the_pseudo_range_has_no_upper_end(config):
    alone = replace(config, user_corrections=False)
    assert decide(0.5, alone) is Decision.PSEUDO
    assert decide(0.9, alone) is Decision.PSEUDO
    assert decide(0.9, replace(config, tau_u=inf)) is Decision.PSEUDO


def test_without_pseudo_corrections_the_user_is_not_asked_more():
    config = LazyConfig(pseudo_corrections=False)
    assert decide(0.3, config) is Decision.NONE
    assert decide(0.5, config) is Decision.USER


def test_with_neither_nothing_happens():
    config = LazyConfig(pseudo_corrections=False, user_corrections=False)
    assert decide(1.0, config) is Decision.NONE


def test_derivative_is_the_difference_to_the_frame_before():
    trigger = ObjectTrigger(0.25)
    assert trigger.update(0.5, PAPER)[0] == 0.25
    assert trigger.update(0.125, PAPER)[0] == -0.375


@pytest.mark.parametrize(('warmup', 'silent'), [(0, 0), (1, 1), (3, 3)])
def test_warm_up_silences_the_first_frames(warmup, silent):
    config = LazyConfig(trigger_warmup=warmup, trigger='level')
    trigger = ObjectTrigger(0.0)
    decisions = [trigger.update(0.9, config)[1] for _ in range(5)]
    assert decisions == [Decision.NONE] * silent + [Decision.USER] * (5 - silent)


def test_warm_up_still_records_what_it_saw():
    trigger = ObjectTrigger(0.0)
    assert trigger.update(0.9, PAPER) == (0.9, Decision.NONE)
    assert trigger.update(0.9, PAPER) == (0.0, Decision.NONE)


def test_level_trigger_looks_at_the_uncertainty_itself():
    config = LazyConfig(trigger='level')
    trigger = ObjectTrigger(0.7)
    trigger.update(0.7, config)
    assert trigger.update(0.7, config) == (0.0, Decision.USER)
    assert trigger.update(0.3, config)[1] is Decision.PSEUDO
    assert trigger.update(0.1, config)[1] is Decision.NONE


def test_golden_triggers(lazy_layer_golden):
    sequence = lazy_layer_golden['trigger_entropy_sequence']
    table = lazy_layer_golden['trigger_code_dS_user_pseudo']
    trigger = ObjectTrigger(sequence[0])
    for index in range(1, len(sequence)):
        derivative, decision = trigger.update(sequence[index], CODE)
        expected, user, pseudo = table[index]
        if index > 1:  # the published code has no derivative in the first frame after the start
            assert derivative == pytest.approx(expected)
        assert (decision is Decision.USER) == bool(user), index
        assert (decision is Decision.PSEUDO) == bool(pseudo), index
