"""Everything at once under a multi-threaded executor whose callbacks are delayed at random.

Images, questions with answers of a hasty operator, services, parameters, saves and loads come from
several threads. Every call must get its response and every question its end; then the node must
shut down within two seconds.

Example: ``python -m benchmarks.concurrency --seconds 60 --seeds 5``
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from threading import Thread
from time import monotonic
from time import sleep
from typing import Any
from weakref import WeakSet

import numpy as np
import rclpy
import torch
from lazy_vos_msgs.msg import Click
from lazy_vos_msgs.msg import CorrectionEvent
from lazy_vos_msgs.srv import AddObject
from lazy_vos_msgs.srv import Correct
from lazy_vos_msgs.srv import PreviewCorrection
from lazy_vos_msgs.srv import RemoveObject
from lazy_vos_msgs.srv import RequestCorrection
from rcl_interfaces.srv import SetParameters
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy
from rclpy.qos import QoSProfile
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from benchmarks.fuzz_tracker import MoodyRefiner
from benchmarks.fuzz_tracker import small_weights
from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.build import make_backend
from lazy_vos_ros.engine.refiners.base import Refiner
from lazy_vos_ros.engine.xmem.config import XMemConfig
from lazy_vos_ros.nodes.images import image_message
from lazy_vos_ros.nodes.node_config import NodeConfig
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.tracker_node import TrackerNode
from lazy_vos_ros.nodes.waiting import pause

SIZE = (32, 48)
PATIENCE = 30.0
"""Seconds until a response that has not come never will: machines may be busy."""

PATIENT_EVENTS = QoSProfile(
    depth=100_000,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Those of the tracker, for a witness who is delayed and must miss none."""

ENDS = {
    getattr(CorrectionEvent, name)
    for name in ('ANSWERED', 'SKIPPED', 'ABSENT', 'REFUSED', 'EXPIRED')
}
"""Events that end a question."""
ASK = {'trigger': 'level', 'tau_u': 0.0, 'tau_p': 0.0}
"""Ask about every object, as often as questions are answered."""


class DelayingPool(ThreadPoolExecutor):
    """Threads that hesitate at random before each callback.

    rclpy hands a handler that awaits something over again and again until it is done; one that is
    in the queue already is not taken twice, so that the queue does not grow.
    """

    def __init__(self, threads: int, chance: random.Random, longest: float) -> None:
        super().__init__(threads)
        self._chance = chance
        self._longest = longest
        self._lock = Lock()
        self._queued: set[Any] = set()
        self._known: WeakSet[Any] = WeakSet()

    def submit(self, task: Any) -> 'Future[Any]':  # type: ignore[override]
        """Run a task of the executor, the first time after a while."""
        with self._lock:
            again = task in self._known
            if task in self._queued:
                sleep(0.001)
                return Future()
            self._queued.add(task)
            self._known.add(task)
        hesitation = 0.001 if again else self._chance.random() ** 3 * self._longest

        def late() -> Any:
            sleep(hesitation)
            with self._lock:
                self._queued.discard(task)
            return task()

        return super().submit(late)


class DelayingExecutor(MultiThreadedExecutor):
    """A multi-threaded executor whose callbacks are delayed at random."""

    def __init__(self, threads: int, chance: random.Random, **options: Any) -> None:
        super().__init__(threads, **options)
        self._executor = DelayingPool(threads, chance, longest=0.02)

    def end(self) -> list[Exception]:
        """Let the callbacks that are under way finish; return what they raised.

        To be called when nobody spins any more. By itself the executor does not wait for them,
        and takes away what they still use.
        """
        self._executor.shutdown()
        self.shutdown()
        return [task.exception() for task in self._futures if task.exception() is not None]


