"""An empty place to set up in."""

import io

import pytest

from bootstrap.console import Console
from bootstrap.layout import Layout


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path)


@pytest.fixture
def screen():
    return io.StringIO()


@pytest.fixture
def console(screen):
    return Console(screen)


@pytest.fixture
def program(tmp_path):
    """Return a function that writes a shell script into a folder and returns its path."""

    def write(name, text):
        path = tmp_path / 'programs' / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\n{text}\n')
        path.chmod(0o755)
        return path

    return write
