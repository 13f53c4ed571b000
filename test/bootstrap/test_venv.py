import pytest

from bootstrap.commands import Commands
from bootstrap.errors import SetupError
from bootstrap.venv import identity
from bootstrap.venv import is_usable
from bootstrap.venv import make_venv
from bootstrap.venv import remove_fragments


@pytest.fixture
def packages(layout):
    folder = layout.venv / 'lib' / 'python3.11' / 'site-packages'
    for name in ('whole', 'whole-1.0.dist-info', 'half-2.0.dist-info', '~ld'):
        (folder / name).mkdir(parents=True)
    (folder / 'whole-1.0.dist-info' / 'RECORD').touch()
    (folder / '~file').touch()
    return folder


def test_only_fragments_are_removed(layout, packages):
    assert remove_fragments(layout) == ['half-2.0.dist-info', '~ld']
    left = {path.name for path in packages.iterdir()}
    assert left == {'whole', 'whole-1.0.dist-info', '~file'}
    assert remove_fragments(layout) == []


@pytest.fixture
def commands(tmp_path):
    return Commands(tmp_path / 'log', lambda _: None)


@pytest.fixture
def maker(program):
    """Return a stand-in for a Python that makes an environment of itself, without pip."""
    text = 'mkdir -p "$3/bin"; echo "include-system-site-packages = false" > "$3/pyvenv.cfg"\n'
    text += 'printf "#!/bin/sh\\nexit 0\\n" > "$3/bin/python"; chmod +x "$3/bin/python"'
    return program('python3', text)


def test_usable_environment_is_kept_with_its_identity(layout, commands, maker):
    env = {'PATH': '/usr/bin:/bin'}
    nowhere = identity(layout)
    assert make_venv(commands, layout, maker, env).startswith('made .venv')
    first = identity(layout)
    (layout.venv / 'mine').touch()
    assert make_venv(commands, layout, maker, env).startswith('kept .venv')
    assert (layout.venv / 'mine').exists()
    assert nowhere != identity(layout) == first


def test_a_link_to_an_environment_that_does_not_fit_is_refused_and_left(
    layout, commands, maker, tmp_path
):
    mine = tmp_path / 'mine'
    mine.mkdir()
    (mine / 'file').touch()
    layout.venv.parent.mkdir(parents=True, exist_ok=True)
    layout.venv.symlink_to(mine)
    with pytest.raises(SetupError, match='is a link to an environment that does not fit'):
        make_venv(commands, layout, maker, {'PATH': '/usr/bin:/bin'})
    assert (mine / 'file').exists()


@pytest.mark.parametrize('damage', ['pyvenv.cfg', 'bin/python'])
def test_damaged_environment_is_made_anew(layout, commands, maker, damage):
    env = {'PATH': '/usr/bin:/bin'}
    make_venv(commands, layout, maker, env)
    first = identity(layout)
    (layout.venv / damage).unlink()
    assert not is_usable(layout, env)
    assert make_venv(commands, layout, maker, env).startswith('made')
    assert identity(layout) != first


def test_environment_that_was_moved_is_not_usable(layout, commands, maker):
    env = {'PATH': '/usr/bin:/bin'}
    make_venv(commands, layout, maker, env)
    assert is_usable(layout, env)
    mark = layout.venv / '.lazy-vos-identity'
    mark.write_text(mark.read_text().replace(str(layout.venv), '/elsewhere/.venv'))
    assert not is_usable(layout, env)
