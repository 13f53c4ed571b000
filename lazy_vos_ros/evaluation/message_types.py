"""The message types that bags of this package hold, known without ROS."""

import os
from pathlib import Path

from rosbags.typesys import Stores
from rosbags.typesys import get_types_from_msg
from rosbags.typesys import get_typestore
from rosbags.typesys.store import Typestore

PACKAGE = 'lazy_vos_msgs'


def definition_folders() -> list[Path]:
    """Return where definitions of the package's messages may lie, the sources first."""
    sources = Path(__file__).resolve().parents[2] / 'msg' / 'msg'
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    return [sources, *(Path(prefix) / 'share' / PACKAGE / 'msg' for prefix in prefixes if prefix)]


def lazy_vos_typestore() -> Typestore:
    """Return the standard types of ROS 2 and those of this package.

    Raises
    ------
    ValueError
        If the definitions are not found, naming where they were looked for.
    """
    folders = definition_folders()
    for folder in folders:
        definitions = sorted(folder.glob('*.msg'))
        if definitions:
            break
    else:
        raise ValueError(
            f'no definitions of {PACKAGE} in {", ".join(map(str, folders))}; allowed: a sourced '
            'workspace with that package'
        )
    store = get_typestore(Stores.ROS2_JAZZY)
    for path in definitions:
        name = f'{PACKAGE}/msg/{path.stem}'
        store.register(get_types_from_msg(path.read_text(encoding='utf-8'), name))
    return store
