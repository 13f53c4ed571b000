"""`lazy_vos_operator`: shows the trackers' questions and takes a person's clicks."""

import sys
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from lazy_vos_ros.nodes.canvas_view import CanvasView
from lazy_vos_ros.nodes.live_camera import LiveCamera
from lazy_vos_ros.nodes.operator_clicks import OperatorClicks
from lazy_vos_ros.nodes.operator_desk import NotTakenError
from lazy_vos_ros.nodes.operator_desk import OperatorDesk
from lazy_vos_ros.nodes.operator_health import OperatorHealth
from lazy_vos_ros.nodes.operator_settings import UNASKED
from lazy_vos_ros.nodes.operator_settings import OperatorSettings
from lazy_vos_ros.nodes.operator_trackers import OperatorTrackers
from lazy_vos_ros.nodes.parameters import declare
from lazy_vos_ros.nodes.parameters import read
from lazy_vos_ros.nodes.parameters import warn_of_unknown
from lazy_vos_ros.nodes.parameters import watch
from lazy_vos_ros.nodes.qos import RELIABLE
from lazy_vos_ros.nodes.qos import subscription
from lazy_vos_ros.nodes.runtime import run
from lazy_vos_ros.nodes.waiting import steady_timer
from lazy_vos_ros.nodes.web.server import start_web
from lazy_vos_ros.nodes.web.settings import WebSettings

TICK = 0.1
"""Seconds between looks at what is due and what is to be shown."""

LOOK_FOR_TRACKERS = 0.2
"""Seconds between looks at which trackers are there."""

LOOK_FOR_SILENCE = 1.0
"""Seconds between looks at who does not report any more."""


class Operator(Node):
    """One desk for the questions of all trackers, shown in RViz, rqt_image_view and a web page.

    Clicks come from RViz's or Foxglove's Publish Point (`~/here`, `~/not_here`, on the canvas) or
    from rqt_image_view on `~/question`; what the buttons on the canvas do, services do too.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('lazy_vos_operator', **options)
        declare(self, OperatorSettings)
        declare(self, WebSettings, 'web.')
        warn_of_unknown(self)
        self._settings = read(self, OperatorSettings)
        watch(self, lambda: self._settings, self._change)
        self._trackers = OperatorTrackers(self, monotonic)
        self.desk = OperatorDesk(
            self._trackers, confirm_after=self._settings.confirm_after, clock=monotonic
        )
        self._camera = LiveCamera(self.desk)
        self._view = CanvasView(self)
        self._clicks = OperatorClicks(
            self, self.desk, self._camera, lambda: self._settings, self._next_unasked
        )
        for name, act in (
            ('skip', self.desk.skip),
            ('absent', self.desk.absent),
            ('undo', self.desk.undo_last),
            ('confirm', self.desk.confirm),
        ):
            self._serve(name, act)
        self._trackers.serve(self.desk, self._settings.trackers)
        self._health = OperatorHealth(self.desk, monotonic)
        subscription(self, DiagnosticArray, '/diagnostics', self._health.take, RELIABLE)
        steady_timer(self, TICK, self._tick)
        steady_timer(self, LOOK_FOR_TRACKERS, self._trackers.look)
        steady_timer(self, LOOK_FOR_SILENCE, self._health.look)
        web = read(self, WebSettings, 'web.')
        self._web = start_web(self.desk, web, self.get_logger())

    def close(self) -> None:
        """Take the web page away."""
        if self._web is not None:
            self._web.close()

    def _serve(self, name: str, act: Callable[[], None]) -> None:
        def handler(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                act()
            except NotTakenError as error:
                response.message = str(error)
            else:
                response.success = True
            return response

        self.create_service(Trigger, f'~/{name}', handler)

    def _tick(self) -> None:
        self.desk.tick()
        unasked = self._settings.unasked_clicks
        desk = self.desk.snapshot()
        if desk.current is not None or unasked == 'ignore':
            self._camera.forget()
        else:
            self._camera.look()
        self._view.show(desk, self._camera.shown, self._camera.tracker, unasked)

    def _change(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self.desk.set_confirm_after(settings.confirm_after)

    def _next_unasked(self) -> None:
        """Let unasked clicks do the next thing, as if somebody had set the parameter."""
        following = UNASKED[(UNASKED.index(self._settings.unasked_clicks) + 1) % len(UNASKED)]
        self._settings = replace(self._settings, unasked_clicks=following)
        self.set_parameters([Parameter('unasked_clicks', value=following)])  # type: ignore[no-untyped-call]


def main(args: list[str] | None = None) -> int:
    """Run the node until a signal comes."""
    return run(Operator, args)


if __name__ == '__main__':
    sys.exit(main())
