"""Real processes over real DDS, and a node of a test or of a measurement among them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Condition
from threading import Thread
from time import monotonic

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from lazy_vos_ros.nodes.images import bridge
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.qos import RELIABLE

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / 'test' / 'nodes'
"""Nodes that are made for tests."""
DOMAIN = 1 + os.getpid() % 100
PATIENCE = float(os.environ.get('LAZY_VOS_TEST_PATIENCE', '60'))
"""Seconds until something that takes a second has failed to happen: machines may be busy."""
ENVIRONMENT = {
    'ROS_DOMAIN_ID': str(DOMAIN),
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    'FASTRTPS_DEFAULT_PROFILES_FILE': str(ROOT / 'config' / 'fastdds.xml'),
    'ROS_PYTHON_CHECK_FIELDS': '1',
}
"""Keeps to this host and to a domain of this run; large images arrive."""


class LateError(AssertionError):
    """Something that should have happened did not; the message tells what the processes said."""


class Process:
    """A node in a process of its own."""

    def __init__(self, command, log, env):
        self.log = log
        with log.open('w') as output:
            self.popen = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=env, cwd=ROOT
            )

    @property
    def output(self):
        """What it has written so far."""
        return self.log.read_text()

    def stop(self, number=signal.SIGINT, timeout=PATIENCE):
        """Send a signal and return the exit status."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.wait(timeout)

    def wait(self, timeout=PATIENCE):
        """Return the exit status."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise LateError(f'did not end in {timeout} s:\n{self.output}') from None
        assert 'Traceback' not in self.output, self.output
        assert 'terminate called' not in self.output, self.output
        return status


class Graph:
    """The test's own node in a namespace, and the processes that it starts there."""

    def __init__(self, folder, namespace):
        self.folder = folder
        self.namespace = namespace
        self.processes = []
        self.changed = Condition()
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=DOMAIN)
        self.node = rclpy.create_node('test', namespace=namespace, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self._closing = False
        self._thread = Thread(target=self._spin)
        self._thread.start()

    def _spin(self):
        while not self._closing:
            self.executor.spin_once(timeout_sec=0.1)

    def close(self):
        """End everything; each process must end cleanly."""
        try:
            statuses = [process.stop() for process in self.processes]
        finally:
            # An executor that is shut down while it spins spins for ever.
            self._closing = True
            self._thread.join()
            self.executor.shutdown()
            self.node.destroy_node()
            rclpy.shutdown(context=self.context)
        assert set(statuses) <= {0}, [item.output for item in self.processes]

    def start(self, what, *, args=(), **parameters):
        """Start a module, or a script of this folder, with ROS parameters (`__` for a dot)."""
        script = [str(SCRIPTS / what)] if what.endswith('.py') else ['-m', what]
        command = [sys.executable, *script, *args]
        command += ['--ros-args', '-r', f'__ns:={self.namespace}']
        command += ['--params-file', str(self._reliable())]
        for name, value in parameters.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command += ['-p', f'{name.replace("__", ".")}:={text}']
        log = self.folder / f'{len(self.processes)}.log'
        # A sourced ROS, or an overlay, is on the path already.
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get('PYTHONPATH')])])
        env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': path}
        self.processes.append(Process(command, log, env))
        return self.processes[-1]

    def _reliable(self):
        """Write a file that makes every node take images reliably.

        Otherwise a busy machine loses some, and the first one if only its publisher knows of the
        subscriber yet.
        """
        path = self.folder / 'reliable.yaml'
        names = (f'{self.namespace}/image', f'{self.namespace}/image/compressed')
        lines = [f'    qos_overrides.{name}.subscription.reliability: reliable' for name in names]
        path.write_text('\n'.join(['/**:', '  ros__parameters:', *lines, '']))
        return path

    def collect(self, kind, topic, profile=RELIABLE):
        """Return a list that fills with the messages of a topic."""
        found = []

        def add(message):
            with self.changed:
                found.append(message)
                self.changed.notify_all()

        self.node.create_subscription(kind, topic, add, profile)
        return found

    def until(self, condition, what, patience=PATIENCE):
        """Wait until a condition holds."""
        end = monotonic() + patience
        with self.changed:
            while not condition():
                if monotonic() > end:
                    logs = '\n'.join(process.output for process in self.processes)
                    raise LateError(f'timed out waiting until {what}; the processes said:\n{logs}')
                self.changed.wait(0.05)

    def call(self, kind, name, **fields):
        """Call a service and return its response."""
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready, f'{name} is served')
        future = client.call_async(kind.Request(**fields))
        self.until(future.done, f'{name} has answered')
        self.node.destroy_client(client)
        return future.result()

    def call_until_answered(self, kind, name, **fields):
        """Call a service again every few seconds: a killed server is still known for a while.

        The request must do no harm when it comes twice.
        """
        client = self.node.create_client(kind, name)
        calls = []

        def ask():
            if not calls or monotonic() > calls[-1][0] + 3:
                calls.append((monotonic(), client.call_async(kind.Request(**fields))))
            return any(future.done() for _, future in calls)

        self.until(ask, f'{name} has answered')
        response = next(future.result() for _, future in calls if future.done())
        self.node.destroy_client(client)
        return response


class Camera:
    """Publishes images of a moving square, one at a time, a tenth of a second apart."""

    def __init__(self, graph, compressed=False):
        self.graph = graph
        self.compressed = compressed
        self.size = (96, 128)
        self.count = 0
        self.topic = 'image/compressed' if compressed else 'image'
        kind = CompressedImage if compressed else Image
        self.publisher = graph.node.create_publisher(kind, self.topic, RELIABLE)

    def connect(self):
        """Wait for a subscriber."""
        self.graph.until(self.publisher.get_subscription_count, f'{self.topic} has a subscriber')

    def picture(self):
        """Return the pixels of the image published last."""
        height, width = self.size
        image = np.random.default_rng(1).integers(0, 90, (height, width, 3), np.uint8)
        left = 16 + self.count % 16
        image[height // 4 : height // 2, left : left + width // 4] += 150
        return image

    def mask(self):
        """Return where the square is in the image published last."""
        return self.picture()[..., 0] > 120

    def publish(self, **changes):
        """Publish the next image, with fields changed, and return it."""
        self.count += 1
        stamp = Time(sec=1000 + self.count // 10, nanosec=self.count % 10 * 100_000_000 + 7)
        header = Header(stamp=stamp, frame_id='lens')
        if self.compressed:
            message = bridge().cv2_to_compressed_imgmsg(self.picture()[..., ::-1], 'png')
            message.header = header
        else:
            message = image_message(self.picture(), 'rgb8', header)
        for name, value in changes.items():
            setattr(message, name, value)
        self.publisher.publish(message)
        return message
