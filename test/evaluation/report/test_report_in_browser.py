"""The report in a real browser: nothing is refused or fails, values are told, phones fit."""

import sys
from pathlib import Path

import pytest
from evaluated import HOSTILE
from evaluated import evaluated
from evaluated import usual
from evaluated import with_truth

from lazy_vos_ros.evaluation.report import page
from lazy_vos_ros.evaluation.report import write_report

sys.path.append(str(Path(__file__).parents[2] / 'nodes' / 'web'))
chromium = pytest.importorskip('chromium')

pytestmark = pytest.mark.skipif(
    chromium.find_browser() is None, reason='no Chromium; install it or name one in $CHROME'
)
TOO_WIDE = """[...document.querySelectorAll('main *')].filter(
    item => item.getBoundingClientRect().right > innerWidth + 1 && !item.closest('.scroll')
).length"""


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    browser = chromium.Browser(tmp_path_factory.mktemp('browser'))
    yield browser
    browser.close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch) -> str:
    monkeypatch.setattr(page, 'write_timeline', lambda run, path, objects: None)
    hostile = evaluated(usual(notes=(HOSTILE,)).run, name=HOSTILE)
    return write_report([with_truth(usual()), hostile], tmp_path).as_uri()


def test_pointer_and_keys_tell_values(browser, site: str):
    browser.screen(1280, 900)
    browser.go(site)
    chart = "document.querySelector('#run-1-object-1 svg.wide')"
    browser.evaluate(f"{chart}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    left, top, width, height = browser.box('#run-1-object-1 svg.wide')
    begin, end = (float(browser.evaluate(f'{chart}.dataset.{side}')) for side in ('left', 'right'))
    scale = width / browser.evaluate(f'{chart}.viewBox.baseVal.width')
    x = left + scale * (begin + (end - begin) * 11 / 19)  # frame 11 of 19, which has no pixel
    browser.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=top + height / 3)
    told = "document.querySelector('#run-1-object-1 output').textContent"
    assert browser.evaluate(told) == (
        '2.20 s  ·  frame 11  ·  S 0.25  ·  ΔS +0.13  ·  IoU –  ·  no pixel'
    )
    browser.evaluate(f'{chart}.focus()')
    for key in ('End', 'ArrowLeft'):
        browser.call('Input.dispatchKeyEvent', type='keyDown', key=key)
    assert browser.evaluate(told).startswith(
        '3.60 s  ·  frame 18  ·  S 0.25  ·  ΔS +0.13  ·  IoU 0'
    )
    assert browser.problems == [], 'no error, and nothing that the policy refuses'


@pytest.mark.parametrize('width', [360, 800, 1280])
def test_page_fits_the_screen(browser, site: str, width: int):
    browser.screen(width, 740, mobile=width < 600)
    browser.go(site)
    assert browser.evaluate('document.documentElement.scrollWidth') == width
    assert browser.evaluate(TOO_WIDE) == 0
    shown = browser.evaluate("getComputedStyle(document.querySelector('.wide')).display")
    assert (shown == 'none') == (width < 700)
    assert browser.evaluate("document.querySelectorAll('img').length") == 8
    broken = "[...document.querySelectorAll('img')].filter(item => !item.naturalWidth).length"
    assert browser.evaluate(broken) == 0
    assert browser.problems == []
