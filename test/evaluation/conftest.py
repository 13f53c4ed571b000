from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recordings import TYPES
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer


@pytest.fixture
def write_bag(tmp_path: Path) -> Callable[..., Path]:
    """Write messages into a bag and return its folder."""

    def write(
        messages: list[tuple[str, str, int, Any]],
        storage: str = 'mcap',
        name: str = 'bag',
        topics: tuple[tuple[str, str], ...] = (),
    ) -> Path:
        plugin = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage]
        with Writer(tmp_path / name, version=9, storage_plugin=plugin) as writer:
            kinds = {**dict(topics), **{topic: kind for topic, kind, _, _ in messages}}
            connections = {
                topic: writer.add_connection(topic, kind, typestore=TYPES)
                for topic, kind in kinds.items()
            }
            for topic, kind, now, message in messages:
                data = (
                    message if isinstance(message, bytes) else TYPES.serialize_cdr(message, kind)
                )
                writer.write(connections[topic], now, data)
        return tmp_path / name

    return write
