import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_desk import make_desk
from web_desk import question

from lazy_vos_ros.nodes.web.actions import act
from lazy_vos_ros.nodes.web.messages import FIELDS
from lazy_vos_ros.nodes.web.messages import framed
from lazy_vos_ros.nodes.web.messages import parse

CLICK = {'type': 'click', 'key': 'q', 'x': 3, 'y': 4, 'positive': True}
START = {'type': 'start', 'tracker': '/t', 'stamp': '12', 'x': 3, 'y': 4, 'label': 'cup'}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
VALUES = JSON | st.just('q') | st.just('/robot/lazy_vos') | st.integers(0, 200) | st.just('7')


@pytest.mark.parametrize(
    'text',
    [
        '',
        'click',
        '{',
        '[]',
        'null',
        '"click"',
        '{}',
        '{"type": 5}',
        '{"type": ["click"]}',
        '{"type": "eval"}',
        '{"type": "__class__"}',
        '[' * 4000,
        '{"type":"seen","more":1}',
        '{"type":"click"}',
        '{"type": NaN}',
        '1' * 4000,
        '\x00',
    ],
)
def test_malformed_messages_are_refused(text):
    with pytest.raises(ValueError, match='allowed'):
        parse(text)


@pytest.mark.parametrize(
    ('message', 'changes'),
    [
        (CLICK, {'x': -1}),
        (CLICK, {'x': 1.5}),
        (CLICK, {'x': '3'}),
        (CLICK, {'x': True}),
        (CLICK, {'x': 10**30}),
        (CLICK, {'positive': 1}),
        (CLICK, {'key': None}),
        (CLICK, {'key': 'k' * 201}),
        (CLICK, {'key': 'a\nb'}),
        (START, {'stamp': 12}),
        (START, {'stamp': '-1'}),
        (START, {'stamp': '1' * 20}),
        (START, {'stamp': '٣'}),
        (START, {'label': 'x' * 41}),
        (START, {'label': '\x1b[2J'}),
    ],
)
def test_fields_of_a_wrong_kind_are_refused_and_not_repeated(message, changes):
    assert parse(json.dumps(message)) == message
    with pytest.raises(ValueError, match='not of the type or range allowed') as caught:
        parse(json.dumps({**message, **changes}))
    assert 'kkkk' not in str(caught.value)


@given(st.sampled_from(sorted(FIELDS)), st.data())
def test_nothing_but_a_refusal_comes_of_any_message(kind, data):
    desk, _ = make_desk()
    desk.ask(question('q'))
    message = {'type': kind, **{name: data.draw(VALUES) for name in FIELDS[kind]}}
    with suppress(ValueError):
        parsed = parse(json.dumps(message))
        if kind not in ('look', 'seen'):
            act(desk, parsed)
    desk.snapshot()


@given(st.binary(max_size=200))
def test_binary_junk_is_refused(junk):
    with pytest.raises(ValueError, match='allowed'):
        parse(junk.decode('utf-8', 'replace'))


def test_frame_of_a_picture_can_be_taken_apart():
    message = framed({'layer': 'live'}, b'\xff\xd8')
    length = int.from_bytes(message[:4], 'big')
    assert json.loads(message[4 : 4 + length]) == {'layer': 'live'}
    assert message[4 + length :] == b'\xff\xd8'
