"""Settings of the lazy layer: every threshold and every toggle of the paper's ablation."""

from dataclasses import dataclass
from dataclasses import replace
from math import inf

from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter


@dataclass(frozen=True)
class LazyConfig:
    """Settings of :class:`~lazy_vos_ros.engine.tracker.LazyTracker`; the defaults are `paper`.

    Raises
    ------
    ValueError
        At construction, naming the field, its value and what is allowed.
    """

    tau_u: float = parameter(
        0.5, 'Ask the operator when the derivative of S_R reaches this (Sec. 3.3).', low=0.0
    )
    tau_p: float = parameter(
        0.2, 'Correct with a pseudo-click when the derivative of S_R reaches this.', low=0.0
    )
    tau_m: float = parameter(
        0.8, 'Do not memorise a frame in which an object has S_R above this (UDU).', low=0.0
    )
    uncertainty_driven_update: bool = parameter(
        True, 'UDU: keep frames that are too uncertain out of the memory.'
    )
    pseudo_corrections: bool = parameter(
        True,
        'Correct with a click made from the mask itself when tau_p <= dS < tau_u, and in place of '
        'the operator while an answer is awaited or a person is spared.',
    )
    pseudo_min_overlap: float = parameter(
        0.0,
        'Drop the mask of a pseudo-click whose overlap (IoU) with the predicted mask is less: the '
        'click was on a part, or on something else. 0: never.',
        low=0.0,
        high=1.0,
    )
    pseudo_memory_update: bool = parameter(
        False, 'Pseudo-IDU: memorise frames refined by a pseudo-correction.'
    )
    user_corrections: bool = parameter(True, 'Ask the operator when dS >= tau_u.')
    interaction_driven_update: bool = parameter(
        True, 'IDU: memorise frames refined by an operator correction.'
    )
    trigger: str = parameter(
        'derivative',
        'What is compared with tau_u and tau_p: dS, or S_R itself (Table S2).',
        choices=('derivative', 'level'),
    )
    trigger_strict: bool = parameter(
        False, 'Compare with > as the published code does, instead of >= as the paper says.'
    )
    trigger_warmup: int = parameter(
        1, 'Frames after an object appears in which it triggers nothing.', low=0, high=1000
    )
    masked_entropy: str = parameter(
        'dilated',
        'Area that divides the entropy summed over the dilated mask: that of the dilated mask '
        '(paper) or that of the mask (published code; S_R may then exceed 1).',
        choices=('dilated', 'mask'),
    )
    dilation: str = parameter(
        'ratio',
        'Kernel of the dilation: an odd disc that grows the area by dilation_ratio, the published '
        "code's even kernel, or a disc of radius 1.",
        choices=('ratio', 'code', 'fixed'),
    )
    dilation_ratio: float = parameter(
        0.05, 'Growth of the area of a round mask by the dilation.', low=0.0, high=1.0
    )
    round_entropy: bool = parameter(
        False, 'Round the entropy map to 4 decimals as the published code does.'
    )
    pseudo_click: str = parameter(
        'boundary_distance',
        'Field whose maximum is the pseudo-click: boundary distance times certainty over the '
        'dilated mask (Eq. 6), interior distance times certainty (published code), or interior '
        'distance alone.',
        choices=('boundary_distance', 'interior_distance', 'centre'),
    )
    soft_others: bool = parameter(
        True, 'Keep soft probabilities of objects that a correction does not touch.'
    )
    freeze_clock: bool = parameter(
        True, 'A frame kept out of the memory does not advance the memory clock.'
    )
    deep_update_on_correction: bool = parameter(
        False, 'Refresh the sensory memory when a corrected frame is memorised.'
    )
    max_questions: int = parameter(
        16, 'Open questions kept over all objects; each holds one frozen frame.', low=1, high=256
    )
    question_timeout: float = parameter(
        inf, 'Seconds of stream time after which an open question expires.', low=0.1
    )
    question_cooldown: float = parameter(
        0.0, 'Seconds after a question during which the same object asks none.', low=0.0
    )
    questions_per_minute: float = parameter(
        inf, 'Most questions per minute of stream time over all objects.', low=0.0
    )
    rearm_ratio: float = parameter(
        inf,
        'After a question the same object asks none until S_R has been at most this part of S_R '
        'at the question, for recovered_frames frames in a row; inf: at once.',
        low=0.0,
    )
    spare_absent: bool = parameter(
        False,
        'Ask nothing about an object that is absent (mask empty or collapsed, or said to be '
        'gone) until it has recovered, and make no pseudo-clicks for it.',
    )
    lost_area_ratio: float = parameter(
        0.0,
        'An object is lost, and the operator is asked once whether it is gone, when its mask '
        'shrinks to this part of its usual area within lost_frames frames without leaving '
        'through the border of the image; 0: never.',
        low=0.0,
        high=1.0,
    )
    lost_frames: int = parameter(
        10, 'Frames of which the usual area of an object is the median.', low=1, high=1000
    )
    recovered_area_ratio: float = parameter(
        0.25,
        'An object that was lost or said to be gone recovers when its mask has at least this '
        'part of its usual area and S_R <= tau_m, for recovered_frames frames in a row.',
        low=0.0,
        high=1.0,
    )
    recovered_frames: int = parameter(
        3, 'Frames in a row that make an object recovered.', low=1, high=1000
    )
    late: str = parameter(
        'memory',
        'What an answer does that comes after its frame: it enters the memory with that frame, '
        'or beside that all frames since then are tracked again from it while the camera goes on.',
        choices=('memory', 'replay'),
    )
    undo_seconds: float = parameter(
        0.0,
        'Seconds of stream time for which a correction can be undone; the frames since are kept '
        'and tracked again without it. 0: not at all.',
        low=0.0,
        high=600.0,
    )
    replay_seconds: float = parameter(
        5.0,
        'Seconds within which a replay must catch up with the camera; one that cannot is given '
        'up, and the answer acts through the memory alone (an undone one stays).',
        low=0.0,
    )
    replay_frames: int = parameter(
        600,
        'Most frames kept for a replay, from the oldest open question or undoable correction on.',
        low=1,
        high=100000,
    )
    replay_megabytes: int = parameter(
        1024,
        'Most memory for these frames and for what the tracker knew at the questions.',
        low=0,
        high=1000000,
    )

    def __post_init__(self) -> None:
        """Check every field and the order of the thresholds."""
        check_parameters(self)
        if self.tau_p > self.tau_u:
            raise ValueError(
                f'tau_p is {self.tau_p:g} and tau_u is {self.tau_u:g}; allowed: tau_p <= tau_u'
            )


PROFILES: dict[str, LazyConfig] = {
    'paper': LazyConfig(),
    'code': replace(
        LazyConfig(),
        trigger_strict=True,
        masked_entropy='mask',
        dilation='code',
        round_entropy=True,
        pseudo_click='interior_distance',
        soft_others=False,
    ),
    'live': replace(
        LazyConfig(),
        question_timeout=60.0,
        question_cooldown=5.0,
        questions_per_minute=6.0,
        rearm_ratio=0.5,
        spare_absent=True,
        lost_area_ratio=0.1,
        undo_seconds=10.0,
        pseudo_min_overlap=0.85,
    ),
}
"""The published definitions, the published code where that makes sense, and the published
definitions with every rule that spares a person who watches a live camera, and undo."""
