"""What /diagnostics says about the tracker, once a second."""

import platform
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray
from diagnostic_msgs.msg import DiagnosticStatus
from diagnostic_msgs.msg import KeyValue

from lazy_vos_ros.engine.config import LazyConfig
from lazy_vos_ros.engine.device_memory import DeviceMemory
from lazy_vos_ros.engine.results import ObjectState
from lazy_vos_ros.nodes.input_watch import Freshness
from lazy_vos_ros.nodes.measures import Faults
from lazy_vos_ros.nodes.measures import Latency
from lazy_vos_ros.nodes.measures import Rate
from lazy_vos_ros.nodes.session import SessionState

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
THRESHOLDS = (
    'trigger',
    'user_corrections',
    'tau_u',
    'pseudo_corrections',
    'tau_p',
    'tau_m',
    'question_timeout',
    'question_cooldown',
    'questions_per_minute',
)
"""Settings that a recording must tell, so that its questions can be understood."""
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Health:
    """Everything that a report is made of."""

    name: str
    """Of the node, with its namespace."""
    state: str
    """Of the lifecycle: unconfigured, inactive, active, finalized."""
    backend: str
    """Network and weights in words; empty before they are loaded."""
    refiner: str
    device: str
    device_memory: DeviceMemory | None
    """None on a CPU."""
    received: Rate
    freshness: Freshness
    """Of the images."""
    odd_stamps: str
    """What is odd about their stamps, in words; empty: nothing."""
    rivals: tuple[str, ...]
    """The nodes that publish the images, where there are several."""
    processed: Rate
    dropped: int
    latency: Latency
    session: SessionState
    buffer_bytes: int
    operator_present: bool
    faults: Faults
    lazy: LazyConfig
    """The thresholds in force."""


def report(health: Health) -> list[DiagnosticStatus]:
    """Return one status of the node, and one of each object."""
    hardware = f'{platform.node()} {health.device}'.strip()
    level, message = judge(health)
    statuses = [
        DiagnosticStatus(
            level=level,
            name=f'{health.name}: tracker',
            message=message,
            hardware_id=hardware,
            values=_pairs(_figures(health)),
        )
    ]
    ages = question_ages(health.session)
    result = health.session.result
    for state in result.objects if result else ():
        statuses.append(_object_status(health.name, state, ages.get(state.object_id), hardware))
    return statuses


def judge(health: Health) -> tuple[bytes, str]:
    """Return the level and a line for people."""
    if health.state != 'active':
        return OK if health.backend else WARN, health.state
    if health.freshness in (Freshness.STALE, Freshness.LOST):
        level = ERROR if health.freshness is Freshness.LOST else WARN
        return level, f'no image for {health.received.age:.1f} s'
    warning = next(_warnings(health), '')
    return (WARN, warning) if warning else (OK, _glance(health))


def _warnings(health: Health) -> Iterator[str]:
    if health.session.first_refused:
        yield f'the first object could not be added: {health.session.first_refused}'
    if health.rivals:
        nodes = ', '.join(health.rivals)
        yield f'{len(health.rivals)} publishers of the images, taken for one stream: {nodes}'
    if health.session.scale < 1:
        yield f'short of accelerator memory: works at {health.session.scale:.0%} of its size'
    if health.odd_stamps:
        yield health.odd_stamps
    if health.session.questions and not health.operator_present:
        yield 'nobody serves request_correction'
    if health.freshness is Freshness.RETURNING:
        yield 'images come again'


def question_ages(session: SessionState) -> dict[int, float]:
    """Return for how many seconds of the stream each object's question is open, by object id."""
    now = session.result.stamp if session.result else 0.0
    return {item.object_id: max(0.0, now - item.stamp) for item in session.questions}


def array(statuses: Iterable[DiagnosticStatus], stamp: object) -> DiagnosticArray:
    """Return the message of these statuses."""
    message = DiagnosticArray(status=list(statuses))
    message.header.stamp = stamp
    return message


