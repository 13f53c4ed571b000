from itertools import product

import pytest

from lazy_vos_ros.engine.backend import MemoryWrite
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.memory_policy import memorise_corrections
from lazy_vos_ros.engine.memory_policy import memory_write

FORCED, FROZEN, SCHEDULED = MemoryWrite.FORCED, MemoryWrite.FROZEN, MemoryWrite.SCHEDULED
CALM, UNSURE = 0.1, 0.9


def _config(udu=True, idu=True, pseudo_idu=False, **settings):
    return LazyConfig(
        uncertainty_driven_update=udu,
        interaction_driven_update=idu,
        pseudo_memory_update=pseudo_idu,
        **settings,
    )


@pytest.mark.parametrize(
    ('udu', 'idu', 'pseudo_idu', 'user', 'pseudo', 'uncertainty', 'expected'),
    [
        # the paper's full method
        (True, True, False, False, False, CALM, SCHEDULED),
        (True, True, False, False, False, UNSURE, FROZEN),
        (True, True, False, False, True, CALM, FROZEN),
        (True, True, False, True, False, UNSURE, FORCED),
        (True, True, False, True, True, UNSURE, FORCED),
        # the ablation: one toggle each
        (False, True, False, False, False, UNSURE, SCHEDULED),
        (False, True, False, False, True, UNSURE, FROZEN),
        (True, False, False, True, False, CALM, FROZEN),
        (True, False, True, True, True, CALM, FROZEN),
        (True, True, True, False, True, UNSURE, FORCED),
        (False, False, True, False, True, UNSURE, FORCED),
        (False, False, False, False, False, UNSURE, SCHEDULED),
    ],
)
def test_user_before_pseudo_before_uncertainty(
    udu, idu, pseudo_idu, user, pseudo, uncertainty, expected
):
    config = _config(udu, idu, pseudo_idu)
    write = memory_write(config, given=False, user=user, pseudo=pseudo, uncertainty=uncertainty)
    assert write is expected


@pytest.mark.parametrize(('user', 'pseudo'), list(product([False, True], repeat=2)))
def test_given_mask_is_always_memorised(user, pseudo):
    config = _config(idu=False)
    write = memory_write(config, given=True, user=user, pseudo=pseudo, uncertainty=1.0)
    assert write is FORCED


def test_threshold_itself_is_accepted():
    config = _config()
    at = {'given': False, 'user': False, 'pseudo': False}
    assert memory_write(config, **at, uncertainty=config.tau_m) is SCHEDULED
    assert memory_write(config, **at, uncertainty=config.tau_m + 1e-9) is FROZEN


def test_running_clock():
    config = _config(idu=False, freeze_clock=False)
    for user, pseudo, uncertainty in ((True, False, CALM), (False, True, CALM)):
        write = memory_write(
            config, given=False, user=user, pseudo=pseudo, uncertainty=uncertainty
        )
        assert write is MemoryWrite.BLOCKED


@pytest.mark.parametrize(
    ('user', 'pseudo', 'idu', 'pseudo_idu', 'expected'),
    [
        (False, False, True, True, False),
        (True, False, True, False, True),
        (True, True, False, True, False),
        (False, True, True, False, False),
        (False, True, False, True, True),
    ],
)
def test_which_corrections_are_memorised(user, pseudo, idu, pseudo_idu, expected):
    config = _config(idu=idu, pseudo_idu=pseudo_idu)
    assert memorise_corrections(config, user=user, pseudo=pseudo) is expected
