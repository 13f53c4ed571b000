"""The SROS 2 policy gives each node what it creates, and nothing beside."""

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest
import rclpy
import torch
from rclpy.parameter import Parameter

from lazy_vos_ros.engine.xmem.compact import CompactConfig
from lazy_vos_ros.engine.xmem.compact import compact_network
from lazy_vos_ros.engine.xmem.compact_weights import save_compact_network
from lazy_vos_ros.nodes.agent import Agent
from lazy_vos_ros.nodes.camera import Camera
from lazy_vos_ros.nodes.operator import Operator
from lazy_vos_ros.nodes.recorder import Recorder
from lazy_vos_ros.nodes.tracker_node import TrackerNode

POLICY = Path(__file__).resolve().parents[2] / 'config' / 'sros2' / 'policy.xml'
RIGHTS = {'topics': ('publish', 'subscribe'), 'services': ('reply', 'request')}
OTHERS = {'/lazy_vos/view': 'rviz2', '/lazy_vos/supervisor': 'supervisor'}
"""Programs that are not of this package."""
FOREIGN = {'/tf', '/tf_static', '/clock'}
DOMAINS = {'raw': 1 + os.getpid() % 50, 'compressed': 51 + os.getpid() % 50}


def granted():
    """Return the full names by node and right, as SROS 2 resolves them."""
    found = {}
    for enclave in ElementTree.parse(POLICY).getroot().find('enclaves'):
        (profile,) = enclave.iter('profile')
        node, rights = profile.get('node'), {}
        for group in profile:
            (right,) = set(group.keys()) & set(RIGHTS[group.tag])
            assert group.get(right) == 'ALLOW'
            names = [item.text for item in group]
            assert len(set(names)) == len(names), (node, right)
            assert not any('*' in name for name in names), 'a wildcard gives more than the least'
            rights[right] = {resolve(name, profile.get('ns'), node) for name in names}
        assert node not in found
        found[node] = {
            right: rights.get(right, set()) for pair in RIGHTS.values() for right in pair
        }
    return found


def resolve(name, namespace, node):
    if name.startswith('/'):
        return name
    prefix = namespace.rstrip('/')
    return f'{prefix}/{node}{name[1:]}' if name.startswith('~') else f'{prefix}/{name}'


def created(looker, name):
    """Return what a node has in the graph, by right."""
    ask = {
        'publish': looker.get_publisher_names_and_types_by_node,
        'subscribe': looker.get_subscriber_names_and_types_by_node,
        'reply': looker.get_service_names_and_types_by_node,
        'request': looker.get_client_names_and_types_by_node,
    }
    return {right: {item for item, _ in names(name, '/')} for right, names in ask.items()}


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp('clip')
    cv2.imwrite(str(folder / '0.png'), np.ones((8, 8), np.uint8))
    torch.manual_seed(5)
    config = CompactConfig(learnt=8, state=8, coarse=16, middle=8, fine=8)
    save_compact_network(compact_network(config), config, folder / 'small.safetensors')
    return folder


class Nodes:
    """All nodes of the package in one context, as SROS 2 would have each in its own."""

    def __init__(self, clip, transport):
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=DOMAINS[transport])
        self.looker = rclpy.create_node('looker', context=self.context)
        self.made = []
        tracker = self.make(
            TrackerNode,
            weights=str(clip / 'small.safetensors'),
            refiner='compact-refiner',
            image_transport=transport,
            autostart=False,
        )
        tracker.trigger_configure()
        tracker.trigger_activate()
        operator = self.make(Operator, web__port=0)
        operator.desk.live_wanted = lambda name: True
        operator._trackers.look()
        self.make(Agent, masks=str(clip))
        self.make(Camera, source=str(clip), pace='consumed')
        recorder = self.make(Recorder, bag=str(clip / f'bag-{transport}'))
        recorder._look()

    def make(self, kind, **parameters):
        given = {name.replace('__', '.'): value for name, value in parameters.items()}
        overrides = [Parameter(name, value=value) for name, value in given.items()]
        overrides.append(Parameter('use_sim_time', value=True))
        self.made.append(kind(context=self.context, parameter_overrides=overrides))
        return self.made[-1]

    def close(self):
        for node in reversed(self.made):
            getattr(node, 'close', lambda: None)()
            node.destroy_node()
        self.looker.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture(scope='module')
def graph(clip):
    """What every node creates, over both kinds of images."""
    found = {}
    for transport in DOMAINS:
        nodes = Nodes(clip, transport)
        try:
            for node in nodes.made:
                rights = created(nodes.looker, node.get_name())
                for right, names in rights.items():
                    found.setdefault(node.get_name(), {}).setdefault(right, set()).update(names)
        finally:
            nodes.close()
    return found


def test_each_node_may_do_what_it_does_and_nothing_else(graph):
    policy = {node: rights for node, rights in granted().items() if node not in OTHERS.values()}
    assert policy.keys() == graph.keys()
    for node, rights in graph.items():
        for right, names in rights.items():
            assert policy[node][right] == names, f'{node}: {right}'


def test_other_programs_get_only_what_these_nodes_have(graph):
    policy = granted()
    every = {
        right: set().union(*(node[right] for node in graph.values()))
        for pair in RIGHTS.values()
        for right in pair
    }
    for name in OTHERS.values():
        assert policy[name]['subscribe'] <= every['publish'] | FOREIGN
        assert policy[name]['publish'] <= every['subscribe'] | {'/parameter_events', '/rosout'}
        assert policy[name]['request'] <= every['reply']
        assert all(item.startswith(f'/{name}/') for item in policy[name]['reply'])


def test_only_the_camera_publishes_images_and_only_the_supervisor_changes_settings():
    policy = granted()
    assert [node for node, rights in policy.items() if '/image' in rights['publish']] == [
        'lazy_vos_camera'
    ]
    changes = {'/lazy_vos/set_parameters', '/lazy_vos/change_state', '/lazy_vos/reset'}
    assert [node for node, rights in policy.items() if changes & rights['request']] == [
        'supervisor'
    ]


def test_enclaves_have_names_of_their_own_in_one_folder():
    root = ElementTree.parse(POLICY).getroot()
    assert (root.tag, root.get('version')) == ('policy', '0.2.0')
    paths = [enclave.get('path') for enclave in root.iter('enclave')]
    assert len(set(paths)) == len(paths)
    assert all(path.startswith('/lazy_vos/') for path in paths)
    assert OTHERS.keys() <= set(paths)