def _glance(health: Health) -> str:
    result, ages = health.session.result, question_ages(health.session)
    words = [
        f'{health.processed.per_second:.1f} of {health.received.per_second:.1f} images per second',
        f'{len(result.objects) if result else 0} objects',
    ]
    if ages:
        words.append(f'{len(ages)} open questions, the oldest for {max(ages.values()):.0f} s')
    return ', '.join(words)


def _figures(health: Health) -> dict[str, str]:
    session, result = health.session, health.session.result
    memory = session.memory
    ages = question_ages(session)
    return {
        'state': health.state,
        'weights': health.backend or 'none',
        'refiner': health.refiner or 'none',
        'input rate (1/s)': f'{health.received.per_second:.1f}',
        'processed rate (1/s)': f'{health.processed.per_second:.1f}',
        'images received': f'{health.received.count}',
        'images processed': f'{health.processed.count}',
        'images dropped': f'{health.dropped}',
        'seconds since the last image': f'{health.received.age:.1f}',
        'input': health.freshness.value,
        'publishers of the images': ', '.join(health.rivals) or 'at most one',
        'latency p50 (ms)': f'{1e3 * health.latency.percentile(50):.1f}',
        'latency p95 (ms)': f'{1e3 * health.latency.percentile(95):.1f}',
        'memory elements, working': f'{memory.working if memory else 0}',
        'memory elements, long-term': f'{memory.long_term if memory else 0}',
        'memory elements, capacity': f'{memory.capacity if memory else 0}',
        'memory bytes': f'{memory.nbytes if memory else 0}',
        'image buffer bytes': f'{health.buffer_bytes}',
        **_device_figures(health.device_memory),
        'part of the working size': f'{health.session.scale:g}',
        'objects': f'{len(result.objects) if result else 0}',
        'first object refused': session.first_refused or 'no',
        'mean entropy': f'{float(result.entropy.mean()) if result else 0.0:.4f}',
        'open questions': f'{len(session.questions)}',
        'oldest question (s)': f'{max(ages.values(), default=0.0):.1f}',
        'operator present': 'yes' if health.operator_present else 'no',
        'faults': f'{health.faults.total}',
        **{f'faults: {kind}': f'{count}' for kind, count in health.faults.counts.items()},
        'last fault': health.faults.last,
        **{name: f'{getattr(health.lazy, name)}' for name in THRESHOLDS},
    }


def _device_figures(memory: DeviceMemory | None) -> dict[str, str]:
    if memory is None:
        return {'accelerator memory (MiB)': 'none: the networks run on the CPU'}
    return {
        'accelerator memory, this process (MiB)': f'{memory.used / MEBIBYTE:.0f}',
        'accelerator memory, free (MiB)': f'{memory.free / MEBIBYTE:.0f}',
        'accelerator memory, all (MiB)': f'{memory.total / MEBIBYTE:.0f}',
    }


def _object_status(
    name: str, state: ObjectState, age: float | None, hardware: str
) -> DiagnosticStatus:
    gone = state.absent or state.area == 0
    words = ['not in the image' if gone else f'S_R {state.uncertainty:.2f}']
    if state.question_open:
        words.append('waits for an answer')
    return DiagnosticStatus(
        level=WARN if state.question_open else OK,
        name=f'{name}: object {state.object_id} ({state.label})',
        message=', '.join(words),
        hardware_id=hardware,
        values=_pairs(
            {
                'S_R': f'{state.uncertainty:.4f}',
                'dS': f'{state.derivative:.4f}',
                'area (pixels)': f'{state.area}',
                'absent': 'yes' if state.absent else 'no',
                'action': state.action.value,
                'question open': 'yes' if state.question_open else 'no',
                'question age (s)': '' if age is None else f'{age:.1f}',
            }
        ),
    )


def _pairs(values: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]
