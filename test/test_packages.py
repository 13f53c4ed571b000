"""The two ROS packages, and the floors of the house."""

import ast
import re
import sys
import xml.etree.ElementTree as ElementTree
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
import setuptools

import lazy_vos_ros

ROOT = Path(__file__).resolve().parents[1]
HOUSE = 'lazy_vos_ros'
ROS = {
    'ament_index_python',
    'builtin_interfaces',
    'cv_bridge',
    'diagnostic_msgs',
    'geometry_msgs',
    'launch',
    'launch_ros',
    'lazy_vos_msgs',
    'lifecycle_msgs',
    'message_filters',
    'rcl_interfaces',
    'rclpy',
    'sensor_msgs',
    'std_msgs',
    'std_srvs',
    'visualization_msgs',
}
FLOORS = {
    'engine': {'engine'},
    'evaluation': {'engine', 'evaluation', 'training'},
    'training': {'engine', 'evaluation', 'training'},
    'nodes': {'engine', 'evaluation', 'nodes'},
    'cli': {'engine', 'evaluation', 'training', 'nodes', 'cli'},
}
WITHOUT_ROS = ('engine', 'training')


@pytest.fixture(scope='module')
def arguments():
    """Return what setup.py gives to setuptools."""
    given = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, 'setup', lambda **kwargs: given.update(kwargs))
        patch.chdir(ROOT)
        path = ROOT / 'setup.py'
        exec(compile(path.read_text(), path, 'exec'), {'__file__': str(path)})
    return given


