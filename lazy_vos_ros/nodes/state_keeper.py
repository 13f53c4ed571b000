"""The file in which a tracker's state outlives its process."""

from pathlib import Path

from lazy_vos_ros.engine.backend import Backend
from lazy_vos_ros.engine.results import CorrectionEvent
from lazy_vos_ros.engine.state_file import load_state
from lazy_vos_ros.engine.state_file import save_state
from lazy_vos_ros.engine.tracker import LazyTracker


class StateKeeper:
    """Saves a tracker and brings it back; used by the worker's thread.

    The path is the node's own: who may call its services cannot choose what is written where.

    Parameters
    ----------
    tracker, backend
        Whose state it is.
    path
        The file; empty: nothing is kept.
    """

    def __init__(self, tracker: LazyTracker, backend: Backend, path: str) -> None:
        self._tracker = tracker
        self._backend = backend
        self._path = Path(path).expanduser() if path else None

    @property
    def there(self) -> bool:
        """Whether there is a file to load."""
        return self._path is not None and self._path.is_file()

    def save(self) -> str:
        """Write the file; return what was saved, in words.

        Raises
        ------
        ValueError
            If no file is named, it cannot be written, or this tracker cannot be saved.
        """
        path = self._named()
        try:
            save_state(self._tracker, self._backend, path)
        except OSError as error:
            raise ValueError(f'the state cannot be saved: {error}') from error
        return f'{self._objects()} saved in {path}'

    def load(self) -> tuple[str, tuple[CorrectionEvent, ...]]:
        """Go on from the file; return what was loaded, in words, and the events of the end.

        Raises
        ------
        ValueError
            If no file is named, or it is not there, damaged or of another tracker; nothing has
            changed then.
        """
        path = self._named()
        try:
            events = load_state(self._tracker, self._backend, path)
        except OSError as error:
            raise ValueError(f'the state cannot be loaded: {error}') from error
        return f'{self._objects()} loaded from {path}', events

    def _named(self) -> Path:
        if self._path is None:
            raise ValueError('state_file is empty; allowed: a file, named when the node starts')
        return self._path

    def _objects(self) -> str:
        ids = ', '.join(map(str, self._tracker.object_ids))
        return f'objects {ids}' if ids else 'no objects'
