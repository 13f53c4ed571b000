"""What a process of this machine has used so far."""

import os
from dataclasses import dataclass
from pathlib import Path

_MINOR_FAULTS, _USER, _SYSTEM = 7, 11, 12
"""Fields of /proc/PID/stat after the name of the program."""


@dataclass(frozen=True)
class Usage:
    """Since the process began."""

    seconds: float
    """CPU time of all threads."""
    faults: int
    """Pages that it touched for the first time, each of which the system had to clear."""


def usage_of(pid: int) -> Usage:
    """Return what a running process has used; zeros where the system does not tell."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return Usage(0.0, 0)
    fields = text.rpartition(')')[2].split()
    ticks = int(fields[_USER]) + int(fields[_SYSTEM])
    return Usage(ticks / os.sysconf('SC_CLK_TCK'), int(fields[_MINOR_FAULTS]))