def sources():
    """Return the file of every module of the house."""
    found = {}
    for path in sorted((ROOT / HOUSE).rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        found['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return found


SOURCES = sources()


def imported(path, *, at_import_only=False):
    """Return the modules that a file imports.

    With `at_import_only`, without those that a function imports, or only a type checker.
    """
    found = set()
    waiting = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}:{node.lineno} imports relatively'
            whole = {f'{node.module}.{alias.name}' for alias in node.names}
            modules = whole & SOURCES.keys()
            found |= modules
            if len(modules) < len(whole):
                found.add(node.module)
        if at_import_only and later(node):
            continue
        waiting += ast.iter_child_nodes(node)
    return found


def later(node):
    """Whether the body of a node does not run at import."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return True
    return isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test)


def of_the_house(names):
    return {name for name in names if name.split('.')[0] == HOUSE}


def of_floor(floor):
    modules = [name for name in SOURCES if name.split('.')[1:2] == [floor]]
    assert modules, f'nothing on floor {floor}'
    return modules


def test_every_folder_of_the_house_is_a_floor():
    folders = {name.split('.')[1] for name in SOURCES if '.' in name}
    assert folders == FLOORS.keys()


def test_entry_points_can_be_called(arguments):
    scripts = dict(
        re.split(r'\s*=\s*', line) for line in arguments['entry_points']['console_scripts']
    )
    assert {'lazy-vos', 'lazy_vos', 'lazy_vos_operator', 'lazy_vos_recorder'} <= scripts.keys()
    for target in scripts.values():
        module, function = target.split(':')
        assert callable(getattr(import_module(module), function))


def test_versions_and_names_agree(arguments):
    packages = [
        ElementTree.parse(ROOT / folder / 'package.xml').getroot() for folder in ('.', 'msg')
    ]
    versions = {package.findtext('version') for package in packages}
    assert versions == {arguments['version']} == {lazy_vos_ros.__version__}
    assert [package.findtext('name') for package in packages] == [HOUSE, 'lazy_vos_msgs']
    assert arguments['name'] == HOUSE
    project = (ROOT / 'msg' / 'CMakeLists.txt').read_text()
    assert 'project(lazy_vos_msgs)' in project


def test_every_module_is_in_a_package_of_setup(arguments):
    missing = {
        name
        for name, path in SOURCES.items()
        if '.'.join(path.parent.relative_to(ROOT).parts) not in arguments['packages']
    }
    assert not missing


def test_data_files_exist_and_nodes_find_theirs(arguments):
    files = dict(arguments['data_files'])
    for names in files.values():
        assert names
        for name in names:
            assert (ROOT / name).is_file(), name
    share = f'share/{HOUSE}'
    assert files['share/ament_index/resource_index/packages'] == [f'resource/{HOUSE}']
    assert files[share] == ['package.xml']
    weights = {path.name for path in (ROOT / 'weights').glob('*.safetensors')}
    assert weights
    shared = {Path(name).name for name in files[f'{share}/weights']}
    assert shared >= weights | {'manifest.json'}
    assert not any(name.endswith('.pth') for name in shared)
    assert 'config/lazy_vos.yaml' in files[f'{share}/config']
    assert 'launch/lazy_vos.launch.py' in files[f'{share}/launch']


def test_every_interface_is_generated_with_its_dependencies():
    cmake = (ROOT / 'msg' / 'CMakeLists.txt').read_text()
    call = re.search(r'rosidl_generate_interfaces\((\$\{PROJECT_NAME\}[^)]*)\)', cmake)
    words = call.group(1).split()
    at = words.index('DEPENDENCIES')
    interfaces, dependencies = words[1:at], set(words[at + 1 :])
    folders = [ROOT / 'msg' / kind for kind in ('msg', 'srv')]
    there = [f'{item.name}/{path.name}' for item in folders for path in item.glob('*.*')]
    assert sorted(interfaces) == sorted(there)
    used = set()
    for name in there:
        text = re.sub(r'#.*', '', (ROOT / 'msg' / name).read_text())
        used |= set(re.findall(r'^(\w+)/\w+', text, re.MULTILINE))
    used.discard('lazy_vos_msgs')
    package = ElementTree.parse(ROOT / 'msg' / 'package.xml').getroot()
    assert used == dependencies == {depend.text for depend in package.iter('depend')}


@pytest.mark.parametrize('floor', FLOORS)
def test_floor_imports_only_from_floors_it_may(floor):
    allowed = {f'{HOUSE}.{other}' for other in FLOORS[floor]}
    wrong = [
        f'{name} imports {other}'
        for name in of_floor(floor)
        for other in of_the_house(imported(SOURCES[name]))
        if other != HOUSE and '.'.join(other.split('.')[:2]) not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize('floor', WITHOUT_ROS)
def test_floor_knows_no_ros(floor):
    wrong = [
        f'{name} imports {other}'
        for name in of_floor(floor)
        for other in imported(SOURCES[name])
        if other.split('.')[0] in ROS
    ]
    assert not wrong


def test_training_reaches_no_ros_through_what_it_imports():
    waiting, seen = of_floor('training'), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        names = imported(SOURCES[name], at_import_only=True)
        assert not {other.split('.')[0] for other in names} & ROS, name
        waiting += of_the_house(names)


def test_packages_of_ros_that_are_imported_are_declared():
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    declared = {entry.text for kind in ('depend', 'exec_depend') for entry in package.iter(kind)}
    files = [*SOURCES.values(), *sorted((ROOT / 'launch').glob('*.py'))]
    used = {name.split('.')[0] for path in files for name in imported(path)} & ROS
    assert 'rclpy' in used
    assert used <= declared | {'rcl_interfaces'}  # rclpy's own parameters


def test_house_imports_only_what_is_known():
    known = ROS | set(sys.stdlib_module_names) | {HOUSE}
    known |= {'PIL', 'cv2', 'distributed', 'imageio_ffmpeg', 'jinja2', 'markupsafe'}
    known |= {'matplotlib', 'numpy', 'rerun', 'rosbags', 'tornado'}
    known |= {'safetensors', 'segment_anything_hq', 'timm', 'torch', 'torchvision', 'tqdm', 'yaml'}
    known |= {'backports', 'lz4'}  # rosbags brings them
    used = {name.split('.')[0] for path in SOURCES.values() for name in imported(path)}
    assert used <= known


def test_modules_do_not_import_in_circles():
    graph = {
        name: of_the_house(imported(path, at_import_only=True)) - {name}
        for name, path in SOURCES.items()
    }
    assert graph[f'{HOUSE}.engine.tracker']
    assert len(list(TopologicalSorter(graph).static_order())) >= len(SOURCES)
