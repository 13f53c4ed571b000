"""The tracker node on a backend that costs nothing, as a process for the measurement."""

import sys
from functools import partial

from lazy_vos_ros.cli.latency.free_backend import FreeBackend
from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.refiners.oracle import OracleRefiner
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes.node_config import NodeConfig
from lazy_vos_ros.nodes.runtime import run
from lazy_vos_ros.nodes.tracker_node import TrackerNode


def free_networks(config: NodeConfig, xmem: XMemConfig) -> tuple[Backend, Refiner]:
    """Return what costs nothing; nobody clicks, so that the refiner is never asked."""
    return FreeBackend(), OracleRefiner(lambda frame, object_id: None)


if __name__ == '__main__':
    sys.exit(run(partial(TrackerNode, make_networks=free_networks)))
