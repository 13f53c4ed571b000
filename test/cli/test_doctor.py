"""`lazy-vos doctor` on this installation and on broken ones."""

import json
import mmap
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest

from lazy_vos_ros.cli.checks import disk
from lazy_vos_ros.cli.checks import extras
from lazy_vos_ros.cli.checks import middleware
from lazy_vos_ros.cli.checks import networks
from lazy_vos_ros.cli.checks import ros
from lazy_vos_ros.cli.checks import shared_memory
from lazy_vos_ros.cli.checks.finding import Level
from lazy_vos_ros.cli.checks.finding import ok
from lazy_vos_ros.cli.doctor import examine
from lazy_vos_ros.engine.weights import find_entry

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ROOT / 'config' / 'fastdds.xml'
OK, WARNING, PROBLEM = Level
PARTS = {
    'Python',
    'packages',
    'ROS 2',
    'interfaces',
    'middleware',
    'DDS profile',
    'shared memory',
    'leftovers',
    'accelerator',
    'weights',
    'tracker',
    'extras',
    'disk',
}


def doctor(*arguments, folder, **changes):
    """Run it in a process of its own; return status and output."""
    paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]
    prefixes = [sys.prefix, os.environ.get('AMENT_PREFIX_PATH', '')]
    env = {
        **os.environ,
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(PROFILE),
        'PYTHONPATH': os.pathsep.join(filter(None, paths)),
        'AMENT_PREFIX_PATH': os.pathsep.join(filter(None, prefixes)),
    }
    for name, value in changes.items():
        env[name] = os.pathsep.join([str(value), env[name]]) if name == 'PYTHONPATH' else value
    command = [sys.executable, '-m', 'lazy_vos_ros.cli', 'doctor', '--wait', '0', *arguments]
    done = subprocess.run(
        command, env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert 'Traceback' not in done.stderr, done.stderr
    return done.returncode, done.stdout


def damaged_weights(folder):
    """Write a copy of the compact tracker with one other byte."""
    entry = find_entry('compact')
    data = bytearray((ROOT / 'weights' / entry.file).read_bytes())
    data[-1] ^= 1
    (folder / entry.file).write_bytes(data)
    return folder / entry.file


def test_nothing_is_wrong_with_this_installation(tmp_path):
    status, output = doctor('--json', folder=tmp_path)
    told = json.loads(output)
    problems = [item for item in told['checks'] if item['level'] == 'problem']
    assert (status, told['ok'], problems) == (0, True, [])
    assert {item['name'] for item in told['checks']} == PARTS
    assert all(item['mend'] for item in told['checks'] if item['level'] != 'ok')


def test_everything_that_is_broken_is_told_with_how_to_mend_it(tmp_path):
    weights = damaged_weights(tmp_path)
    (tmp_path / 'lazy_vos_msgs').mkdir()
    (tmp_path / 'lazy_vos_msgs' / '__init__.py').write_text('raise ImportError("cut off")\n')
    status, output = doctor(
        folder=tmp_path,
        FASTRTPS_DEFAULT_PROFILES_FILE=str(tmp_path / 'nothing.xml'),
        LAZY_VOS_WEIGHTS=str(tmp_path),
        PYTHONPATH=tmp_path,
    )
    assert status == 1
    lines = output.splitlines()
    for name, words, mend in (
        ('interfaces', 'cannot be imported: ImportError: cut off', 'build lazy_vos_msgs'),
        ('DDS profile', 'nothing.xml, which does not exist', 'config/fastdds.xml'),
        ('weights', f'{weights} is damaged or was replaced', f'rm {weights}'),
        ('weights', 'none of a tracker are here and genuine', 'lazy-vos weights list'),
        ('tracker', 'has another SHA-256 than expected', 'lazy-vos weights list'),
    ):
        place = next(i for i, line in enumerate(lines) if words in line)
        assert lines[place].split()[0] == 'problem'
        assert name in lines[place]
        assert mend in lines[place + 1]
    assert lines[-1].startswith('problems: 5, ')


def only(findings):
    (found,) = findings
    return found


@pytest.mark.parametrize(
    ('text', 'level', 'words'),
    [
        (PROFILE.read_text(), OK, '32 MiB a process; this host only'),
        (PROFILE.read_text().replace('127.0.0.1', '10.0.0.7'), OK, 'all hosts'),
        (PROFILE.read_text().replace('33554432', '524288'), WARNING, '524288 bytes'),
        (PROFILE.read_text().replace('SHM', 'UDPv4'), WARNING, 'shared memory of 0 bytes'),
        ('<profiles>', PROBLEM, 'cannot be read'),
        ('<launch/>', PROBLEM, 'its root is <launch>'),
        (PROFILE.read_text().replace('33554432', 'large'), PROBLEM, 'cannot be read'),
    ],
)
def test_profile(text, level, words, tmp_path, monkeypatch):
    path = tmp_path / 'profile.xml'
    path.write_text(text)
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(path))
    found = middleware.check_profile()
    assert (found.level, words in found.found) == (level, True), found


def test_no_profile(monkeypatch):
    for name in middleware.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    found = middleware.check_profile()
    assert (found.level, 'none is named' in found.found) == (WARNING, True)


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A prefix with the messages' definitions as they were built."""
    share = tmp_path / 'share' / 'lazy_vos_msgs'
    shutil.copytree(ROOT / 'msg', share)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    return share


