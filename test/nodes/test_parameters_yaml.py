import re
from pathlib import Path

import pytest
import yaml

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.parameters import parameters_of
from lazy_vos_ros.nodes import parameters_yaml
from lazy_vos_ros.nodes.node_config import NodeConfig

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_files_are_what_the_tables_give():
    assert (ROOT / parameters_yaml.YAML).read_text() == parameters_yaml.yaml_text()
    document = (ROOT / parameters_yaml.DOCS).read_text()
    assert document == parameters_yaml.with_tables(document)


def test_a_document_without_marks_is_refused():
    with pytest.raises(ValueError, match='exactly one pair'):
        parameters_yaml.with_tables('no marks')


def test_the_file_holds_every_parameter_with_its_default():
    text = parameters_yaml.yaml_text()
    given = yaml.safe_load(text)['/**/lazy_vos']['ros__parameters']
    assert NodeConfig(**given) == NodeConfig()
    # What stands in comments is YAML too.
    starts = tuple(f'    #{item.name}: ' for item in parameters_of(LazyConfig))
    bare = [line.replace('    #', '') for line in text.splitlines() if line.startswith(starts)]
    assert LazyConfig(**yaml.safe_load('\n'.join(bare))) == LazyConfig()
    for sections in parameters_yaml.NODES.values():
        for section in sections:
            for item in parameters_of(section.settings):
                assert re.search(rf'\n    #?{section.prefix}{item.name}: ', text)


@pytest.mark.parametrize(
    ('value', 'text'),
    [(True, 'true'), (0.5, '0.5'), (3, '3'), (float('inf'), '.inf'), ('', '""'), ('a', '"a"')],
)
def test_values(value, text):
    assert parameters_yaml.yaml_value(value) == text
    assert yaml.safe_load(text) == value
