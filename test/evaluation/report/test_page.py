import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlparse

import cv2
import pytest
from evaluated import HOSTILE
from evaluated import Drawn
from evaluated import asked
from evaluated import broken_values
from evaluated import evaluated
from evaluated import event
from evaluated import frame
from evaluated import run_of
from evaluated import state
from evaluated import usual
from evaluated import with_truth

from lazy_vos_ros.engine.results import EventKind
from lazy_vos_ros.evaluation.report import page
from lazy_vos_ros.evaluation.report import write_report
from lazy_vos_ros.evaluation.runs import Diagnosis

VOID = {'meta', 'img', 'br', 'hr', 'link', 'input'}


class Reader(HTMLParser):
    """What a browser would see: elements, their attributes, the text; and whether all close."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ''
        self.raw = ''
        self.data: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding='utf-8'))
        self.close()
        assert self._open == [], 'every element is closed'

    def handle_starttag(self, tag: str, attrs) -> None:
        self.elements.append((tag, {name: value or '' for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs) -> None:
        self.elements.append((tag, {name: value or '' for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ['script'] and self.elements[-1][1]:
            self.data.append(data)
        elif self._open[-1:] in (['script'], ['style']):
            self.raw += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def drawn_timeline():
    """Ask for the real PNG of the timeline."""


@pytest.fixture(autouse=True)
def _quick_figures(request, monkeypatch):
    """Leave out the PNG of the timeline, which takes seconds, where nobody looks at it."""
    if 'drawn_timeline' not in request.fixturenames:
        monkeypatch.setattr(page, 'write_timeline', lambda run, path, objects: path.touch())


def read(runs, out: Path) -> Reader:
    return Reader(write_report(runs, out))


def test_no_run_and_equal_names_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match='at least one'):
        write_report([], tmp_path / 'x')
    with pytest.raises(ValueError, match='a name of its own'):
        write_report([usual(), usual()], tmp_path / 'x')
    assert not (tmp_path / 'x').exists()


def test_text_of_a_bag_is_never_markup(tmp_path: Path):
    frames = [frame(i, state(label=HOSTILE)) for i in range(12)]
    events = [*asked(4, reason=HOSTILE), event(EventKind.PSEUDO, 5, reason=HOSTILE)]
    run = run_of(
        frames,
        events,
        name=HOSTILE,
        notes=(HOSTILE,),
        settings={HOSTILE: HOSTILE, 'weights': HOSTILE},
        diagnoses=(Diagnosis(0.0, 'warn', HOSTILE, HOSTILE),),
    )
    hostile = evaluated(run, name=HOSTILE, about={HOSTILE: HOSTILE})
    seen = read([hostile, replace(hostile, name=f'{HOSTILE} 2')], tmp_path)
    assert seen.text.count(HOSTILE) >= 16
    scripts = seen.all('script')
    assert [s for s in scripts if s.get('type') != 'application/json'] == [{}], 'only our own'
    assert 'alert' not in seen.raw
    assert all('<' not in values for values in seen.data)
    assert all(image['src'].startswith('data:image/jpeg;base64,') for image in seen.all('img'))
    assert not [name for _, a in seen.elements for name in a if name.startswith('on')]
    assert {path.parent for path in tmp_path.rglob('*.png')} == {tmp_path / 'figures'}


def test_page_loads_nothing(tmp_path: Path):
    seen = read([with_truth(usual()), usual('tuesday')], tmp_path)
    assert not seen.all('link')
    for tag, attributes in seen.elements:
        for name in ('src', 'href', 'srcset', 'action', 'poster', 'data', 'xlink:href'):
            value = attributes.get(name, '')
            assert value.startswith(('#', 'data:')) or not value, (tag, name, value)
            assert not urlparse(value).netloc
    assert '@import' not in seen.raw
    assert 'http' not in seen.raw
    assert set(seen.raw.split('url(')[1:]) <= {s for s in seen.raw.split('url(') if s[0] == '#'}


def test_policy_lets_only_the_own_script_and_style_run(tmp_path: Path):
    seen = read([usual()], tmp_path)
    (policy,) = (m['content'] for m in seen.all('meta') if 'http-equiv' in m)
    assert policy.startswith("default-src 'none'; img-src data:;")
    folder = Path(page.__file__).parent / 'templates'
    for name in ('report.css', 'report.js'):
        assert page._digest((folder / name).read_text()) in policy
    assert 'unsafe' not in policy
    assert not [a for _, a in seen.elements if 'style' in a], 'the policy forbids them'


def test_links_lead_somewhere_and_ids_are_unique(tmp_path: Path):
    seen = read([usual(), usual('tuesday')], tmp_path)
    ids = [attributes['id'] for _, attributes in seen.elements if 'id' in attributes]
    assert len(set(ids)) == len(ids)
    targets = [a['href'][1:] for a in seen.all('a')]
    assert 'run-1-question-1' in targets, 'the mark of a question leads to its pictures'
    assert set(targets) <= set(ids)


def test_page_has_what_a_reader_looks_for(tmp_path: Path):
    seen = read([with_truth(usual())], tmp_path)
    for text in (
        'In 3.8 s of video the tracker followed 1 object, asked the operator once and corrected '
        'itself once.',
        'Question 1: cup, 0.8 s, frame 4',
        'Answered by a click after 0.6 s.',
        'Click: here at (6, 8).',
        'Frame 4, as the tracker corrected it itself.',
        'First mask with the answer: frame 8, 0.8 s later.',
        'tiny (random)',
        'True masks: masks/.',
        'Nothing: all that this report needs was recorded',
    ):
        assert text in seen.text, text
    drawings = [a for a in seen.all('svg') if 'timeline' in a.get('class', '')]
    assert [a['class'] for a in drawings] == ['timeline wide', 'timeline narrow']
    assert 'cup: uncertainty from 0.25 to 0.25; 1 question' in drawings[0]['aria-label']
    pictures = seen.all('img')
    assert len(pictures) == 4
    assert all(picture['alt'] and picture['width'] for picture in pictures)


def test_figures_are_pictures(tmp_path: Path, drawn_timeline):
    write_report(
        [with_truth(evaluated(replace(usual().run, name='$\\frac{'), name='a/b $x'))], tmp_path
    )
    figures = sorted((tmp_path / 'figures').iterdir())
    assert [p.name for p in figures] == ['1-a-b-x-questions.png', '1-a-b-x-timeline.png']
    assert all(cv2.imread(str(path)).std() > 10 for path in figures)


@pytest.mark.parametrize('events', [0, 300])
def test_size_is_bounded_whatever_the_length(tmp_path: Path, events: int):
    frames = [frame(i, state(uncertainty=i % 7 / 7)) for i in range(4000)]
    questions = [item for i in range(events) for item in asked(4 + 10 * i)]
    pictures = Drawn()
    run = evaluated(run_of(frames, questions, pictures=pictures))
    path = write_report([run], tmp_path)
    seen = Reader(path)
    assert path.stat().st_size < 700_000
    assert len(seen.all('img')) == 4 * min(events, page.PICTURED)
    if events:
        assert '24 of 300 questions, evenly spread, are pictured' in seen.text
        assert '100 questions more; the bag has all.' in seen.text
        assert 'Question 1:' in seen.text
        assert 'Question 300:' in seen.text
        assert len(set(pictures.asked)) <= 2 * page.PICTURED


def test_many_objects_have_a_row_but_not_all_a_timeline(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(page, 'TIMELINES', 2)
    states = [state(number, f'cup {number}') for number in range(1, 6)]
    seen = read([evaluated(run_of([frame(i, *states) for i in range(3)], []))], tmp_path)
    assert len([a for a in seen.all('figure') if a.get('class') == 'chart']) == 2
    assert 'Timelines of 3 more objects are not shown' in seen.text
    assert '5 cup 5' in seen.text


@pytest.mark.parametrize('missing', [('image',), ('labels',), ('entropy',), ('image', 'labels')])
def test_pictures_that_were_not_recorded_are_told(tmp_path: Path, missing):
    run = usual(pictures=Drawn(*missing), notes=('/lazy_vos/mask was not recorded',))
    seen = read([run], tmp_path)
    assert 'not recorded' in seen.text
    assert 'Not everything was recorded or could be compared' in seen.text
    assert '/lazy_vos/mask was not recorded' in seen.text
    assert 0 < len(seen.all('img')) < 4


def test_without_any_picture_the_rest_is_there(tmp_path: Path):
    for pictures in (None, Drawn('image', 'labels', 'entropy')):
        seen = read([usual(pictures=pictures)], tmp_path)
        assert not seen.all('img')
        assert '1 question without pictures' in seen.text
        assert [a for a in seen.all('svg') if 'timeline' in a.get('class', '')]


def test_run_without_objects_or_length(tmp_path: Path):
    nothing = replace(frame(0), objects=())
    seen = read([evaluated(run_of([nothing], []))], tmp_path)
    assert 'No object was tracked.' in seen.text
    assert 'nobody was disturbed' in seen.text
    assert 'no object' in seen.text
    seen = read([evaluated(run_of([frame(0)], []), name='one frame')], tmp_path)
    assert len([a for a in seen.all('svg') if 'timeline' in a.get('class', '')]) == 2


def test_numbers_that_are_not_finite_are_dashes(tmp_path: Path):
    seen = read([broken_values()], tmp_path)
    assert 'Uncertainty –, change –.' in seen.text
    paths = ' '.join(a.get('d', '') for a in seen.all('path'))
    assert not re.search(r'\b(nan|inf|infinity)\b', seen.text + paths, re.IGNORECASE)
    (values,) = seen.data
    assert json.loads(values, parse_constant=pytest.fail)['s'][:3] == [None, 0.25, 0.25]


def test_question_without_a_useful_answer(tmp_path: Path):
    frames = [frame(i) for i in range(30)]
    events = [
        *asked(2, kind=EventKind.SKIPPED),
        *asked(8, kind=EventKind.EXPIRED, reason='no answer for 1 s'),
        *asked(14, kind=EventKind.ABSENT),
        event(EventKind.ASKED, 25, name='open'),
    ]
    seen = read([evaluated(run_of(frames, events))], tmp_path)
    assert 'Skipped after 0.6 s.' in seen.text
    assert 'Expired after 0.6 s: no answer for 1 s.' in seen.text
    assert 'Answered “not there” after 0.6 s.' in seen.text
    assert 'Open at the end of the recording.' in seen.text
    assert seen.text.count('Mask before') == 4
    assert seen.text.count('Mask after') == 1, 'nothing came of the others'


def test_two_runs_are_compared(tmp_path: Path):
    seen = read([with_truth(usual()), usual('tuesday')], tmp_path)
    assert 'Side by side' in seen.text
    assert 'Differences are to monday' in seen.text
    assert 'Weights and settings were the same' in seen.text
    pairs = [a for a in seen.all('figure') if a.get('class') == 'chart beside']
    assert [a['id'] for a in pairs] == ['run-1-object-1-beside', 'run-2-object-1-beside']


def test_an_earlier_report_is_replaced(tmp_path: Path):
    write_report([usual('first')], tmp_path)
    seen = read([usual('second')], tmp_path)
    assert 'first' not in seen.text.split('Timeline')[0]
    assert {path.name.split('-')[1] for path in (tmp_path / 'figures').iterdir()} == {'second'}