def test_interfaces_of_this_version(built):
    assert only(ros.check_interfaces()).level is OK


def test_interfaces_that_were_built_before_a_definition_changed(built):
    (built / 'msg' / 'Click.msg').write_text('float32 x\n')
    (built / 'srv' / 'Correct.srv').unlink()
    found = only(ros.check_interfaces())
    assert (found.level, 'Click.msg, Correct.srv' in found.found) == (PROBLEM, True)


def test_interfaces_of_another_version(built):
    text = (built / 'package.xml').read_text()
    (built / 'package.xml').write_text(text.replace('<version>', '<version>9'))
    found = only(ros.check_interfaces())
    assert (found.level, 'of version 9' in found.found) == (PROBLEM, True)


def test_interfaces_and_ros_that_are_absent(monkeypatch):
    for name in ('lazy_vos_msgs.msg', 'rclpy'):
        monkeypatch.setitem(sys.modules, name, None)
    interfaces, base, layer = (
        only(check())
        for check in (ros.check_interfaces, ros.check_ros, middleware.check_middleware)
    )
    assert {interfaces.level, base.level, layer.level} == {PROBLEM}
    assert 'setup.bash' in base.mend


def test_leftovers_are_what_nobody_has_mapped(tmp_path):
    names = ['fastrtps_0123456789abcdef', 'fastrtps_port7411', 'sem.fastrtps_port7411_mutex']
    for name in (*names, f'{names[0]}_el', 'fastrtps_fedcba9876543210', 'other'):
        (tmp_path / name).write_bytes(bytes(mmap.PAGESIZE))
    with (tmp_path / names[0]).open('r+b') as file, mmap.mmap(file.fileno(), 0):
        found = {path.name for path in shared_memory.leftovers(tmp_path)}
    assert found == {'fastrtps_fedcba9876543210', 'fastrtps_port7411', names[2]}


Room = namedtuple('Room', 'f_bavail f_frsize f_blocks')


@pytest.mark.parametrize(('free', 'level'), [(20, PROBLEM), (64, WARNING), (1024, OK)])
def test_room_in_shared_memory(free, level, tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'statvfs', lambda _: Room(free << 8, 4096, 4096 << 8))
    room, rest = shared_memory.check_shared_memory(tmp_path)
    assert (room.level, rest.level) == (level, OK)


def test_no_shared_memory(tmp_path):
    found = only(shared_memory.check_shared_memory(tmp_path / 'nowhere'))
    assert found.level is PROBLEM


def test_weights_without_a_known_sum_and_of_a_lost_manifest(tmp_path, monkeypatch):
    monkeypatch.setenv('LAZY_VOS_WEIGHTS', str(tmp_path))
    assert {item.level for item in networks.check_weights()} == {OK}
    unknown = next(
        entry
        for entry in networks.import_module('lazy_vos_ros.engine.weights').known_weights()
        if entry.sha256 is None
    )
    (tmp_path / unknown.file).write_bytes(b'weights')
    levels = [item.level for item in networks.check_weights()]
    assert (levels.count(WARNING), levels.count(OK)) == (1, 2)


@pytest.mark.parametrize(('free', 'level'), [(5e8, PROBLEM), (5e9, WARNING), (5e10, OK)])
def test_disk(free, level, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: SimpleNamespace(free=free))
    found = only(disk.check_disk(tmp_path))
    assert found.level is level


def test_half_an_extra(monkeypatch):
    def version(name):
        if name in ('timm', 'rf-cutie', 'einops', 'omegaconf'):
            raise PackageNotFoundError(name)
        return '1'

    monkeypatch.setattr(extras, 'version', version)
    half, rest = extras.check_extras()
    assert (half.level, half.found) == (WARNING, 'sam: segment-anything-hq is here without timm')
    assert rest.found == 'installed: rerun, cluster; not installed: cutie'


def test_an_accelerator_that_the_driver_has_and_pytorch_has_not(tmp_path, monkeypatch):
    torch = networks.import_module('torch')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert only(networks.check_accelerator()).level is OK
    monkeypatch.setattr(networks, 'DRIVER', tmp_path)
    assert only(networks.check_accelerator()).level is WARNING


def test_a_check_that_fails_is_a_problem_and_the_others_go_on():
    def broken():
        raise KeyError('surprise')

    found = list(examine([('disk', broken), ('nodes', lambda: [ok('nodes', 'none')])]))
    assert [item.level for item in found] == [PROBLEM, OK]
    assert "KeyError: 'surprise'" in found[0].found


@pytest.mark.parametrize('given', ['', '/opt/ros/jazzy'])
def test_a_prefix_that_ament_does_not_know_is_named(tmp_path, monkeypatch, given):
    share = tmp_path / 'share' / 'lazy_vos_msgs'
    share.mkdir(parents=True)
    module = tmp_path / 'lib' / 'site-packages' / 'lazy_vos_msgs' / 'msg' / '__init__.py'
    monkeypatch.setenv('AMENT_PREFIX_PATH', given)
    assert 'on no prefix of ament' in ros.outside_prefixes(module).found
    (share / 'package.xml').touch()
    finding = ros.outside_prefixes(module)
    assert 'AMENT_PREFIX_PATH is ' in finding.found
    wanted = f'{tmp_path}:{given}'.rstrip(':')
    assert finding.mend.endswith(f'export AMENT_PREFIX_PATH={wanted}')