class World(Node):
    """A camera, an operator and a witness."""

    def __init__(self, chance: random.Random, **options: Any) -> None:
        super().__init__('world', **options)
        self._chance = chance
        group = ReentrantCallbackGroup()
        self._images = self.create_publisher(Image, 'image', RELIABLE)
        self.create_timer(0.02, self._shoot, callback_group=group)
        self.create_service(
            RequestCorrection, 'request_correction', self._answer, callback_group=group
        )
        self.create_subscription(
            CorrectionEvent, 'lazy_vos/correction_event', self._on_event, PATIENT_EVENTS
        )
        self.create_subscription(Image, 'lazy_vos/mask', self._on_mask, RELIABLE)
        self.asked: set[str] = set()
        self.ended: dict[str, int] = {}
        """Kind of the last event that ended a question, by request."""
        self.kinds: Counter[int] = Counter()
        self.shot = self.masks = 0

    def _shoot(self) -> None:
        pixels = np.random.default_rng(self.shot % 7).integers(0, 255, (*SIZE, 3), np.uint8)
        self.shot += 1
        stamp = self.get_clock().now().to_msg()
        self._images.publish(image_message(pixels, 'rgb8', Header(stamp=stamp)))

    async def _answer(
        self, request: RequestCorrection.Request, response: RequestCorrection.Response
    ) -> RequestCorrection.Response:
        self.asked.add(request.request_id)
        await pause(self, self._chance.choice((0.0, 0.0, 0.01, 0.1)))
        response.answer = self._chance.choice((response.CLICK, response.SKIP, response.ABSENT, 77))
        if response.answer == response.CLICK:
            response.clicks = [a_click(self._chance)]
        return response

    def _on_event(self, event: CorrectionEvent) -> None:
        self.kinds[event.kind] += 1
        if event.request_id and event.kind in ENDS:
            self.ended[event.request_id] = event.kind

    def _on_mask(self, _: Image) -> None:
        self.masks += 1


def a_click(chance: random.Random) -> Click:
    """Return a click, now and then beside the image."""
    return Click(x=chance.uniform(-3, SIZE[1]), y=chance.uniform(-3, SIZE[0]), positive=True)


