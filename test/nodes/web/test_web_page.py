"""The page in a real browser: what a person does there arrives at the desk."""

import json
from time import monotonic
from time import sleep

import cv2
import numpy as np
import pytest
from chromium import Browser
from chromium import find_browser
from web_desk import CUP
from web_desk import SIZE
from web_desk import TRACKER
from web_desk import question
from web_site import PATIENCE
from web_site import TOKEN
from web_site import served

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.nodes import operator_desk
from lazy_vos_ros.nodes.operator_view import Deed
from lazy_vos_ros.nodes.operator_view import HealthLine
from lazy_vos_ros.nodes.operator_view import Level
from lazy_vos_ros.nodes.operator_view import Live
from lazy_vos_ros.nodes.operator_view import Outcome
from lazy_vos_ros.nodes.operator_view import TrackerView

pytestmark = pytest.mark.skipif(
    find_browser() is None,
    reason='no browser: install chromium, or name one in the variable CHROME',
)

DESKTOP = {'width': 1280, 'height': 800}
PHONE = {'width': 360, 'height': 740, 'ratio': 2, 'mobile': True}
GRACE = 0.45

CONTRAST = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest(':disabled, #frame')) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) weak.push(`${element.textContent.trim()}: ${contrast.toFixed(2)}`);
  }
  return weak;
})()
"""
NAMELESS = """
[...document.querySelectorAll('button, input, select, canvas, meter')]
  .filter((item) => item.checkVisibility())
  .filter((item) => !(item.textContent.trim() || item.ariaLabel || item.labels?.length))
  .map((item) => item.outerHTML)
"""
SMALL = """
[...document.querySelectorAll('#work button')].filter((item) => item.checkVisibility())
  .filter((item) => item.getBoundingClientRect().height < 36).map((item) => item.id)
"""


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    """Return one browser for all tests."""
    made = Browser(tmp_path_factory.mktemp('browser'))
    yield made
    made.close()


@pytest.fixture(scope='module')
def shared(browser):
    """Return one site for all tests, whose page is loaded once."""
    with served() as made:
        browser.screen(**DESKTOP)
        browser.go(made.url)
        yield made
        browser.go('about:blank')


@pytest.fixture
def site(browser, shared):
    """Return the site without questions; the page must not have complained."""
    browser.problems.clear()
    yield shared
    shared.desk.withdraw_all(TRACKER, 'the test has ended')
    for sent in (shared.wire.answers, shared.wire.previews, shared.wire.orders):
        sent.clear()
    browser.until("document.title === 'Operator'")
    for name in ('here', 'show-live', 'tool-look', 'zoom-fit'):
        browser.evaluate(f"document.getElementById('{name}').click()")
    assert browser.problems == []


@pytest.fixture
def page(browser, site):
    """Return a page on a desktop that shows the question `q`."""
    show(browser, site)
    return browser


def show(browser, site, size=SIZE, screen=DESKTOP, **changes):
    """Show the question `q` on a screen."""
    browser.screen(**screen)
    width, ratio = screen['width'], screen.get('ratio', 1)
    browser.until(f'innerWidth === {width} && devicePixelRatio === {ratio}')
    site.desk.ask(question('q', size, **changes))
    shown(browser)


def shown(browser):
    """Wait until a question's picture is there, and its time of grace is over."""
    browser.until("document.title.includes('Where') && document.getElementById('empty').hidden")
    sleep(GRACE)


def until(condition, what):
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, f'timed out waiting until {what}'
        sleep(0.02)


def proposal(site, count):
    until(lambda: len(clicks_of(site)) == count, f'there are {count} clicks')
    return clicks_of(site)


def clicks_of(site):
    found = site.desk.snapshot().proposal
    return found if isinstance(found, tuple) else ()


def press(browser, name):
    """Press a button of the page by its id, as soon as the page lets a person do so."""
    usable(browser, name)
    left, top, width, height = browser.box(f'#{name}')
    browser.click(left + width / 2, top + height / 2)


