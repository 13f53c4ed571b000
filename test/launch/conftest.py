"""Stand-ins for `launch` and `launch_ros`, which come with ROS only.

They keep what they are given, so that a description can be read. What ROS makes of it is not
tested where ROS is not installed.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    'launch': ['LaunchContext', 'LaunchDescription', 'LaunchDescriptionEntity'],
    'launch.actions': [
        'DeclareLaunchArgument',
        'IncludeLaunchDescription',
        'OpaqueFunction',
        'SetEnvironmentVariable',
    ],
    'launch.conditions': ['IfCondition'],
    'launch.launch_description_sources': ['PythonLaunchDescriptionSource'],
    'launch.substitutions': [
        'EnvironmentVariable',
        'LaunchConfiguration',
        'PathJoinSubstitution',
    ],
    'launch_ros': [],
    'launch_ros.actions': ['Node'],
    'launch_ros.parameter_descriptions': ['ParameterValue'],
    'launch_ros.substitutions': ['FindPackageShare'],
}


class Kept:
    """What was given to a class of `launch`."""

    def __init__(self, *args, **kwargs):
        self.args = args
        self.kwargs = kwargs

    def perform(self, context):
        """Return the value of a launch argument."""
        return context[self.args[0]]


@pytest.fixture
def load(monkeypatch):
    """Return a function that runs a launch file and returns its module."""
    for module_name, class_names in NAMES.items():
        module = ModuleType(module_name)
        for name in class_names:
            setattr(module, name, type(name, (Kept,), {}))
        monkeypatch.setitem(sys.modules, module_name, module)

    def run(file):
        spec = importlib.util.spec_from_file_location(file, ROOT / 'launch' / f'{file}.launch.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return run
