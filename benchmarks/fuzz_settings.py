"""Doors of settings: parameters at the start and while a node runs."""

from typing import Any

from hypothesis import strategies as st
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from benchmarks.fuzz_door import Door
from benchmarks.fuzz_inputs import scalars
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.parameters import Parameter
from lazy_vos_ros.engine.parameters import parameters_of
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes.agent import AgentSettings
from lazy_vos_ros.nodes.camera import CameraSettings
from lazy_vos_ros.nodes.node_config import NodeConfig
from lazy_vos_ros.nodes.operator_settings import OperatorSettings
from lazy_vos_ros.nodes.parameters import declare
from lazy_vos_ros.nodes.parameters import watch
from lazy_vos_ros.nodes.recorder import RecorderSettings
from lazy_vos_ros.nodes.web.settings import WebSettings

SETTINGS = (
    *(LazyConfig, XMemConfig, NodeConfig, OperatorSettings, WebSettings),
    *(CameraSettings, AgentSettings, RecorderSettings),
)


def setting_doors() -> list[Door]:
    """Return the door of every settings class."""
    return [
        Door('parameters at the start', chosen(), lambda given: given[0](**given[1]), share=150)
    ]


def running_doors(node: Node) -> list[Door]:
    """Return the door of a node that runs: its parameters are set from outside."""
    declare(node, LazyConfig())
    current = [LazyConfig()]
    watch(node, lambda: current[0], lambda config: current.__setitem__(0, config))
    whole = st.integers(-(2**63), 2**63 - 1)
    value = st.one_of(
        *(st.none(), st.booleans(), whole, st.integers(-2, 70), st.floats(), st.floats(-1.0, 3.0)),
        *(st.text(max_size=9), st.lists(st.floats(), max_size=3), st.lists(whole, max_size=3)),
        *(st.lists(st.text(max_size=5), max_size=3), st.sampled_from(('level', 'replay', 'code'))),
    )
    names = st.sampled_from(
        [*(item.name for item in parameters_of(LazyConfig)), 'unknown', 'xmem.size']
    )
    changes = st.lists(st.tuples(names, value), max_size=4)

    def change(given: list[tuple[str, Any]]) -> None:
        parameters = [RosParameter(name, value=item) for name, item in given]
        node.set_parameters_atomically(parameters)
        node.set_parameters([item for item in parameters if node.has_parameter(item.name)])

    refuses = (ValueError, ParameterNotDeclaredException)
    return [Door('parameters of a running node', changes, change, refuses, share=100)]


@st.composite
def chosen(draw: Any) -> tuple[type, dict[str, Any]]:
    """Draw a settings class and values of some of its fields."""
    kind = draw(st.sampled_from(SETTINGS))
    known = list(parameters_of(kind))
    some = draw(st.lists(st.sampled_from(known), max_size=4, unique_by=lambda item: item.name))
    return kind, {item.name: draw(st.one_of(_near(item), scalars())) for item in some}


def _near(item: Parameter) -> Any:
    """Return values at the edges of what is allowed."""
    limits = [limit for limit in (item.low, item.high) if limit is not None]
    edges = [item.kind(limit) for limit in limits if item.kind in (int, float)]
    return st.sampled_from([item.default, *(item.choices or ()), *edges, *limits])
