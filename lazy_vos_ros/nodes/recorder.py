"""`lazy_vos_recorder`: writes the topics that an evaluation needs into a rosbag2."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from sqlite3 import OperationalError
from time import monotonic
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError
from ament_index_python.packages import get_package_share_directory
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy

from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter
from lazy_vos_ros.nodes.bag_writer import BagWriter
from lazy_vos_ros.nodes.parameters import declare
from lazy_vos_ros.nodes.parameters import read
from lazy_vos_ros.nodes.parameters import warn_of_unknown
from lazy_vos_ros.nodes.runtime import Stop
from lazy_vos_ros.nodes.runtime import run
from lazy_vos_ros.nodes.waiting import steady_timer

LONGEST_DRAIN = 0.5
"""Seconds for which messages are still taken in at the end."""
LOOK_FOR_TOPICS = 0.2
"""Seconds between looks for topics that have appeared."""
FLUSH = 0.5
"""Seconds after which messages are in the file; a recorder that is killed takes the rest along."""


@dataclass(frozen=True)
class RecorderSettings:
    """Parameters of the node."""

    bag: str = parameter('', 'Folder of the bag; empty: named by the time.', dynamic=False)
    storage: str = parameter(
        'mcap', 'Format of the bag.', choices=('mcap', 'sqlite3'), dynamic=False
    )
    topics: str = parameter(
        '', 'YAML file with the topics; empty: config/record_topics.yaml.', dynamic=False
    )

    def __post_init__(self) -> None:
        """Check every field."""
        check_parameters(self)


def default_topics() -> Path:
    """Return the list of topics that belongs to this package, installed or in its sources."""
    sources = Path(__file__).resolve().parents[2] / 'config' / 'record_topics.yaml'
    if sources.is_file():
        return sources
    try:
        share = Path(get_package_share_directory('lazy_vos_ros'))
    except PackageNotFoundError:
        raise ValueError('topics is empty and the package is not installed') from None
    return share / 'config' / 'record_topics.yaml'


def read_topics(path: Path) -> list[str]:
    """Return the names of a file of topics; ValueError says what is wrong with it."""
    try:
        content = yaml.safe_load(path.expanduser().read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f'topics {path} cannot be read: {error}') from None
    names = content.get('topics') if isinstance(content, dict) else None
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise ValueError(f'{path} is no list of topics; allowed: "topics:" with names below')
    return names


class Recorder(Node):
    """Subscribes to each topic as soon as it has a publisher, and writes what comes as it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__('lazy_vos_recorder', **options)
        declare(self, RecorderSettings)
        warn_of_unknown(self)
        settings = read(self, RecorderSettings)
        names = read_topics(Path(settings.topics) if settings.topics else default_topics())
        self._wanted = {self.resolve_topic_name(name) for name in names}
        folder = settings.bag or datetime.now().strftime('lazy_vos_%Y-%m-%d_%H-%M-%S')
        self._writer = BagWriter(Path(folder).expanduser(), settings.storage)
        self._failed = False
        self._timer = steady_timer(self, LOOK_FOR_TOPICS, self._look)
        self._flushing = steady_timer(self, FLUSH, self._flush)
        self._look()
        self.get_logger().info(f'recording {len(self._wanted)} topics into {self._writer.folder}')

    def close(self) -> None:
        """Write what has arrived already, finish the bag and say what is in it."""
        self._drain()
        counts = ', '.join(f'{n} x {topic}' for topic, n in self._writer.counts.items() if n)
        try:
            self._writer.close()
        except (OSError, OperationalError) as error:
            self.get_logger().error(f'{self._writer.folder} is not complete: {error}')
            return
        self.get_logger().info(f'{self._writer.folder} holds {counts or "no messages"}')
        for topic in sorted(self._wanted):
            self.get_logger().warning(f'{topic} had no publisher')

    def _drain(self) -> None:
        """Take in messages until none is waiting, though not for ever where they keep coming."""
        self.destroy_timer(self._timer)
        self.destroy_timer(self._flushing)
        end = monotonic() + LONGEST_DRAIN
        before = -1
        with suppress(Stop):
            while self.executor and before != (now := sum(self._writer.counts.values())):
                before = now
                if self._failed or monotonic() > end:
                    return
                self.executor.spin_once(timeout_sec=0.2)

    def _look(self) -> None:
        for topic, types in self.get_topic_names_and_types():
            offered = self.get_publishers_info_by_topic(topic) if topic in self._wanted else []
            if offered:
                self._wanted.discard(topic)
                self._record(topic, types, [info.qos_profile for info in offered])

    def _record(self, topic: str, types: list[str], offered: list[QoSProfile]) -> None:
        if len(types) != 1 or not self._writer.knows(types[0]):
            self.get_logger().error(f'{topic} is of {", ".join(types)} and cannot be recorded')
            return
        package, _, name = types[0].split('/')
        self._writer.add_topic(topic, types[0], offered)
        self.create_subscription(
            getattr(import_module(f'{package}.msg'), name),
            topic,
            partial(self._write, topic),
            _requested(offered),
            raw=True,
        )

    def _write(self, topic: str, data: bytes) -> None:
        now = self.get_clock().now().nanoseconds
        self._to_disk(lambda: self._writer.write(topic, now, data))

    def _flush(self) -> None:
        self._to_disk(self._writer.flush)

    def _to_disk(self, write: Callable[[], None]) -> None:
        """Write; end the node where that fails, once."""
        if self._failed:
            return
        try:
            write()
        except (OSError, OperationalError) as error:
            self._failed = True
            self.get_logger().fatal(f'recording ends, {self._writer.folder}: {error}')
            raise Stop(1) from error


def _requested(offered: list[QoSProfile]) -> QoSProfile:
    """Return the strongest quality of service that all publishers of a topic offer."""
    reliable = all(item.reliability == ReliabilityPolicy.RELIABLE for item in offered)
    latched = all(item.durability == DurabilityPolicy.TRANSIENT_LOCAL for item in offered)
    return QoSProfile(
        depth=100,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def main(args: list[str] | None = None) -> int:
    """Run the node until a signal comes."""
    return run(Recorder, args)


if __name__ == '__main__':
    sys.exit(main())
