"""A headless Chromium for tests, driven over its DevTools protocol."""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
from itertools import count
from pathlib import Path
from time import monotonic
from time import sleep

from tornado.websocket import websocket_connect

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
PATIENCE = float(os.environ.get('LAZY_VOS_TEST_PATIENCE', '60'))
BUTTONS = {'left': 1, 'right': 2}


def find_browser():
    """Return the command of a Chromium, or None; the variable CHROME names another."""
    named = os.environ.get('CHROME')
    return named or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One browser with one page.

    Parameters
    ----------
    folder
        For its profile, and its log.
    """

    def __init__(self, folder):
        self._loop = asyncio.new_event_loop()
        self._numbers = count(1)
        self._session = None
        profile = Path(folder) / 'profile'
        command = [find_browser(), '--headless=new', f'--user-data-dir={profile}']
        command += ['--remote-debugging-port=0', '--disable-gpu', '--no-first-run']
        command += ['--hide-scrollbars', '--disable-dev-shm-usage', '--mute-audio']
        command += ['--disable-background-networking', '--disable-component-update']
        if os.geteuid() == 0:
            command.append('--no-sandbox')
        with (Path(folder) / 'browser.log').open('w') as log:
            self._process = subprocess.Popen(
                [*command, 'about:blank'],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._socket = self._await(self._connect(profile / 'DevToolsActivePort'))
            target = self._call('Target.createTarget', url='about:blank')['targetId']
            attached = self._call('Target.attachToTarget', targetId=target, flatten=True)
            self._session = attached['sessionId']
            self.problems = []
            self.call('Runtime.enable')
            self.call('Log.enable')
            self.call('Page.enable')
        except BaseException:
            self.close()
            raise

    def close(self):
        """End the browser and all its processes."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _await(self, awaitable):
        return self._loop.run_until_complete(asyncio.wait_for(awaitable, PATIENCE))

    async def _connect(self, port_file):
        end = monotonic() + PATIENCE
        while not (port_file.exists() and port_file.read_text().count('\n')):
            if monotonic() > end or self._process.poll() is not None:
                raise RuntimeError('the browser did not start; see browser.log')
            await asyncio.sleep(0.05)
        port, path = port_file.read_text().split('\n')[:2]
        url = f'ws://127.0.0.1:{port}{path}'
        return await websocket_connect(url, max_message_size=1 << 26)

    def call(self, method, **params):
        """Call a method of the page and return its result."""
        return self._call(method, **params)

    def _call(self, method, **params):
        message = {'id': next(self._numbers), 'method': method, 'params': params}
        if self._session is not None:
            message['sessionId'] = self._session
        return self._await(self._exchange(message))

    async def _exchange(self, message):
        await self._socket.write_message(json.dumps(message))
        while True:
            text = await self._socket.read_message()
            if text is None:
                raise RuntimeError('the browser has ended')
            reply = json.loads(text)
            if reply.get('id') == message['id']:
                if 'error' in reply:
                    raise RuntimeError(f'{message["method"]}: {reply["error"]["message"]}')
                return reply['result']
            self._note(reply)

    def _note(self, event):
        """Remember what went wrong on the page."""
        params = event.get('params', {})
        if event.get('method') == 'Runtime.exceptionThrown':
            details = params['exceptionDetails']
            self.problems.append(details.get('exception', {}).get('description', str(details)))
        elif event.get('method') == 'Log.entryAdded' and params['entry']['level'] == 'error':
            self.problems.append(params['entry']['text'])

    def screen(self, width, height, *, ratio=1, mobile=False, dark=False):
        """Set the size of the page in CSS pixels, and device pixels for one of them."""
        self.call(
            'Emulation.setDeviceMetricsOverride',
            width=width,
            height=height,
            deviceScaleFactor=ratio,
            mobile=mobile,
        )
        self.call('Emulation.setTouchEmulationEnabled', enabled=mobile)
        features = [{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}]
        self.call('Emulation.setEmulatedMedia', features=features)

    def go(self, url):
        """Load a page."""
        self.call('Page.navigate', url=url)
        self.until("document.readyState === 'complete'")

    def evaluate(self, expression):
        """Return what an expression is, or what its promise resolves to."""
        result = self.call(
            'Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True
        )
        if 'exceptionDetails' in result:
            raise RuntimeError(f'{expression}: {result["exceptionDetails"]}')
        return result['result'].get('value')

    def until(self, expression, patience=PATIENCE):
        """Wait until an expression holds, on a page that may still be loading."""
        end = monotonic() + patience
        attempt = (
            f'(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()'
        )
        while not self.evaluate(attempt):
            assert monotonic() < end, f'timed out waiting until {expression}; {self.problems}'
            sleep(0.03)

    def box(self, selector):
        """Return left, top, width and height of an element in CSS pixels of the page."""
        return self.evaluate(
            f'(({{left, top, width, height}}) => [left, top, width, height])'
            f'(document.querySelector({json.dumps(selector)}).getBoundingClientRect())'
        )

    def click(self, x, y, button='left'):
        """Press and release a mouse button at a point of the page."""
        where = {'x': x, 'y': y, 'button': button, 'clickCount': 1}
        self.call('Input.dispatchMouseEvent', type='mouseMoved', x=x, y=y)
        self.call(
            'Input.dispatchMouseEvent', type='mousePressed', buttons=BUTTONS[button], **where
        )
        self.call('Input.dispatchMouseEvent', type='mouseReleased', buttons=0, **where)

    def wheel(self, x, y, delta):
        """Turn the wheel."""
        self.call('Input.dispatchMouseEvent', type='mouseWheel', x=x, y=y, deltaX=0, deltaY=delta)

    def drag(self, start, end):
        """Move the mouse with its left button down."""
        for kind, (x, y), buttons in (
            ('mouseMoved', start, 0),
            ('mousePressed', start, 1),
            ('mouseMoved', end, 1),
            ('mouseReleased', end, 0),
        ):
            self.call(
                'Input.dispatchMouseEvent',
                type=kind,
                x=x,
                y=y,
                button='left',
                buttons=buttons,
                clickCount=1,
            )

    def tap(self, x, y, seconds=0.0):
        """Touch a point of the page."""
        self.call('Input.dispatchTouchEvent', type='touchStart', touchPoints=[{'x': x, 'y': y}])
        if seconds:
            sleep(seconds)
        self.call('Input.dispatchTouchEvent', type='touchEnd', touchPoints=[])

    def pinch(self, x, y, before, after):
        """Move two fingers apart, from one distance to another, around a point."""
        for kind, distance in (('touchStart', before), ('touchMove', after)):
            points = [
                {'x': x + side * distance / 2, 'y': y, 'id': number}
                for number, side in enumerate((-1, 1))
            ]
            self.call('Input.dispatchTouchEvent', type=kind, touchPoints=points)
        self.call('Input.dispatchTouchEvent', type='touchEnd', touchPoints=[])

    def press(self, key, text='', modifiers=0):
        """Press a key; `text` is what it writes, `modifiers` 2 is Ctrl."""
        pressed = {'key': key, 'modifiers': modifiers}
        self.call('Input.dispatchKeyEvent', type='keyDown', text=text, **pressed)
        self.call('Input.dispatchKeyEvent', type='keyUp', **pressed)

    def picture(self, path):
        """Save what the page looks like."""
        kind = 'jpeg' if Path(path).suffix == '.jpg' else 'png'
        quality = {'quality': 88} if kind == 'jpeg' else {}
        data = self.call('Page.captureScreenshot', format=kind, **quality)['data']
        Path(path).write_bytes(base64.b64decode(data))