def usable(browser, name):
    """Wait until the page offers a button: it hears of a click later than the desk does."""
    browser.until(f"!document.getElementById('{name}').disabled")


def corner_of(browser, size):
    """Return where the whole picture's corner lies, and CSS pixels for an image pixel."""
    left, top, width, height = browser.box('#stage')
    scale = min(width / size[1], height / size[0])
    return left + (width - scale * size[1]) / 2, top + (height - scale * size[0]) / 2, scale


# ---- pixels ----


@pytest.mark.parametrize(
    ('screen', 'size'),
    [(DESKTOP, (720, 1280)), (PHONE, (720, 1280)), ({**DESKTOP, 'ratio': 2}, (480, 301))],
)
def test_click_arrives_as_the_pixel_below_it(browser, site, screen, size):
    show(browser, site, size, screen)
    corner = np.array(corner_of(browser, size)[:2])
    scale = corner_of(browser, size)[2]
    ratio = screen.get('ratio', 1)
    # A mouse is on whole device pixels: the first and last ones of the picture, and some between.
    first = np.ceil(corner * ratio)
    last = np.ceil((corner + scale * np.array([size[1], size[0]])) * ratio) - 1
    for number, share in enumerate([(0, 0), (1, 1), (0.31, 0.77), (1, 0), (0.5, 0.5)], 1):
        hit = np.round(first + (last - first) * share) / ratio
        browser.click(*hit)
        click = proposal(site, number)[-1]
        assert (click.x, click.y) == tuple(np.floor((hit - corner) / scale))
        assert click.positive


@pytest.mark.parametrize('screen', [DESKTOP, PHONE])
def test_click_on_what_is_seen_hits_it_also_zoomed_and_moved(browser, site, screen, tmp_path):
    image = np.zeros((720, 1280, 3), np.uint8)
    image[396:409, 816:829] = 255, 0, 0
    browser.screen(**screen)
    nothing = np.zeros((720, 1280))
    site.desk.ask(question('q', image=image, mask=nothing > 0, entropy=nothing.astype(np.float32)))
    browser.go(site.url)
    shown(browser)
    across, down, scale = corner_of(browser, (720, 1280))
    assert scale < 1
    where = across + 822 * scale, down + 402 * scale
    for number in range(3):
        if number:
            browser.wheel(*where, -600)
            end = (where[0] - 17 * number, where[1] + 9)
            browser.drag(where, end)
            browser.until('!document.getElementById("zoom-fit").disabled')
            sleep(0.15)
        where = seen(browser, tmp_path / 'page.png', screen.get('ratio', 1))
        browser.click(*where)
        (click,) = proposal(site, 1)
        assert abs(click.x - 822) <= 1
        assert abs(click.y - 402) <= 1
        browser.until("!document.getElementById('undo').disabled")
        browser.press('u', 'u')
        proposal(site, 0)
        browser.until("document.getElementById('undo').disabled")


def seen(browser, path, ratio):
    """Return where the middle of what is red in the picture lies on the page, in CSS pixels."""
    browser.picture(path)
    left, top, width, height = (round(value * ratio) for value in browser.box('#stage'))
    picture = cv2.imread(str(path)).astype(int)[top : top + height, left : left + width]
    blue, green, red = cv2.split(picture)
    rows, columns = np.nonzero(red - green - blue > 128)
    return (left + columns.mean() + 0.5) / ratio, (top + rows.mean() + 0.5) / ratio


def test_keyboard_alone_moves_the_crosshair_and_clicks(page, site):
    page.evaluate("document.getElementById('stage').focus()")
    for key in ('ArrowRight', 'ArrowDown', 'ArrowDown'):
        page.press(key)
    page.press(' ', ' ')
    assert proposal(site, 1) == (Click(81, 47),)
    page.press('n', 'n')
    page.press('ArrowLeft')
    page.press(' ', ' ')
    assert proposal(site, 2)[-1] == Click(80, 47, False)


