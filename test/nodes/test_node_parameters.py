"""Parameters of a node in this process, from a table of settings."""

import re
from dataclasses import dataclass

import pytest
import rclpy
from rclpy.parameter import Parameter

from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter
from lazy_vos_ros.nodes.parameters import declare
from lazy_vos_ros.nodes.parameters import read
from lazy_vos_ros.nodes.parameters import warn_of_unknown
from lazy_vos_ros.nodes.parameters import watch


@dataclass(frozen=True)
class Settings:
    low: float = parameter(0.25, 'At most high.', low=0.0)
    high: float = parameter(0.75, 'At least low.', low=0.0, high=1.0)
    count: int = parameter(3, 'How many.', low=1, high=9)
    name: str = parameter('a', 'Which.', choices=('a', 'b'))
    fixed: str = parameter('x', 'At start.', dynamic=False)
    names: tuple[str, ...] = parameter(('a', 'b'), 'Several.')

    def __post_init__(self):
        check_parameters(self)
        if self.low > self.high:
            raise ValueError(f'low is {self.low}; allowed: low <= high')


@pytest.fixture
def make_node():
    context = rclpy.Context()
    rclpy.init(context=context)
    nodes = []

    def make(**overrides):
        given = [Parameter(name.replace('__', '.'), value=v) for name, v in overrides.items()]
        nodes.append(rclpy.create_node('it', context=context, parameter_overrides=given))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def settings_of(node):
    declare(node, Settings)
    return read(node, Settings)


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        ({'high': 1.5}, r'high.*\[0, 1\]'),
        ({'count': 0}, r'count.*\[1, 9\]'),
        ({'count': 'three'}, 'count.*whole number'),
        ({'name': 'c'}, 'one of a, b'),
        ({'high': 'much'}, r'high.*\[0, 1\]'),
        ({'low': 0.9}, 'allowed: low <= high'),
        ({'names': 'c'}, 'names.*list of texts'),
    ],
)
def test_values_at_start_are_checked(make_node, given, words):
    node = make_node(**given)
    with pytest.raises(ValueError, match=words):
        settings_of(node)


def test_defaults_of_an_instance_and_a_prefix(make_node):
    node = make_node(more__count=5)
    declare(node, Settings())
    declare(node, Settings(low=0.5, name='b'), 'more.')
    assert read(node, Settings) == Settings()
    assert read(node, Settings, 'more.') == Settings(low=0.5, name='b', count=5)


def test_a_wrong_value_behind_a_prefix_is_named_once(make_node):
    node = make_node(more__count=99)
    with pytest.raises(ValueError, match=r'^(?!more).*more\.count.*allowed: '):
        declare(node, Settings, 'more.')


def test_a_list_of_texts_is_a_tuple(make_node):
    node = make_node(names=['c', 'd', 'e'])
    declare(node, Settings)
    assert read(node, Settings).names == ('c', 'd', 'e')


def test_a_whole_number_is_a_number(make_node):
    node = make_node(high=1)
    declare(node, Settings)
    assert read(node, Settings).high == 1.0


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'low': 0.8}, 'low <= high'),
        ({'high': -0.1}, 'out of range.*Min: 0.0, Max: 1.0'),
        ({'high': float('nan')}, 'high'),
        ({'count': 10}, 'out of range.*Min: 1, Max: 9'),
        ({'name': 'c'}, 'one of a, b'),
        ({'fixed': 'y'}, 'read-only'),
        ({'high': 'text'}, r'number in \[0, 1\]'),
        ({'low': 0.1, 'high': 2.0}, 'high'),
    ],
)
def test_changes_are_refused_with_the_reason(make_node, change, words):
    node = make_node()
    declare(node, Settings)
    seen = []
    watch(node, Settings, seen.append)
    given = [Parameter(name, value=value) for name, value in change.items()]
    result = node.set_parameters_atomically(given)
    assert not result.successful
    assert re.search(words, result.reason), result.reason
    assert seen == []
    assert read(node, Settings) == Settings()


def test_allowed_changes_arrive_together(make_node):
    node = make_node()
    declare(node, Settings)
    node.declare_parameter('other', 1)
    state = [Settings()]
    watch(node, lambda: state[-1], state.append)
    both = [Parameter('low', value=0.9), Parameter('high', value=1)]
    assert node.set_parameters_atomically(both).successful
    assert node.set_parameters([Parameter('other', value=2)])[0].successful
    assert state[1:] == [Settings(low=0.9, high=1.0)]
    assert read(node, Settings) == state[-1]


def test_descriptors_tell_what_a_person_must_know(make_node):
    node = make_node()
    declare(node, Settings)
    high, fixed = node.describe_parameter('high'), node.describe_parameter('fixed')
    assert high.description == 'At least low.'
    assert high.additional_constraints == 'number in [0, 1]'
    assert (high.floating_point_range[0].from_value, high.floating_point_range[0].to_value) == (
        0.0,
        1.0,
    )
    assert node.describe_parameter('low').floating_point_range[0].to_value == float('inf')
    assert fixed.read_only
    assert not high.read_only


def test_unknown_parameters_are_told(make_node, capfd):
    node = make_node(hihg=0.5, use_sim_time=False, qos_overrides__x=1)
    declare(node, Settings)
    warn_of_unknown(node)
    told = capfd.readouterr().err
    assert 'unknown parameter hihg is ignored; did you mean high?' in told
    assert told.count('unknown parameter') == 1
