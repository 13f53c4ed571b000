import pytest

from lazy_vos_ros.engine.xmem.config import XMemConfig


def test_defaults_are_the_published_ones():
    config = XMemConfig()
    assert (config.size, config.mem_every, config.top_k) == (480, 5, 30)
    assert (config.max_mid_term_frames, config.min_mid_term_frames) == (10, 5)
    assert (config.num_prototypes, config.max_long_term_elements) == (128, 10000)
    assert config.deep_update_every == -1
    assert config.long_term
    assert not config.compat


@pytest.mark.parametrize(
    'wrong',
    [
        {'size': 0},
        {'mem_every': 0},
        {'top_k': 2.5},
        {'precision': 'int8'},
        {'min_mid_term_frames': 10},
        {'min_mid_term_frames': 1},
        {'num_prototypes': 200, 'max_long_term_elements': 100},
        {'max_working_frames': 1},
    ],
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ValueError, match=f'{next(iter(wrong))} is .*allowed'):
        XMemConfig(**wrong)