def test_fingers_tap_zoom_and_aim(browser, site):
    show(browser, site, (720, 1280), PHONE)
    across, down, scale = corner_of(browser, (720, 1280))
    browser.tap(across + 90, down + 50)
    click = proposal(site, 1)[0]
    assert (click.x, click.y) == (90 // scale, 50 // scale)
    browser.pinch(across + 100, down + 60, 40, 120)
    browser.until('!document.getElementById("zoom-fit").disabled')
    assert len(clicks_of(site)) == 1
    sleep(GRACE)
    browser.tap(across + 200, down + 80, seconds=0.6)
    aimed = proposal(site, 2)[1]
    # Zoomed in three times around the fingers.
    assert aimed.x == pytest.approx((100 + 100 / 3) / scale, abs=3)
    assert aimed.y == pytest.approx((60 + 20 / 3) / scale, abs=40)


# ---- answers ----


def test_right_click_and_toggle_mean_not_here_and_undo_takes_back(page, site):
    left, top, width, height = page.box('#stage')
    middle = left + width / 2, top + height / 2
    page.click(*middle, 'right')
    assert proposal(site, 1) == (Click(80, 45, False),)
    press(page, 'not-here')
    page.click(middle[0] + 50, middle[1])
    second = proposal(site, 2)[1]
    assert not second.positive
    press(page, 'here')
    page.click(middle[0] - 50, middle[1])
    assert proposal(site, 3)[2].positive
    press(page, 'undo')
    proposal(site, 2)
    page.press('z', modifiers=2)
    proposal(site, 1)
    page.press('u', 'u')
    proposal(site, 0)
    page.until("document.getElementById('undo').disabled")


def test_an_answer_that_was_sent_is_taken_back(page, site, monkeypatch):
    monkeypatch.setattr(operator_desk, 'UNDO_OFFERED', float('inf'))
    left, top, width, height = page.box('#stage')
    page.click(left + width / 2, top + height / 2)
    proposal(site, 1)
    press(page, 'confirm')
    until(lambda: site.wire.answers, 'the answer is sent')
    site.desk.settled('q', Outcome.DONE, 'took effect')
    page.until("!document.getElementById('undo-sent').hidden")
    page.press('u', 'u')
    until(lambda: site.wire.orders, 'it is asked to be undone')
    (order,) = site.wire.orders
    assert order.deed is Deed.UNDONE
    page.until("document.getElementById('undo-sent').hidden")
    site.desk.done(order.number, Outcome.DONE)
    page.until("document.querySelector('#history .mark.undone') !== null")


def test_refined_mask_is_shown_before_the_answer_is_sent(page, site, tmp_path):
    left, top, width, height = page.box('#stage')
    page.click(left + width / 2, top + height / 2)
    proposal(site, 1)
    page.picture(tmp_path / 'before.png')
    refined = np.zeros((90, 160), bool)
    refined[50:80, 100:140] = True
    site.desk.previewed('q', site.wire.previews[-1][1], refined)
    across, down, scale = corner_of(page, (90, 160))
    corner = round(down + 50.5 * scale), round(across + 100.5 * scale)

    def drawn():
        page.picture(tmp_path / 'after.png')
        near = cv2.imread(str(tmp_path / 'after.png'))[corner[0] - 2 : corner[0] + 3, corner[1]]
        return (near[:, 0].astype(int) - near[:, 2] > 100).any()

    until(drawn, 'the outline goes through the refined mask')
    usable(page, 'confirm')
    page.press('Enter')
    until(lambda: site.wire.answers, 'the answer is sent')
    assert site.wire.answers == [('q', (Click(80, 45),))]
    site.desk.settled('q', Outcome.REFUSED, 'the question has expired')
    page.until("document.getElementById('history').textContent.includes('has expired')")


@pytest.mark.parametrize(('name', 'key', 'deed'), [('skip', 's', 'Skip'), ('gone', 'g', 'Absent')])
def test_answers_without_a_click(page, site, name, key, deed):
    site.desk.ask(question('second', derivative=0.1))
    for how, left in ((lambda: press(page, name), 2), (lambda: page.press(key, key), 1)):
        page.until(f"document.getElementById('count').textContent === '{left}'")
        how()
        if deed == 'Absent':
            page.until("document.getElementById('gone').classList.contains('chosen')")
            page.press('Enter')
        page.until(f"document.getElementById('count').textContent === '{left - 1}'")
    assert [(key, type(answer).__name__) for key, answer in site.wire.answers] == [
        ('q', deed),
        ('second', deed),
    ]
    page.until("document.title === 'Operator'")


def test_click_meant_for_the_question_before_is_not_taken(page, site):
    site.desk.ask(question('second', derivative=0.1))
    page.until("document.getElementById('count').textContent === '2'")
    left, top, width, height = page.box('#stage')
    # The page's clock stands still: it is at once.
    page.evaluate('const now = performance.now(); performance.now = () => now; 0')
    page.evaluate("document.getElementById('skip').click()")
    page.until(
        "document.getElementById('count').textContent === '1'"
        " && document.getElementById('empty').hidden"
    )
    page.click(left + width / 2, top + height / 2)
    page.evaluate('delete performance.now')
    page.until("document.getElementById('toast').textContent.includes('look first')")
    assert clicks_of(site) == ()


def test_waiting_question_can_be_chosen(page, site):
    site.desk.ask(question('other', label='mug', derivative=0.1))
    page.until("document.querySelector('#waiting button')?.textContent.includes('mug')")
    page.evaluate("document.querySelector('#waiting button').click()")
    page.until("document.title.includes('mug')")
    assert site.desk.snapshot().current.key == 'other'


# ---- the live picture ----


def test_object_is_started_and_corrected_on_the_picture_that_was_seen(page, site):
    image = np.full((90, 160, 3), 90, np.uint8)
    press(page, 'show-live')
    until(lambda: site.desk.live_wanted(TRACKER), 'a live picture is wanted')
    site.desk.put_live(TRACKER, Live(1700000000000000001, image))
    page.until("document.getElementById('empty').hidden")
    across, down, scale = corner_of(page, (90, 160))
    where = across + 20.5 * scale, down + 30.5 * scale
    page.click(*where)
    page.until("document.getElementById('toast').textContent.includes('only look')")
    assert site.wire.orders == []
    page.press('a', 'a')
    page.evaluate("document.getElementById('label').value = 'mug'")
    page.press('f', 'f')
    site.desk.put_live(TRACKER, Live(1700000000000000002, image))
    sleep(0.3)
    across, down, scale = corner_of(page, (90, 160))
    page.click(across + 20.5 * scale, down + 30.5 * scale)
    until(lambda: site.wire.orders, 'the object is ordered')
    assert site.wire.orders[0].stamp == 1700000000000000001
    assert (site.wire.orders[0].label, site.wire.orders[0].clicks) == ('mug', (Click(20, 30),))
    page.press('f', 'f')
    page.press('c', 'c')
    sleep(0.2)
    across, down, scale = corner_of(page, (90, 160))
    page.click(across + 20.5 * scale, down + 30.5 * scale, 'right')
    until(lambda: len(site.wire.orders) == 2, 'the correction is ordered')
    order = site.wire.orders[1]
    assert (order.object_id, order.clicks) == (1, (Click(20, 30, False),))
    assert order.stamp == 1700000000000000002


def test_object_is_removed_only_when_confirmed(page, site):
    page.evaluate("[...document.querySelectorAll('#objects button')].at(-1).click()")
    page.until("document.querySelector('dialog[open]') !== null")
    page.evaluate("document.querySelector('dialog[open] button').click()")
    assert site.wire.orders == []
    page.evaluate("[...document.querySelectorAll('#objects button')].at(-1).click()")
    page.evaluate("document.querySelector('dialog[open] .primary').click()")
    until(lambda: site.wire.orders, 'the removal is ordered')
    assert site.wire.orders[0].deed.value == 'removed'


@pytest.mark.parametrize('screen', [DESKTOP, PHONE])
def test_health_is_told_by_symbol_and_word(browser, site, screen):
    lines = [('tracker', Level.ERROR, 'no image for 7 s'), ('<b>camera</b>', Level.SILENT, 'gone')]
    lines += [('recorder', Level.WARNING, 'the disk is full'), ('agent', Level.OK, 'well')]
    site.desk.put_health(tuple(HealthLine(*line) for line in lines))
    show(browser, site, screen=screen)
    browser.until("document.querySelectorAll('#health li').length === 4")
    texts = browser.evaluate(
        "[...document.querySelectorAll('#health li')].map((item) => item.innerText)"
    )
    for (name, _, message), symbol, word, text in zip(
        lines, '✗?!✓', ('Error', 'Silent', 'Warning', 'OK'), texts, strict=True
    ):
        assert text.split('\n') == [symbol, f'{word} {name}', message]
    assert browser.evaluate('document.documentElement.scrollWidth') <= screen['width']
    assert browser.evaluate(CONTRAST) == []
    site.desk.put_health(())
    browser.until("!document.getElementById('no-health').hidden")


def test_nothing_that_a_name_holds_is_run(page, site):
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    site.desk.skip('q')
    site.desk.ask(question('evil', label=evil, reason=evil, derivative=9.0))
    site.desk.ask(question('more', label=evil, reason=evil))
    site.desk.report(TrackerView(TRACKER, True, 1, (CUP.__class__(2, evil, 0.1, 1, False),)))
    page.until("document.getElementById('ask-title').textContent.includes('<img')")
    page.until("document.getElementById('objects').textContent.includes('<script>')")
    assert page.evaluate('window.hacked') is None
    assert page.evaluate("document.querySelectorAll('#main img').length") == 0
    site.desk.report(TrackerView(TRACKER, True, 1, (CUP,)))


# ---- for everybody ----


@pytest.mark.parametrize('dark', [False, True])
@pytest.mark.parametrize('screen', [DESKTOP, PHONE])
def test_page_can_be_read_and_used(browser, site, screen, dark):
    show(browser, site, screen={**screen, 'dark': dark})
    site.desk.ask(question('second', derivative=0.1))
    for view in ('show-question', 'show-live'):
        browser.evaluate(f"document.getElementById('{view}').click()")
        if view == 'show-live':
            browser.evaluate("document.getElementById('tool-correct').click()")
        sleep(0.3)
        assert browser.evaluate('document.documentElement.scrollWidth') <= screen['width']
        assert browser.evaluate(CONTRAST) == []
        assert browser.evaluate(NAMELESS) == []
        assert browser.evaluate(SMALL) == []


# ---- pages of their own, after those of the shared one ----


def test_page_comes_back_with_the_node(browser):
    with served() as site:
        browser.go(site.url)
        browser.until("document.getElementById('link').textContent === 'Connected'")
    browser.until("document.getElementById('link').textContent.startsWith('No connection')")
    with served(port=site.port) as again:
        again.desk.ask(question('q'))
        browser.until("document.getElementById('link').textContent === 'Connected'")
        shown(browser)
    browser.go('about:blank')


def test_token_is_asked_for_and_never_stays_in_the_address(browser, locked_site):
    browser.screen(**DESKTOP)
    browser.go(f'{locked_site.url}#token=not-the-right-token')
    browser.until("document.getElementById('login-problem').textContent.includes('not the token')")
    assert browser.evaluate('location.href') == locked_site.url
    assert not browser.evaluate("document.getElementById('main').checkVisibility()")
    browser.evaluate(f"document.getElementById('token').value = {json.dumps(TOKEN)}")
    browser.evaluate("document.querySelector('#login button').click()")
    browser.until("document.getElementById('link').textContent === 'Connected'")
    assert browser.evaluate('document.cookie') == ''
    browser.go(locked_site.url)
    browser.until("document.getElementById('link').textContent === 'Connected'")
    browser.evaluate("document.getElementById('sign-out').click()")
    browser.until("document.getElementById('login')?.checkVisibility()")
    browser.go(f'{locked_site.url}#token={TOKEN}')
    browser.until("document.getElementById('link').textContent === 'Connected'")
    assert browser.evaluate('location.href') == locked_site.url
    browser.go('about:blank')
