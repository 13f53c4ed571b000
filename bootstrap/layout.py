"""Where the set-up puts things."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folders of one environment: ROS from wheels, or on top of a sourced ROS.

    Each has its own virtual environment, so that a shell with ROS sourced and one without do
    not undo each other's work.
    """

    root: Path
    ros_distro: str | None = None  # of the sourced ROS; None: ROS from wheels

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ('.venv' if self.ros_distro is None else f'.venv-{self.ros_distro}')

    @property
    def python(self) -> Path:
        """The virtual environment's interpreter."""
        return self.venv / 'bin' / 'python'

    @property
    def state(self) -> Path:
        """Lock, stamps, logs and build folder of this environment."""
        return self.root / '.setup' / self.venv.name.lstrip('.')

    @property
    def stamps(self) -> Path:
        """One small file for each finished step."""
        return self.state / 'stamps'

    @property
    def logs(self) -> Path:
        """One log for each step."""
        return self.state / 'log'

    @property
    def requirements(self) -> Path:
        """The locked dependencies."""
        return self.root / 'requirements'

    @property
    def interfaces(self) -> Path:
        """The source of lazy_vos_msgs."""
        return self.root / 'msg'
