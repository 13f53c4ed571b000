"""Declare, read and watch ROS parameters that come from the engine's tables of settings."""

import difflib
import sys
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from typing import TypeVar

from rcl_interfaces.msg import FloatingPointRange
from rcl_interfaces.msg import IntegerRange
from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node

from lazy_vos_ros.engine.parameters import Parameter
from lazy_vos_ros.engine.parameters import parameters_of

Settings = TypeVar('Settings')

_LOWEST_INTEGER = -(2**63)
_HIGHEST_INTEGER = 2**63 - 1
# Declared by ROS itself, or not for this node alone.
_FOREIGN = ('qos_overrides.', 'use_sim_time', 'start_type_description_service')


def descriptor_of(item: Parameter) -> ParameterDescriptor:
    """Return what `ros2 param describe` shows about a parameter."""
    descriptor = ParameterDescriptor(
        description=item.description,
        additional_constraints=item.allowed,
        read_only=not item.dynamic,
        # Lets a whole number be given for a number; the value is checked all the same.
        dynamic_typing=item.kind is float,
    )
    if item.kind is int and (item.low is not None or item.high is not None):
        low = _LOWEST_INTEGER if item.low is None else int(item.low)
        high = _HIGHEST_INTEGER if item.high is None else int(item.high)
        descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=0)]
    if item.kind is float and (item.low is not None or item.high is not None):
        low = -sys.float_info.max if item.low is None else item.low
        high = float('inf') if item.high is None else item.high
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return descriptor


def declare(node: Node, defaults: Any, prefix: str = '') -> None:
    """Declare the parameters of a settings class or instance.

    Raises
    ------
    ValueError
        If a value from the command line or a file is not allowed, naming it and the range.
    """
    for item in parameters_of(defaults):
        default = getattr(defaults, item.name, item.default)
        try:
            value = list(default) if isinstance(default, tuple) else default
            node.declare_parameter(prefix + item.name, value, descriptor_of(item))
        except Exception as error:
            if type(error).__module__ != 'rclpy.exceptions':
                raise
            raise ValueError(f'{error}; allowed: {item.allowed}') from None


def read(node: Node, settings: Callable[..., Settings], prefix: str = '') -> Settings:
    """Return the settings that the parameters give.

    Raises
    ------
    ValueError
        If a value is not allowed, naming it and what is.
    """
    names = [item.name for item in parameters_of(settings)]
    return settings(**{name: node.get_parameter(prefix + name).value for name in names})


def watch(
    node: Node,
    current: Callable[[], Settings],
    changed: Callable[[Settings], None],
) -> None:
    """Refuse changes that the settings refuse, with their reason; pass on the others.

    Only parameters without prefix are watched.
    """
    names = {item.name for item in parameters_of(current())}

    def changed_by(parameters: Sequence[Any]) -> Settings:
        wanted = {item.name: item.value for item in parameters if item.name in names}
        return replace(current(), **wanted)  # type: ignore[type-var]

    def on_set(parameters: Sequence[Any]) -> SetParametersResult:
        try:
            changed_by(parameters)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def on_done(parameters: Sequence[Any]) -> None:
        if any(item.name in names for item in parameters):
            changed(changed_by(parameters))

    node.add_on_set_parameters_callback(on_set)
    node.add_post_set_parameters_callback(on_done)


def warn_of_unknown(node: Node) -> None:
    """Log what was given on the command line or in a file and means nothing to this node."""
    given = getattr(node, '_parameter_overrides', {})
    for name in sorted(given):
        if node.has_parameter(name) or name.startswith(_FOREIGN):
            continue
        declared = node.get_parameters_by_prefix('')
        near = difflib.get_close_matches(name, declared, n=1)
        meant = f'; did you mean {near[0]}?' if near else ''
        node.get_logger().warning(f'unknown parameter {name} is ignored{meant}')
