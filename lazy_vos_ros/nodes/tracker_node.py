"""`lazy_vos`: the lifecycle node that tracks objects in a camera's images."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode
from rclpy.lifecycle import LifecycleState
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image

from lazy_vos_ros.engine.build import tracker_entry
from lazy_vos_ros.engine.config import PROFILES
from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.device_memory import device_memory
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes import qos
from lazy_vos_ros.nodes.diagnostics import Health
from lazy_vos_ros.nodes.diagnostics import array
from lazy_vos_ros.nodes.diagnostics import report
from lazy_vos_ros.nodes.frame_buffer import ImageMessage
from lazy_vos_ros.nodes.input_watch import InputWatch
from lazy_vos_ros.nodes.measures import Faults
from lazy_vos_ros.nodes.measures import Latency
from lazy_vos_ros.nodes.measures import Rate
from lazy_vos_ros.nodes.node_config import NodeConfig
from lazy_vos_ros.nodes.parameters import declare
from lazy_vos_ros.nodes.parameters import read
from lazy_vos_ros.nodes.parameters import warn_of_unknown
from lazy_vos_ros.nodes.parameters import watch
from lazy_vos_ros.nodes.rivals import Rivals
from lazy_vos_ros.nodes.runtime import Stop
from lazy_vos_ros.nodes.runtime import ending
from lazy_vos_ros.nodes.runtime import run
from lazy_vos_ros.nodes.session import SessionState
from lazy_vos_ros.nodes.stamp_watch import StampWatch
from lazy_vos_ros.nodes.tracking import MakeNetworks
from lazy_vos_ros.nodes.tracking import Tracking
from lazy_vos_ros.nodes.tracking import load_networks
from lazy_vos_ros.nodes.waiting import EndingError
from lazy_vos_ros.nodes.waiting import steady_timer

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE
PATIENCE = 1.2
"""Seconds given to an image in work when the node ends."""


class TrackerNode(LifecycleNode):
    """Configure loads the networks, activate subscribes, deactivate keeps the memory."""

    def __init__(self, *, make_networks: MakeNetworks = load_networks, **options: Any) -> None:
        super().__init__('lazy_vos', **options)
        self._make_networks = make_networks
        refuse_impossible_transitions(self)
        declare(self, NodeConfig)
        self._config = read(self, NodeConfig)
        lazy, xmem = method_defaults(self._config)
        declare(self, lazy)
        declare(self, xmem, 'xmem.')
        warn_of_unknown(self)
        self._lazy = read(self, LazyConfig)
        self._xmem = read(self, XMemConfig, 'xmem.')
        watch(self, lambda: self._lazy, self._change_method)
        watch(self, lambda: self._config, self._change_node)
        self._tracking: Tracking | None = None
        self._images: Subscription | None = None
        self._state = 'unconfigured'
        self._ended = True
        self._received, self._processed, self._faults = Rate(), Rate(), Faults()
        self._diagnostics = qos.publisher(self, DiagnosticArray, '/diagnostics', qos.RELIABLE)
        self._input = InputWatch(self._config.stale_after)
        self._stamps, self._rivals = StampWatch(), Rivals(self)
        steady_timer(self, 1.0, self._report)
        if self._config.autostart:
            self._autostart = self.create_timer(0.0, self._start)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the networks, warm up, publish and serve."""
        try:
            self._tracking = Tracking(
                self,
                self._config,
                self._lazy,
                self._xmem,
                self._processed,
                self._faults,
                self._make_networks,
            )
        except EndingError:
            self._ended = False  # something is still being loaded
            return FAILURE
        except (ValueError, RuntimeError, OSError) as error:
            self.get_logger().error(f'cannot configure: {error}')
            return FAILURE
        except Exception:
            self.get_logger().error(f'cannot configure: {traceback.format_exc()}')
            return FAILURE
        self.get_logger().info(
            f'tracker: {self._tracking.backend_name}; refiner: {self._tracking.refiner_name}; '
            f'device: {self._tracking.device_name}'
        )
        self._state = 'inactive'
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the images."""
        if self._tracking is None:
            return FAILURE
        self._tracking.worker.forget_frames()
        kind, topic = Image, self.resolve_topic_name('image')
        if self._config.image_transport == 'compressed':
            kind, topic = CompressedImage, f'{topic}/compressed'
        self._images = qos.subscription(self, kind, topic, self._on_image, qos.SENSOR)
        self._received, self._state = Rate(), 'active'
        self._input = InputWatch(self._config.stale_after)
        self._stamps = StampWatch()
        self.get_logger().info(f'active; waiting for images on {topic}')
        return SUCCESS

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe; objects and memory stay."""
        self._unsubscribe()
        self._state = 'inactive'
        return SUCCESS

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the memory and the networks."""
        self._free(None)
        self._state = 'unconfigured'
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything; the image in work is waited for, but not for long."""
        self._free(PATIENCE)
        self._state = 'finalized'
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, so that it can be configured again."""
        self._free(PATIENCE)
        self._state = 'unconfigured'
        return SUCCESS

    def close(self) -> bool:
        """Shut down; return whether the worker has ended."""
        if self._state != 'finalized':
            self.trigger_shutdown()
        return self._ended

    def destroy_node(self) -> None:
        """Leave the graph, also in the middleware: its files in shared memory go with it."""
        super().destroy_node()
        # By itself it keeps a hold of the node until the interpreter has ended, which a process
        # that is ended inside the network does not wait for.
        self._state_machine = None

    def _start(self) -> None:
        self._autostart.cancel()
        if self.trigger_configure() is not SUCCESS or self.trigger_activate() is not SUCCESS:
            raise Stop(0 if ending() else 1)

    def _on_image(self, message: ImageMessage) -> None:
        self._received.tick()
        self._input.tick()
        if odd := self._stamps.note(message.header.stamp):
            self._note_odd(odd)
        if self._tracking is not None:
            self._tracking.offer(message)

    def _note_odd(self, words: str) -> None:
        if self._faults.note(words):
            self.get_logger().warning(
                f'{words}: tracked all the same (further ones are counted in /diagnostics)'
            )

    def _change_method(self, config: LazyConfig) -> None:
        self._lazy = config
        if self._tracking is not None:
            self._tracking.configure(config)

    def _change_node(self, config: NodeConfig) -> None:
        self._config = config
        self._input.stale_after = config.stale_after

    def _unsubscribe(self) -> None:
        if self._images is not None:
            self.destroy_subscription(self._images)
            self._images = None
        if self._tracking is not None:
            self._tracking.worker.forget_frames()

    def _free(self, timeout: float | None) -> None:
        self._unsubscribe()
        if self._tracking is not None:
            self._ended = self._tracking.close(timeout)
            self._tracking = None

    def _report(self) -> None:
        tracking = self._tracking
        health = Health(
            name=self.get_fully_qualified_name().lstrip('/'),
            state=self._state,
            backend=tracking.backend_name if tracking else '',
            refiner=tracking.refiner_name if tracking else '',
            device=tracking.device_name if tracking else '',
            device_memory=device_memory(tracking.device_name) if tracking else None,
            received=self._received,
            freshness=self._input.look(),
            odd_stamps=self._stamps.look(),
            rivals=self._rivals.look(self._images),
            processed=self._processed,
            dropped=tracking.worker.dropped if tracking else 0,
            latency=tracking.outputs.latency if tracking else Latency(),
            session=tracking.session.state if tracking else SessionState(),
            buffer_bytes=tracking.buffer.nbytes if tracking else 0,
            operator_present=tracking is not None and tracking.desk.operator_present,
            faults=self._faults,
            lazy=self._lazy,
        )
        now = self.get_clock().now().to_msg()
        self._diagnostics.publish(array(report(health), now))


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Let a transition that the state does not allow be refused.

    rclpy raises instead, so that the caller would wait for an answer for ever.
    """
    service = node._service_change_state
    change = service.callback

    def guarded(
        request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        try:
            return change(request, response)
        except RuntimeError as error:
            node.get_logger().warning(f'transition {request.transition.id} refused: {error}')
            response.success = False
            return response

    service.callback = guarded


def method_defaults(config: NodeConfig) -> tuple[LazyConfig, XMemConfig]:
    """Return the settings that suit the profile and the weights."""
    profile = PROFILES[config.profile]
    try:
        entry = tracker_entry(config.weights)
    except (ValueError, RuntimeError):
        return profile, XMemConfig()  # configuring will tell what is wrong with the weights
    return replace(profile, **entry.thresholds), XMemConfig(**entry.settings)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal comes."""
    return run(TrackerNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
