"""The parameters of all nodes as config/lazy_vos.yaml and as the tables of docs/nodes.md.

Run `python -m lazy_vos_ros.nodes.parameters_yaml` in the sources to write both anew.
"""

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.parameters import Parameter
from lazy_vos_ros.engine.parameters import Scalar
from lazy_vos_ros.engine.parameters import parameters_of
from lazy_vos_ros.engine.weights import known_weights
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes.agent import AgentSettings
from lazy_vos_ros.nodes.camera import CameraSettings
from lazy_vos_ros.nodes.node_config import NodeConfig
from lazy_vos_ros.nodes.operator_settings import OperatorSettings
from lazy_vos_ros.nodes.recorder import RecorderSettings
from lazy_vos_ros.nodes.web.settings import WebSettings

YAML = Path('config', 'lazy_vos.yaml')
DOCS = Path('docs', 'nodes.md')
BEGIN = '<!-- parameters: written by lazy_vos_ros.nodes.parameters_yaml -->'
END = '<!-- end of parameters -->'

_HEAD = """\
# Parameters of all nodes, with their defaults. Written from the tables of settings by
#   python -m lazy_vos_ros.nodes.parameters_yaml
#
# Use: ros2 launch lazy_vos_ros lazy_vos.launch.py params_file:=<a copy of this file>
# or   lazy-vos node lazy_vos --ros-args --params-file <a copy of this file>
#
# "At start" parameters cannot be changed while the node runs; `ros2 param set` changes the others.
# Settings of the method and of the network stand in comments, because the defaults of some of them
# come with `profile` and with the weights; remove the `#` to set one. What the weights bring wins
# over the default that stands here: `lazy-vos weights list` shows it, `ros2 param get` what is in
# force.
#
# The quality of service of any topic is set by its full name, at start:
#   qos_overrides./camera/image_raw.subscription.reliability: reliable
"""


@dataclass(frozen=True)
class Section:
    """Settings of a node under one heading."""

    title: str
    settings: Any
    prefix: str = ''
    commented: bool = False


NODES: dict[str, tuple[Section, ...]] = {
    'lazy_vos': (
        Section('The node', NodeConfig),
        Section('The method', LazyConfig, commented=True),
        Section('The network and its memory', XMemConfig, 'xmem.', commented=True),
    ),
    'lazy_vos_operator': (
        Section('The node', OperatorSettings),
        Section('The web page', WebSettings, 'web.'),
    ),
    'lazy_vos_camera': (Section('The node', CameraSettings),),
    'lazy_vos_agent': (Section('The node', AgentSettings),),
    'lazy_vos_recorder': (Section('The node', RecorderSettings),),
}


def set_by_weights() -> frozenset[str]:
    """Return the parameters for which some weights of the manifest bring a default."""
    return frozenset(
        name
        for entry in known_weights()
        for name in (*(f'xmem.{item}' for item in entry.settings), *entry.thresholds)
    )


def yaml_text() -> str:
    """Return the text of config/lazy_vos.yaml."""
    lines = _HEAD.splitlines()
    for node, sections in NODES.items():
        lines += ['', f'/**/{node}:', '  ros__parameters:']
        for section in sections:
            lines += ['', f'    # ---- {section.title} ----']
            for item in parameters_of(section.settings):
                lines += _yaml_lines(item, section)
    return '\n'.join(lines) + '\n'


def markdown_text() -> str:
    """Return the tables of docs/nodes.md."""
    lines: list[str] = []
    for node, sections in NODES.items():
        for section in sections:
            title = '' if len(sections) == 1 else f': {section.title.lower()}'
            lines += [f'### `{node}`{title}', '']
            lines += ['| parameter | default | allowed | what it does |', '|---|---|---|---|']
            lines += [
                f'| `{section.prefix}{item.name}` | {_default(item, section)} '
                f'| {item.allowed}{_when(item)} | {item.description} |'
                for item in parameters_of(section.settings)
            ]
            lines.append('')
    return '\n'.join(lines)


def with_tables(document: str) -> str:
    """Return a document with the tables between their marks replaced by the present ones.

    Raises
    ------
    ValueError
        If the marks are not there.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'document has no {BEGIN} ... {END}; allowed: exactly one pair')
    return f'{before}{BEGIN}\n\n{markdown_text()}\n{END}{after}'


def yaml_value(value: Scalar) -> str:
    """Return a value as YAML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f'[{", ".join(map(yaml_value, value))}]'
    return '.inf' if value == float('inf') else repr(value)


def _yaml_lines(item: Parameter, section: Section) -> Iterator[str]:
    yield ''
    words = f'{item.description} Allowed: {item.allowed}{_when(item)}.'
    if section.prefix + item.name in set_by_weights():
        words += ' The weights may bring another default than this one.'
    yield from textwrap.wrap(words, 95, initial_indent='    # ', subsequent_indent='    # ')
    mark = '#' if section.commented else ''
    yield f'    {mark}{section.prefix}{item.name}: {yaml_value(item.default)}'


def _default(item: Parameter, section: Section) -> str:
    value = f'`{yaml_value(item.default)}`'
    return f'{value} or the weights’' if section.prefix + item.name in set_by_weights() else value


def _when(item: Parameter) -> str:
    return '' if item.dynamic else '; at start'


def main() -> int:
    """Write both files of the sources."""
    root = Path(__file__).resolve().parents[2]
    (root / YAML).write_text(yaml_text())
    (root / DOCS).write_text(with_tables((root / DOCS).read_text()))
    return 0


if __name__ == '__main__':
    sys.exit(main())
