import sys
from pathlib import Path

import pytest

from bootstrap.pythons import answers
from bootstrap.pythons import candidates
from bootstrap.pythons import python_with_ros
from bootstrap.pythons import without_ros


def test_running_python_comes_first_and_none_twice(program):
    other = program('python3.12', 'exit 0')
    program('python3', 'exit 0')
    found = candidates({'PATH': str(other.parent)})
    assert found[0] == Path(sys._base_executable)
    assert found[1:3] == [other.with_name('python3'), other]
    assert len(found) == len(set(found))


def test_named_python_is_the_only_candidate(program):
    other = program('python3.12', 'exit 0')
    env = {'PATH': str(other.parent), 'LAZY_VOS_PYTHON': '/some/python3'}
    assert candidates(env) == [Path(sys._base_executable)]


def test_python_that_is_missing_or_fails_does_not_answer(tmp_path, program):
    assert answers(Path(sys.executable), 'pass', {})
    assert not answers(Path(sys.executable), 'import no_such_module', {})
    assert not answers(tmp_path / 'python3', 'pass', {})
    assert not answers(program('python3', 'exit 3'), 'pass', {})


@pytest.mark.parametrize('env', [{}, {'ROS_DISTRO': 'jazzy', 'LAZY_VOS_ROS': 'wheels'}])
def test_ros_that_is_not_wanted_is_not_looked_for(program, env):
    assert python_with_ros(env, [program('python3', 'exit 0')]) is None


def test_first_python_that_imports_rclpy_is_taken(program):
    without = program('python3', 'exit 1')
    having = program('python3.12', 'case "$2" in *"import rclpy"*) exit 0;; esac; exit 1')
    env = {'ROS_DISTRO': 'jazzy'}
    assert python_with_ros(env, [without, having]) == having
    assert python_with_ros(env, [without]) is None


def test_sourced_ros_leaves_nothing_behind():
    ros = '/opt/ros/jazzy'
    env = {
        'AMENT_PREFIX_PATH': f'/home/me/install/x:{ros}',
        'ROS_DISTRO': 'jazzy',
        'ROS_DOMAIN_ID': '7',
        'PYTHONPATH': f'{ros}/lib/python3.12/site-packages',
        'LD_LIBRARY_PATH': f'{ros}/lib:/usr/local/lib',
        'PATH': f'{ros}/bin:/usr/bin:/opt/ros/jazzy-tools/bin',
        '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1',
        'HOME': '/home/me',
    }
    assert without_ros(env) == {
        'ROS_DOMAIN_ID': '7',
        'LD_LIBRARY_PATH': '/usr/local/lib',
        'PATH': '/usr/bin:/opt/ros/jazzy-tools/bin',
        'HOME': '/home/me',
    }
