"""Doors of files: bags, weights, label images, lists and settings in YAML and JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import torch
import yaml
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from lazy_vos_msgs.msg import Click as ClickMessage
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.msg import ObjectState
from lazy_vos_msgs.msg import TrackingState
from rclpy.serialization import serialize_message
from safetensors.torch import save_file
from std_msgs.msg import Header

from benchmarks.fuzz_door import Door
from benchmarks.fuzz_inputs import files
from benchmarks.fuzz_inputs import trees
from benchmarks.fuzz_tracker import small_weights
from lazy_vos_ros.engine import weights
from lazy_vos_ros.engine.weights import read_state
from lazy_vos_ros.engine.xmem.compact_weights import load_compact_network
from lazy_vos_ros.engine.xmem.official_weights import load_official_network
from lazy_vos_ros.evaluation.bag_parts import METADATA
from lazy_vos_ros.evaluation.evaluate_bags import evaluate_bag
from lazy_vos_ros.evaluation.label_images import read_labels
from lazy_vos_ros.evaluation.operators import RecordedClicks
from lazy_vos_ros.evaluation.run_results import text_of
from lazy_vos_ros.nodes.bag_writer import BagWriter
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.recorder import read_topics
from lazy_vos_ros.nodes.web.tokens import Token

EXPECTED = (ValueError, OSError)


def file_doors(folder: Path) -> list[Door]:
    """Return the doors of files, which are written into `folder`."""
    bags = {storage: write_bag(folder / storage, storage) for storage in ('mcap', 'sqlite3')}
    mcap, database = bags['mcap'].read_bytes(), bags['sqlite3'].read_bytes()
    small = small_weights(folder).read_bytes()
    told = (bags['mcap'].parent / METADATA).read_bytes()
    picture = np.arange(96, dtype=np.uint8).reshape(8, 12)
    labels = [cv2.imencode(suffix, picture)[1].tobytes() for suffix in ('.png', '.bmp')]
    beside = bags['mcap'].parent

    def through(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
        def enter(data: bytes) -> object:
            path = folder / name
            path.write_bytes(data)
            return read(path)

        return enter

    def evaluate_metadata(data: bytes) -> None:
        (beside / METADATA).write_bytes(data)
        evaluate(beside)

    return [
        Door('bags, MCAP', files(mcap), through('fuzz.mcap', evaluate), EXPECTED, share=10),
        Door('bags, SQLite', files(database), through('fuzz.db3', evaluate), EXPECTED, share=6),
        Door("bags' metadata", texts(told, json_too=False), evaluate_metadata, EXPECTED, share=3),
        Door(
            'weights, safetensors',
            files(small),
            through('fuzz.safetensors', load_compact_network),
            EXPECTED,
            share=2,
        ),
        Door(
            'weights, pickle',
            files(pickled(folder)),
            through('fuzz.pth', read_state),
            EXPECTED,
            share=40,
        ),
        Door(
            'weights of another network',
            entries(),
            lambda state: _load_official(state, folder / 'other.safetensors'),
            EXPECTED,
            share=2,
        ),
        Door(
            'label images', files(*labels), through('labels.png', read_labels), EXPECTED, share=40
        ),
        Door(
            'recorded clicks, YAML',
            texts(clicks_file()),
            through('clicks.yaml', RecordedClicks.load),
            EXPECTED,
            share=30,
        ),
        Door(
            'topics to record, YAML',
            texts(b'topics:\n  - image\n  - lazy_vos/mask\n'),
            through('topics.yaml', read_topics),
            EXPECTED,
            share=30,
        ),
        Door(
            'manifest and pins, JSON',
            texts(json.dumps([vars(item) for item in weights.known_weights()[:2]]).encode()),
            lambda data: _read_manifest(data, folder),
            (*EXPECTED, RuntimeError),
            share=30,
        ),
        Door(
            'token files',
            st.one_of(
                st.binary(max_size=600),
                st.text('0aZ-_. \n', min_size=12, max_size=40).map(str.encode),
            ),
            lambda data: _read_token(data, folder / 'token'),
            EXPECTED,
            share=20,
        ),
    ]


def evaluate(path: Path) -> None:
    """Read a bag as `./lazy-vos evaluate` does, its table included."""
    text_of(evaluate_bag(path, 'bag'))


def write_bag(folder: Path, storage: str) -> Path:
    """Record a short run; return the file of its messages."""
    writer = BagWriter(folder, storage)
    kinds = {
        '/image': 'sensor_msgs/msg/Image',
        '/lazy_vos/mask': 'sensor_msgs/msg/Image',
        '/lazy_vos/tracking_state': 'lazy_vos_msgs/msg/TrackingState',
        '/lazy_vos/correction_event': 'lazy_vos_msgs/msg/CorrectionEvent',
    }
    for topic, kind in kinds.items():
        writer.add_topic(topic, kind, [])
    for number in range(4):
        header = Header(frame_id='lens')
        header.stamp.sec, header.stamp.nanosec = 1000, number * 100_000_000
        messages = (
            image_message(np.full((6, 8, 3), 50 * number, np.uint8), 'rgb8', header),
            image_message(np.eye(6, 8, dtype=np.uint8), 'mono8', header),
            TrackingState(header=header, frame_index=number, objects=[ObjectState(id=1)]),
            CorrectionEvent(
                header=header, kind=number, object_id=1, request_id='q', clicks=[ClickMessage()]
            ),
        )
        for topic, message in zip(kinds, messages, strict=True):
            writer.write(topic, 10**12 + number * 10**8, serialize_message(message))
    writer.close()
    return next(path for path in folder.iterdir() if path.suffix in ('.mcap', '.db3'))


def texts(original: bytes, *, json_too: bool = True) -> SearchStrategy[bytes]:
    """Return changed copies of a text, and trees of any values as YAML (JSON, too, is YAML)."""
    parts = [files(original), trees().map(lambda tree: yaml.safe_dump(tree).encode())]
    if json_too:
        parts.append(trees().map(lambda tree: json.dumps(tree).encode()))
    return st.one_of(*parts)


def clicks_file() -> bytes:
    """Return a file of recorded clicks."""
    centres = [[0, 10, 12], [5, 11, 13], [9, 'absent'], [20, 4, 4]]
    return yaml.safe_dump(
        {'fps': 25.0, 'objects': {1: {'label': 'cup', 'centres': centres}}}
    ).encode()


def pickled(folder: Path) -> bytes:
    """Return a small checkpoint as PyTorch writes it."""
    path = folder / 'original.pth'
    torch.save({'weight': torch.arange(6.0), 'steps': torch.tensor(3)}, path)
    return path.read_bytes()


def entries() -> SearchStrategy[dict[str, torch.Tensor]]:
    """Return named tensors of a checkpoint whose sizes are not those of the network."""
    names = (
        'decoder.hidden_update.transform.weight',
        'key_proj.key_proj.weight',
        'value_encoder.fuser.block2.conv2.weight',
        'value_encoder.conv1.weight',
        'odd',
    )
    shapes = st.lists(st.integers(0, 4), max_size=4)
    values = st.builds(torch.zeros, shapes)
    return st.dictionaries(st.sampled_from(names), values, max_size=4)


def _load_official(state: dict[str, torch.Tensor], path: Path) -> None:
    save_file(state, path)
    load_official_network(path)


def _read_manifest(data: bytes, folder: Path) -> None:
    (folder / 'manifest.json').write_bytes(data)
    (folder / 'fetched.json').write_bytes(data)
    with mock.patch.object(weights, '_package_folders', return_value=[folder]):
        weights.known_weights()
    weights.read_pins(folder)


def _read_token(data: bytes, path: Path) -> Any:
    path.write_bytes(data)
    path.chmod(0o600)
    return Token.read(path)
