import pytest

from bootstrap import system
from bootstrap.commands import Commands
from bootstrap.errors import SetupError
from bootstrap.system import Distribution
from bootstrap.system import Need
from bootstrap.system import check_machine
from bootstrap.system import install_missing
from bootstrap.system import may_install
from bootstrap.system import read_distribution

DEBIAN = 'ID=debian\nVERSION_ID="12"\n'
UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n'
MINT = "ID=linuxmint\nID_LIKE='ubuntu debian'\nVERSION_ID=22.1\n"
FEDORA = 'ID=fedora\nVERSION_ID=41\n'
NEEDS = [
    Need('g++', 'the interfaces', present=False),
    Need('make', 'the interfaces', present=True),
    Need('libgl1', 'OpenCV', present=False),
]


@pytest.fixture
def commands(tmp_path):
    return Commands(tmp_path / 'log', lambda _: None)


@pytest.mark.parametrize(
    ('text', 'id_', 'version', 'apt', 'glib'),
    [
        (DEBIAN, 'debian', (12,), True, 'libglib2.0-0'),
        (DEBIAN.replace('12', '13'), 'debian', (13,), True, 'libglib2.0-0t64'),
        (UBUNTU, 'ubuntu', (24, 4), True, 'libglib2.0-0t64'),
        (UBUNTU.replace('24.04', '22.04'), 'ubuntu', (22, 4), True, 'libglib2.0-0'),
        (MINT, 'linuxmint', (22, 1), True, 'libglib2.0-0'),
        (FEDORA, 'fedora', (41,), False, 'libglib2.0-0'),
        ('nonsense\n', 'unknown', (), False, 'libglib2.0-0'),
    ],
)
def test_distribution_is_read(tmp_path, text, id_, version, apt, glib):
    path = tmp_path / 'os-release'
    path.write_text(text)
    found = read_distribution(path)
    assert (found.id, found.version, found.uses_apt, found.glib) == (id_, version, apt, glib)


def test_distribution_without_a_file_is_unknown(tmp_path):
    assert read_distribution(tmp_path / 'none') == Distribution()


def test_without_root_the_whole_apt_call_is_shown(commands, monkeypatch):
    monkeypatch.setattr(system, 'may_install', lambda: None)
    with pytest.raises(SetupError, match=r'lacks g\+\+ \(for the interfaces\), libgl1') as caught:
        install_missing(commands, NEEDS, Distribution('debian'))
    wanted = 'sudo apt-get install -y --no-install-recommends g++ libgl1\n'
    assert wanted in caught.value.advice
    assert 'make' not in caught.value.advice
    assert commands.text() == ''


def test_without_apt_nothing_is_run_even_as_root(commands, monkeypatch):
    monkeypatch.setattr(system, 'may_install', list)
    with pytest.raises(SetupError, match='lacks') as caught:
        install_missing(commands, NEEDS, Distribution('fedora'))
    assert 'apt-get' not in caught.value.advice
    assert commands.text() == ''


def test_nothing_missing_asks_for_no_root(commands, monkeypatch):
    monkeypatch.setattr(system, 'may_install', lambda: pytest.fail('asked for root'))
    assert install_missing(commands, NEEDS[1:2], Distribution('debian')) == 'all there'


def test_apt_installs_only_what_is_missing(commands, monkeypatch, program):
    apt = program('apt-get', 'echo called "$@"')
    monkeypatch.setenv('PATH', f'{apt.parent}:/usr/bin:/bin')
    monkeypatch.setattr(system, 'may_install', list)
    outcome = install_missing(commands, NEEDS, Distribution('ubuntu'))
    assert outcome == 'installed g++ libgl1'
    last = commands.text().splitlines()[-1]
    assert last.startswith('called')
    assert last.endswith('install -y --no-install-recommends g++ libgl1')


def test_apt_that_fails_is_an_error(commands, monkeypatch, program):
    apt = program('apt-get', 'exit 100')
    monkeypatch.setenv('PATH', f'{apt.parent}:/usr/bin:/bin')
    monkeypatch.setattr(system, 'may_install', list)
    with pytest.raises(SetupError, match=r'could not install g\+\+ libgl1'):
        install_missing(commands, NEEDS, Distribution('ubuntu'))


@pytest.mark.parametrize(
    ('user', 'sudo', 'prefix'),
    [(0, None, []), (1000, 'exit 0', ['sudo']), (1000, 'exit 1', None), (1000, None, None)],
)
def test_root_or_sudo_without_a_password_may_install(monkeypatch, program, user, sudo, prefix):
    folder = program('apt-get', 'exit 0').parent
    if sudo:
        program('sudo', sudo)
    monkeypatch.setenv('PATH', str(folder))
    monkeypatch.setattr(system.os, 'geteuid', lambda: user)
    assert may_install() == prefix


def test_root_without_apt_may_not(monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setattr(system.os, 'geteuid', lambda: 0)
    assert may_install() is None


def test_arm_needs_a_ros_of_its_own(monkeypatch):
    monkeypatch.setattr(system.platform, 'machine', lambda: 'aarch64')
    check_machine(with_ros=True)
    with pytest.raises(SetupError, match='aarch64'):
        check_machine(with_ros=False)
