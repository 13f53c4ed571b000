"""Settings of the operator node."""

from dataclasses import dataclass

from lazy_vos_ros.engine.parameters import check_parameters
from lazy_vos_ros.engine.parameters import parameter

UNASKED = ('ignore', 'correct', 'start', 'gone', 'remove')
"""What a click does while there is no question."""


@dataclass(frozen=True)
class OperatorSettings:
    """Parameters of `lazy_vos_operator`.

    Raises
    ------
    ValueError
        At construction, naming the field, its value and what is allowed.
    """

    trackers: tuple[str, ...] = parameter(
        ('lazy_vos',),
        "Nodes whose questions are served; a relative name is in this node's namespace. Others "
        'that ask are served from their first question on.',
        dynamic=False,
    )
    confirm_after: float = parameter(
        2.0,
        'Seconds for which an answer shows its refined mask and may be undone before it is sent; '
        '0: sent at once; .inf: only when confirmed.',
        low=0.0,
    )
    unasked_clicks: str = parameter(
        'ignore',
        'What a click does while there is no question: nothing; correct the object nearest to '
        'it; start a new object; say that the object under it is gone; stop tracking that one.',
        choices=UNASKED,
    )
    here_mouse_topic: str = parameter(
        '~/question_mouse_left',
        'Clicks of rqt_image_view on ~/question (geometry_msgs/Point): the object is here.',
        dynamic=False,
    )
    not_here_mouse_topic: str = parameter(
        '',
        'The same of a second rqt_image_view: the object is not here; empty: none.',
        dynamic=False,
    )

    def __post_init__(self) -> None:
        """Check every field."""
        check_parameters(self)
        if not all(self.trackers):
            raise ValueError(f'trackers is {list(self.trackers)}; allowed: names of nodes')
