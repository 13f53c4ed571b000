"""A rosbag2 that is being written, where `ros2 bag record` is not at hand."""

import os
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rclpy.qos import QoSProfile
from rosbags.interfaces import Qos
from rosbags.interfaces import QosDurability
from rosbags.interfaces import QosHistory
from rosbags.interfaces import QosLiveliness
from rosbags.interfaces import QosReliability
from rosbags.interfaces import QosTime
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer
from rosbags.rosbag2 import WriterError
from rosbags.rosbag2.storage_mcap import McapWriter
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Writer

from lazy_vos_ros.evaluation.message_types import lazy_vos_typestore

STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
_FOR_EVER = QosTime(9223372036, 854775807)


class BagWriter:
    """Writes serialised messages of known types; not thread-safe."""

    def __init__(self, folder: Path, storage: str) -> None:
        """Make the folder and open the bag in it.

        Raises
        ------
        ValueError
            If the folder exists already or cannot be written, or the storage is unknown.
        """
        if storage not in STORAGES:
            raise ValueError(f'storage is {storage!r}; allowed: {", ".join(STORAGES)}')
        self.folder = folder
        self._types = lazy_vos_typestore()
        self._connections: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        """Messages written, by topic."""
        self._disk = ThreadPoolExecutor(1, 'disk')
        self._syncing: Future[None] | None = None
        try:
            self._writer = Writer(folder, version=9, storage_plugin=STORAGES[storage])
            self._writer.open()
        except (WriterError, OSError) as error:
            raise ValueError(f'bag {folder} cannot be made: {error}') from None

    def knows(self, message_type: str) -> bool:
        """Whether messages of this type, such as `sensor_msgs/msg/Image`, can be written."""
        return message_type in self._types.types

    def add_topic(self, topic: str, message_type: str, offered: list[QoSProfile]) -> None:
        """Announce a topic with what its publishers offer."""
        self._connections[topic] = self._writer.add_connection(
            topic,
            message_type,
            typestore=self._types,
            offered_qos_profiles=[_recorded(profile) for profile in offered],
        )
        self.counts[topic] = 0

    def write(self, topic: str, nanoseconds: int, data: bytes) -> None:
        """Write one serialised message; OSError if the disk is full."""
        self._writer.write(self._connections[topic], nanoseconds, data)
        self.counts[topic] += 1

    def flush(self) -> None:
        """Bring what was written into the file, so that it outlives this process.

        The library gathers messages in memory: of MCAP up to 1 MiB, of SQLite one transaction
        until the end. That they outlive the machine's power, too, an MCAP file is brought to the
        disk by a thread of its own, and the next call begins no second one before it has ended.

        Raises
        ------
        OSError, sqlite3.OperationalError
            If the disk is full.
        """
        storage = self._writer.storage
        if isinstance(storage, McapWriter):
            if storage.chunk.msgs:
                storage.close_chunk()
            storage.bio.flush()
            self._sync(storage.bio.fileno())
        elif isinstance(storage, Sqlite3Writer):
            storage.conn.commit()

    def close(self) -> None:
        """Finish the bag; OSError if the disk is full."""
        self._disk.shutdown()
        self._writer.close()

    def _sync(self, file: int) -> None:
        if self._syncing is None or self._syncing.done():
            if self._syncing is not None:
                self._syncing.result()
            self._syncing = self._disk.submit(os.fdatasync, file)


def _recorded(profile: QoSProfile) -> Qos:
    return Qos(
        history=QosHistory(int(profile.history)),
        depth=profile.depth,
        reliability=QosReliability(int(profile.reliability)),
        durability=QosDurability(int(profile.durability)),
        deadline=_FOR_EVER,
        lifespan=_FOR_EVER,
        liveliness=QosLiveliness(int(profile.liveliness)),
        liveliness_lease_duration=_FOR_EVER,
        avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions,
    )
