from pathlib import Path

import pytest
import yaml

from lazy_vos_ros.engine.parameters import parameters_of
from lazy_vos_ros.nodes.canvas import BUTTON_HEIGHT
from lazy_vos_ros.nodes.canvas import FRAME_ID
from lazy_vos_ros.nodes.canvas import GAP
from lazy_vos_ros.nodes.canvas import HEIGHT
from lazy_vos_ros.nodes.canvas import WIDTH
from lazy_vos_ros.nodes.canvas_cloud import CELL
from lazy_vos_ros.nodes.canvas_markers import LINE
from lazy_vos_ros.nodes.parameters_yaml import NODES

ROOT = Path(__file__).resolve().parents[2]


def entities(description):
    return description.args[0]


def of_kind(description, name):
    return [item for item in entities(description) if type(item).__name__ == name]


def defaults(description):
    return {
        item.args[0]: item.kwargs.get('default_value')
        for item in of_kind(description, 'DeclareLaunchArgument')
    }


def nodes_of(description, **arguments):
    """Return the nodes that would be started, by executable."""
    context = {**defaults(description), **arguments}
    found = of_kind(description, 'Node')
    for item in of_kind(description, 'OpaqueFunction'):
        found += item.kwargs['function'](context)
    return {item.kwargs['executable']: item.kwargs for item in found}