class Callers:
    """Calls the tracker's services and sets its parameters from several threads."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self.answered: Counter[str] = Counter()
        self.unanswered: list[str] = []
        names = {
            'add_object': AddObject,
            'remove_object': RemoveObject,
            'correct': Correct,
            'preview': PreviewCorrection,
            'save_state': Trigger,
            'load_state': Trigger,
            'reset': Trigger,
            'set_parameters': SetParameters,
        }
        self._clients = {
            name: world.create_client(kind, f'lazy_vos/{name}') for name, kind in names.items()
        }

    def wait(self) -> None:
        """Wait until all services are there."""
        for client in self._clients.values():
            if not client.wait_for_service(PATIENCE):
                raise RuntimeError(f'{client.srv_name} is not served')

    def call(self, name: str, **fields: Any) -> Any:
        """Call one service; None if no response came."""
        client = self._clients[name]
        future = client.call_async(client.srv_type.Request(**fields))
        end = monotonic() + PATIENCE
        while not future.done():
            if monotonic() > end:
                self.unanswered.append(name)
                return None
            sleep(0.001)
        self.answered[name] += 1
        return future.result()

    def set(self, **values: Any) -> None:
        """Set parameters."""
        given = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        self.call('set_parameters', parameters=given)

    def run(self, end: float) -> None:
        """Call this and that until a time."""
        while monotonic() < end:
            self._one()

    def _one(self) -> None:
        chance = self._chance
        number = chance.randint(1, 6)
        clicks = [a_click(chance)]
        kind = chance.choice(
            ('add', 'add', 'remove', 'correct', 'preview', 'file', 'set', 'reset')
        )
        if kind == 'add':
            self.call('add_object', clicks=clicks)
        elif kind == 'remove':
            self.call('remove_object', object_id=number)
        elif kind == 'correct':
            self.call('correct', object_id=number, answer=0, clicks=clicks)
        elif kind == 'preview':
            request = chance.choice([*tuple(self._world.asked), 'unknown'])
            self.call('preview', request_id=request, clicks=clicks)
        elif kind == 'file':
            self.call(chance.choice(('save_state', 'save_state', 'load_state')))
        elif kind == 'set':
            self.set(late=chance.choice(('memory', 'replay')), spare_absent=chance.random() < 0.5)
        elif number == 1:
            self.call('reset')


def small_networks(
    weights: Path, config: NodeConfig, settings: XMemConfig
) -> tuple[Backend, Refiner]:
    """Return a small tracker and a refiner with moods."""
    backend = make_backend(str(weights), device='cpu', settings=XMemConfig(size=-1, mem_every=3))
    return backend, MoodyRefiner()


def stress(folder: Path, seconds: float, seed: int, threads: int = 3) -> dict[str, Any]:
    """Let everything come at once for some seconds; tell what came of it."""
    chance = random.Random(seed)
    torch.set_num_threads(1)
    context = rclpy.Context()
    rclpy.init(context=context, args=['--ros-args', '--log-level', 'fatal'])
    overrides = {**ASK, 'state_file': str(folder / f'state_{seed}.safetensors')}
    tracker = TrackerNode(
        make_networks=partial(small_networks, small_weights(folder)),
        context=context,
        namespace=f'/stress_{seed}',
        parameter_overrides=[Parameter(name, value=value) for name, value in overrides.items()],
    )
    world = World(random.Random(seed + 1), context=context, namespace=f'/stress_{seed}')
    executor = DelayingExecutor(4, random.Random(seed + 2), context=context)
    for node in (tracker, world):
        executor.add_node(node)
    failures: list[str] = []
    ending = False

    def spin() -> None:
        while not ending:
            try:
                executor.spin_once(0.05)
            except Exception as error:
                failures.append(f'{type(error).__name__}: {error}')

    spinner = Thread(target=spin)
    spinner.start()
    callers = Callers(world, chance)
    callers.wait()
    _until(lambda: world.masks > 0, PATIENCE)
    mask = image_message(np.eye(*SIZE, dtype=np.uint8), 'mono8', Header())
    callers.call('add_object', mask=mask)
    end = monotonic() + seconds
    people = [Thread(target=callers.run, args=(end,)) for _ in range(threads)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    _until(lambda: bool(world.asked), PATIENCE)
    # Nothing more is asked; what is open is closed by its answer, or by the reset.
    callers.set(tau_u=float('inf'))
    _until(lambda: world.asked <= world.ended.keys(), 3.0)
    callers.call('reset')
    masks = world.masks
    _until(lambda: world.asked <= world.ended.keys() and world.masks > masks, PATIENCE)
    flowing = world.masks > masks
    start = monotonic()
    ended = tracker.close()
    shutdown = monotonic() - start
    ending = True
    spinner.join()
    failures += [f'{type(error).__name__}: {error}' for error in executor.end()]
    for node in (tracker, world):
        node.destroy_node()
    rclpy.shutdown(context=context)
    return {
        'calls': callers.answered.total(),
        'unanswered': callers.unanswered,
        'questions': len(world.asked),
        'without end': sorted(world.asked - world.ended.keys()),
        'ends': dict(Counter(world.ended.values())),
        'images': world.shot,
        'masks': world.masks,
        'flowing': flowing,
        'failures': failures,
        'ended': ended,
        'shutdown': round(shutdown, 2),
    }


def _until(condition: Callable[[], bool], patience: float) -> None:
    end = monotonic() + patience
    while not condition() and monotonic() < end:
        sleep(0.01)


def main() -> int:
    """Stress with several seeds; 1 if something was lost or stood still."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=30.0)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args()
    broken = False
    with tempfile.TemporaryDirectory(prefix='lazy_vos_stress_') as folder:
        for seed in range(args.seeds):
            found = stress(Path(folder), args.seconds, seed)
            print(found, flush=True)
            broken |= bool(found['unanswered'] or found['without end'] or found['failures'])
            broken |= not (found['flowing'] and found['ended']) or found['shutdown'] > 2.0
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
