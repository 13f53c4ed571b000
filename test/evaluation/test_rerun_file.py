import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recordings import usual_messages

from lazy_vos_ros.evaluation.bags import read_run
from lazy_vos_ros.evaluation.evaluated_run import EvaluatedRun
from lazy_vos_ros.evaluation.rerun_file import write_rerun
from lazy_vos_ros.evaluation.runs import config_of
from lazy_vos_ros.evaluation.summary import summarise


@pytest.fixture
def run(write_bag: Callable[..., Path]) -> EvaluatedRun:
    recorded = read_run(write_bag(usual_messages()))
    return EvaluatedRun('bag', recorded, config_of(recorded), summarise(recorded))


def test_missing_sdk_is_a_clear_error(run: EvaluatedRun, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'rerun', None)
    with pytest.raises(RuntimeError, match=r'no Rerun SDK .* pip install rerun-sdk==0\.23\.1'):
        write_rerun(run, tmp_path / 'run.rrd')
    assert not (tmp_path / 'run.rrd').exists()


def read(recording: Any, entity: str, component: str) -> list[Any]:
    table = recording.view(index='stream', contents=entity).select().read_all()
    (name,) = (name for name in table.column_names if name.endswith(f':{component}'))
    return table[name].to_pylist()


@pytest.mark.filterwarnings('error')  # the SDK warns about what it leaves out
def test_file_has_pictures_curves_and_events(run: EvaluatedRun, tmp_path: Path):
    pytest.importorskip('rerun', reason='rerun-sdk, of the extra `rerun`, is not installed')
    from rerun import dataframe

    path = tmp_path / 'folder' / 'run.rrd'
    write_rerun(run, path)
    recording = dataframe.load_recording(path)
    columns = {str(column.entity_path) for column in recording.schema().component_columns()}
    pictures = {f'/camera/{name}' for name in ('image', 'mask', 'objects', 'clicks')}
    assert pictures | {'/entropy', '/S_R/1', '/dS/1', '/events', '/thresholds/tau_u'} <= columns
    assert read(recording, '/S_R/**', 'Scalar') == [[0.25]] * 12
    assert read(recording, '/events', 'Text') == [
        ['object added cup'],
        ['question cup: unsure'],
        ['corrected itself cup'],
        ['answered by a click cup'],
    ]


def test_folder_that_cannot_be_written_is_an_error(run: EvaluatedRun, tmp_path: Path):
    pytest.importorskip('rerun', reason='rerun-sdk, of the extra `rerun`, is not installed')
    with pytest.raises(OSError, match='directory'):
        write_rerun(run, tmp_path)