def referred_to(value):
    """Return the names of the launch arguments that something depends on."""
    if type(value).__name__ == 'LaunchConfiguration':
        return {value.args[0]}
    if isinstance(value, dict):
        return set().union(*(referred_to(item) for item in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(referred_to(item) for item in value))
    if hasattr(value, 'args'):
        return referred_to(value.args) | referred_to(value.kwargs)
    return set()


@pytest.fixture
def description(load):
    return load('lazy_vos').generate_launch_description()


def test_nothing_optional_starts_by_default(description):
    nodes = nodes_of(description)
    assert set(nodes) == {'lazy_vos', 'lazy_vos_operator', 'rviz2', 'static_transform_publisher'}
    for name in ('rviz2', 'static_transform_publisher'):
        assert nodes[name]['condition'].args[0].args == ('rviz',)
    assert FRAME_ID in nodes['static_transform_publisher']['arguments']
    assert defaults(description)['rviz'] == 'false'
    assert defaults(description)['operator'] == 'true'


def test_a_person_is_spared_by_default_and_the_recorded_one_of_the_demo_is_not(description, load):
    assert defaults(description)['profile'] == 'live'
    _, given = nodes_of(description)['lazy_vos']['parameters']
    assert referred_to(given['profile']) == {'profile'}
    (included,) = of_kind(load('demo').generate_launch_description(), 'IncludeLaunchDescription')
    assert dict(included.kwargs['launch_arguments'])['profile'] == 'paper'


def test_camera_and_recorder_start_when_asked_for(description):
    nodes = nodes_of(description, source='0', rate='5', loop='true', record='true', bag='here')
    (camera,) = nodes['lazy_vos_camera']['parameters']
    assert camera == {'source': '0', 'rate': 5.0, 'loop': True, 'wait_for_subscribers': 2}
    (camera,) = nodes_of(description, source='0')['lazy_vos_camera']['parameters']
    assert camera['wait_for_subscribers'] == 1  # the tracker
    assert nodes['lazy_vos_recorder']['parameters'] == [{'bag': 'here'}]


@pytest.mark.parametrize('text', ['true', 'True', ' TRUE', '1'])
def test_yes_is_understood_in_all_its_spellings(description, text):
    nodes = nodes_of(description, source='0', loop=text, record=text)
    assert 'lazy_vos_recorder' in nodes
    (camera,) = nodes['lazy_vos_camera']['parameters']
    assert (camera['loop'], camera['wait_for_subscribers']) == (True, 2)


@pytest.mark.parametrize('text', ['false', 'False', '0'])
def test_no_is_understood_in_all_its_spellings(description, text):
    nodes = nodes_of(description, source='0', loop=text, record=text)
    assert 'lazy_vos_recorder' not in nodes
    (camera,) = nodes['lazy_vos_camera']['parameters']
    assert (camera['loop'], camera['wait_for_subscribers']) == (False, 1)


@pytest.mark.parametrize('name', ['loop', 'record'])
@pytest.mark.parametrize('text', ['yes', 'on', ''])
def test_what_is_neither_yes_nor_no_is_refused(description, name, text):
    with pytest.raises(ValueError, match=f"{name} is '{text}'; allowed: true, false, 1 or 0"):
        nodes_of(description, source='0', **{name: text})


def test_every_argument_is_declared_explained_and_used(description, load):
    declared = of_kind(description, 'DeclareLaunchArgument')
    assert all(item.kwargs['description'] for item in declared)
    used = referred_to(entities(description))
    # Functions read the others.
    used |= {'source', 'rate', 'loop', 'record', 'bag', 'namespace', 'image'}
    assert used == {item.args[0] for item in declared}


def test_every_parameter_and_executable_exists(description):
    nodes = nodes_of(description, source='clip.mp4', record='true')
    scripts = (ROOT / 'setup.py').read_text()
    for name, node in nodes.items():
        if node['package'] != 'lazy_vos_ros':
            continue
        assert f"'{name} = lazy_vos_ros.nodes." in scripts
        assert node['package'] == 'lazy_vos_ros'
        assert node['name'] == name
        assert type(node['namespace']).__name__ == 'LaunchConfiguration'
        known = {
            section.prefix + item.name
            for section in NODES.get(name, ())
            for item in parameters_of(section.settings)
        }
        for given in node.get('parameters', []):
            if isinstance(given, dict):
                assert set(given) <= known, name


def test_the_demo_gives_the_included_file_what_it_declares(load, description):
    demo = load('demo').generate_launch_description()
    (included,) = of_kind(demo, 'IncludeLaunchDescription')
    given = dict(included.kwargs['launch_arguments'])
    assert set(given) <= set(defaults(description))
    assert referred_to(entities(demo)) | referred_to(list(given.values())) == set(defaults(demo))
    agent = nodes_of(demo)['lazy_vos_agent']
    known = {item.name for item in parameters_of(NODES['lazy_vos_agent'][0].settings)}
    assert set(agent['parameters'][0]) <= known


def test_rviz_shows_topics_that_exist():
    text = (ROOT / 'config' / 'operator.rviz').read_text()
    manager = yaml.safe_load(text)['Visualization Manager']
    topics = [item['Topic']['Value'] for item in manager['Displays']]
    assert topics == [
        'lazy_vos_operator/canvas',
        'lazy_vos_operator/canvas_words',
        'lazy_vos/overlay',
        'lazy_vos/entropy',
    ]
    canvas = manager['Displays'][0]
    assert (canvas['Style'], canvas['Size (m)']) == ('Flat Squares', pytest.approx(CELL))
    assert manager['Global Options']['Fixed Frame'] == FRAME_ID
    tools = [item for item in manager['Tools'] if item['Class'].endswith('PublishPoint')]
    assert [item['Topic']['Value'] for item in tools] == [
        'lazy_vos_operator/here',
        'lazy_vos_operator/not_here',
    ]


def test_the_view_of_rviz_fits_the_canvas():
    text = (ROOT / 'config' / 'operator.rviz').read_text()
    document = yaml.safe_load(text)
    view = document['Visualization Manager']['Views']['Current']
    window = document['Window Geometry']
    assert (view['X'], view['Y'], view['Class']) == (0, 0, 'rviz_default_plugins/TopDownOrtho')
    # One pixel of the screen is at most one of a camera image 1280 wide.
    assert view['Scale'] >= 1280 / WIDTH
    above = HEIGHT / 2 + 2.6 * LINE
    below = HEIGHT / 2 + GAP + BUTTON_HEIGHT
    # Menu, tools and the line of times take some 130 pixels; the panels, the rest of the width.
    assert 2 * max(above, below) * view['Scale'] <= window['Height'] - 130
    assert WIDTH * view['Scale'] <= window['Width'] - 400
