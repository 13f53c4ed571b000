// The operator's page: what the node tells goes into the picture and the panels, what the person
// does goes to the node. Nothing is decided here: the node's desk decides, and says why not.

import { Link, session } from '/link.js';
import { byId, fill, healthRow, historyRow, make, nameOf, objectRow, placeOf, ago, tick, waitingRow } from '/panels.js';
import { Stage, STEP } from '/stage.js';

const GRACE = 400; // milliseconds in which a new question takes no click meant for the one before
const TOAST = 5000;
const QUIET = { question: null, waiting: [] };

const state = { ...QUIET, trackers: [], history: [], undoable: null, health: [] };
let clock = 0; // the node's clock minus ours, seconds
let view = 'live';
let positive = true;
let tool = 'look';
let tracker = '';
let held = false;
let asked = null; // { key, picture, shading, lines } of the question's frame, as it comes in
let live = null; // newest live picture
let shownAt = 0;
let sound = null;
let toastTimer = 0;

const wide = window.matchMedia('(min-width: 900px)');
const nodeNow = () => performance.now() / 1000 + clock;
const many = () => state.trackers.length > 1;

// ---- connection ----

const link = new Link({
  open() {
    setLink('Connected', 'good');
    byId('login').hidden = true;
    byId('main').hidden = false;
    looked = '';
    look();
    stage.resize();
  },
  closed() {
    setLink('No connection: trying again …', 'bad');
    asked = null;
    live = null;
    Object.assign(state, QUIET);
    showAll();
  },
  locked() {
    setLink('Locked', 'bad');
    byId('main').hidden = true;
    byId('login').hidden = false;
    byId('token').focus();
  },
  state(part, now) {
    clock = now - performance.now() / 1000;
    const before = state.question?.key;
    Object.assign(state, part);
    if ('question' in part && state.question?.key !== before) newQuestion();
    if ('trackers' in part) chooseTracker();
    showAll();
  },
  outline(message) {
    layersOf(message.key).lines = message.lines;
    showPicture();
  },
  async picture(header, blob) {
    const bitmap = await createImageBitmap(blob);
    if (header.layer === 'live') {
      link.send('seen');
      if (header.tracker !== tracker) return;
      const before = live;
      live = { ...header, name: `live ${header.tracker}`, picture: bitmap };
      if (view === 'live' && !held) showPicture();
      showMini();
      if (before !== null && stage.content?.picture !== before.picture) before.picture.close();
      return;
    }
    layersOf(header.key)[header.layer] = bitmap;
    showPicture();
  },
  refused(reason) {
    toast(reason);
  },
});

// The layers of a question's frame, which come one by one; those of an older one are dropped.
function layersOf(key) {
  if (asked?.key !== key) asked = { key };
  return asked;
}

function setLink(text, className) {
  byId('link').textContent = text;
  byId('link').className = `pill ${className}`;
}

// ---- the picture ----

const stage = new Stage(byId('stage'), {
  picked(x, y, right, content) {
    const here = right ?? positive;
    if (view === 'question') answerClick(x, y, here, content);
    else liveClick(x, y, here, content);
  },
  moved(pixel) {
    byId('where').textContent = pixel === null ? '' : `x ${pixel.x}  y ${pixel.y}`;
  },
  changed() {
    byId('zoom-fit').disabled = !stage.zoomed();
    byId('zoom-out').disabled = !stage.zoomed();
  },
});

function answerClick(x, y, here, content) {
  if (state.question === null || content.key !== state.question.key) return;
  if (performance.now() - shownAt < GRACE) toast('A new question: look first, then click');
  else link.send('click', { key: content.key, x, y, positive: here });
}

function liveClick(x, y, here, content) {
  const where = { tracker: content.tracker, stamp: content.stamp, x, y };
  if (tool === 'new') {
    link.send('start', { ...where, label: byId('label').value.trim() });
    byId('label').value = '';
    setTool('look');
  } else if (tool === 'correct' && byId('object').value !== '') {
    link.send('correct', { ...where, object: Number(byId('object').value), positive: here });
  } else {
    toast('Clicks only look: choose “New object” or “Correct” first');
  }
}

function showPicture() {
  const question = state.question;
  let content = null;
  if (view === 'live') {
    content = held && stage.content?.stamp ? stage.content : live;
  } else if (question !== null && asked?.key === question.key && asked.picture) {
    const { width, height, refined, clicks, key } = question;
    content = { ...asked, name: key, width, height, refined, clicks };
  }
  stage.show(content);
  byId('empty').hidden = content !== null;
  byId('empty').textContent = emptyText();
}

function emptyText() {
  if (view === 'question') return state.question === null ? 'No question: nothing to do' : 'The picture is coming …';
  return tracker === '' ? 'No tracker is there yet' : 'Waiting for a live picture …';
}

function showMini() {
  const canvas = byId('mini-picture');
  if (live === null || byId('mini').hidden || !wide.matches) return;
  const width = Math.round(canvas.clientWidth * window.devicePixelRatio);
  const height = Math.round((width * live.height) / live.width);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.getContext('2d').drawImage(live.picture, 0, 0, width, height);
}

// ---- which view ----

function setView(wanted) {
  view = wanted;
  hold(false);
  if (view === 'question') setTool('look');
  showAll();
  look();
}

function newQuestion() {
  shownAt = performance.now();
  if (state.question === null) {
    if (view === 'question') setView('live');
    return;
  }
  // Somebody who is about to start or correct an object is not interrupted.
  if (tool === 'look') setView('question');
  setHere(true);
  if (sound !== null) beep();
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(120);
}

let looked = '';
function look() {
  const wanted = view === 'live' || wide.matches ? tracker : '';
  if (document.hidden || wanted === looked) {
    if (document.hidden && looked !== '' && link.send('look', { tracker: '' })) looked = '';
    return;
  }
  if (link.send('look', { tracker: wanted })) looked = wanted;
}

function chooseTracker() {
  const names = state.trackers.filter((item) => item.present).map((item) => item.name);
  const select = byId('tracker');
  if (!names.includes(tracker)) tracker = names[0] ?? '';
  const shown = [...select.options].map((option) => option.value);
  if (shown.join('\n') !== names.join('\n')) {
    select.replaceChildren(...names.map((name) => new Option(placeOf(name), name)));
  }
  select.value = tracker;
  look();
}

// ---- panels ----

function showAll() {
  const { question, waiting } = state;
  const total = waiting.length + (question === null ? 0 : 1);
  byId('count').textContent = total;
  byId('count').hidden = total === 0;
  document.title = question === null ? 'Operator' : `(${total}) Where is ${nameOf(question)}?`;
  press('show-question', view === 'question');
  press('show-live', view === 'live');
  byId('tracker-choice').hidden = !(view === 'live' && many());
  byId('answers').hidden = view !== 'question';
  byId('layers').hidden = view !== 'question';
  byId('zoom-object').hidden = view !== 'question';
  byId('unasked').hidden = view !== 'live';
  byId('mini').hidden = view === 'live';
  showAsk();
  showAnswers();
  showTools();
  fill(byId('waiting'), byId('no-waiting'), waiting.map((item) => waitingRow(item, many(), choose)));
  showObjects();
  fill(byId('health'), byId('no-health'), state.health.map(healthRow));
  byId('undo-sent').hidden = state.undoable === null;
  fill(byId('history'), byId('no-history'), state.history.map((entry) => historyRow(entry, many())));
  showPicture();
  showMini();
  tick(nodeNow());
}

function showAsk() {
  const { question } = state;
  const title = view === 'live' ? 'Live picture' : question === null ? 'No question' : `Where is ${nameOf(question)}?`;
  if (byId('ask-title').textContent !== title) byId('ask-title').textContent = title;
  showAge();
}

function showAge() {
  const { question } = state;
  const more = byId('ask-more');
  if (view === 'live' || question === null) {
    more.textContent = view === 'live' ? liveText() : 'You will be asked when a tracker is unsure.';
    return;
  }
  const parts = [question.reason, `asked ${ago(nodeNow() - question.asked)} ago`.replace('now ago', 'now')];
  if (many()) parts.unshift(placeOf(question.tracker));
  const left = question.expires === null ? Infinity : question.expires - nodeNow();
  if (left < 60) parts.push(left > 0 ? `${Math.ceil(left)} s left` : 'time is over');
  more.textContent = parts.filter(Boolean).join(' · ');
  more.classList.toggle('urgent', left < 10);
}

function liveText() {
  if (held) return 'Held: clicks count for the picture that you see.';
  if (tool === 'new') return 'Click on the object that shall be tracked.';
  if (tool === 'correct') return 'Click where the object is; right click where it is not.';
  return state.question === null ? 'Nobody needs you now.' : 'A question is waiting.';
}

function showAnswers() {
  const { question } = state;
  const given = proposed();
  for (const id of ['skip', 'gone']) byId(id).disabled = question === null;
  byId('gone').classList.toggle('chosen', question?.gone ?? false);
  byId('confirm').disabled = !given;
  byId('undo').disabled = !given && state.undoable === null;
  byId('undo-text').textContent = given || state.undoable === null ? 'Undo' : 'Undo sent';
  showCountdown();
}

function showCountdown() {
  const { question } = state;
  let text = 'Send';
  if (question?.problem) text = 'Send all the same';
  else if (question?.confirm_at != null) text = `Send (${Math.max(0, question.confirm_at - nodeNow()).toFixed(1)} s)`;
  byId('confirm-text').textContent = text;
  if (question?.problem && question.problem !== told) toast(question.problem);
  told = question?.problem ?? '';
}
let told = '';

function showTools() {
  check('here', positive);
  check('not-here', !positive);
  for (const name of ['look', 'new', 'correct']) check(`tool-${name}`, tool === name);
  byId('tools').hidden = view === 'live' && tool !== 'correct';
  byId('new-name').hidden = tool !== 'new';
  byId('which').hidden = tool !== 'correct';
  press('hold', held);
  press('show-shading', stage.layers.shading);
  press('show-outline', stage.layers.outline);
  byId('stage').dataset.click = view === 'live' && tool === 'look' ? 'none' : 'point';
}

function showObjects() {
  const rows = state.trackers.flatMap((item) => item.objects.map((object) => [item.name, object]));
  const does = { correct: startCorrecting, gone: sayGone, remove: removeObject };
  // Not while a button in there has the focus: it would lose it.
  if (!byId('objects').contains(document.activeElement)) {
    fill(byId('objects'), byId('no-objects'), rows.map(([name, object]) => objectRow(name, object, many(), does)));
  }
  const here = rows.filter(([name]) => name === tracker).map(([, object]) => object);
  const select = byId('object');
  const chosen = select.value;
  const options = here.map((item) => [String(item.object), nameOf(item)]);
  const shown = [...select.options].map((option) => [option.value, option.text]);
  if (JSON.stringify(shown) !== JSON.stringify(options)) {
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    if (options.some(([value]) => value === chosen)) select.value = chosen;
  }
  byId('tool-correct').disabled = options.length === 0;
}

function toast(text) {
  const element = byId('toast');
  element.textContent = text;
  element.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => element.classList.remove('shown'), TOAST);
}

const press = (id, on) => byId(id).setAttribute('aria-pressed', String(on));
const check = (id, on) => byId(id).setAttribute('aria-checked', String(on));

// ---- what the person does ----

function onQuestion(type) {
  if (view === 'question' && state.question !== null) link.send(type, { key: state.question.key });
}

function proposed() {
  const { question } = state;
  return question !== null && (question.gone || question.clicks.length > 0);
}

function undoSent() {
  if (state.undoable !== null) link.send('undo_sent', {});
}

function choose(key) {
  setView('question');
  link.send('choose', { key });
}

function setHere(here) {
  positive = here;
  showTools();
}

function setTool(wanted) {
  tool = wanted;
  showTools();
  showAge();
  if (wanted === 'new') byId('stage').focus({ preventScroll: true });
}

function hold(on) {
  held = on && live !== null;
  showTools();
  showAge();
  showPicture();
}

function startCorrecting(name, item) {
  tracker = name;
  setView('live');
  chooseTracker();
  showObjects();
  byId('object').value = String(item.object);
  setTool('correct');
}

function sayGone(name, item) {
  link.send('gone', { tracker: name, object: item.object, stamp: name === tracker && live ? live.stamp : '0' });
}

function removeObject(name, item) {
  const question = make('p', { text: `Stop tracking ${nameOf(item)}?` });
  const dialog = make('dialog', { label: 'Remove' }, [question]);
  const yes = make('button', { text: 'Remove', className: 'primary' });
  const no = make('button', { text: 'Keep' });
  yes.addEventListener('click', () => link.send('remove', { tracker: name, object: item.object }));
  for (const button of [yes, no]) button.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  dialog.append(make('div', { className: 'actions' }, [no, yes]));
  document.body.append(dialog);
  dialog.showModal();
}

function toggleLayer(name) {
  stage.layers[name] = !stage.layers[name];
  showTools();
  stage.draw();
}

function toggleSound() {
  if (sound === null) {
    sound = new AudioContext();
  } else {
    sound.close();
    sound = null;
  }
  press('sound', sound !== null);
  byId('sound').querySelector('.value').textContent = sound === null ? 'off' : 'on';
  if (sound !== null) beep();
}

function beep() {
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  volume.gain.setValueAtTime(0.15, sound.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.4);
  tone.frequency.value = 880;
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.4);
}

const BUTTONS = {
  'show-question': () => setView('question'),
  'show-live': () => setView('live'),
  'zoom-in': () => stage.zoomBy(STEP),
  'zoom-out': () => stage.zoomBy(1 / STEP),
  'zoom-fit': () => stage.reset(),
  'zoom-object': () => stage.zoomToLines(),
  here: () => setHere(true),
  'not-here': () => setHere(false),
  'show-shading': () => toggleLayer('shading'),
  'show-outline': () => toggleLayer('outline'),
  undo: () => (proposed() ? onQuestion('undo') : undoSent()),
  'undo-sent': undoSent,
  skip: () => onQuestion('skip'),
  gone: () => onQuestion('absent'),
  confirm: () => onQuestion('confirm'),
  'tool-look': () => setTool('look'),
  'tool-new': () => setTool('new'),
  'tool-correct': () => setTool('correct'),
  hold: () => hold(!held),
  sound: toggleSound,
  'help-open': () => byId('help').showModal(),
};
for (const [id, action] of Object.entries(BUTTONS)) {
  byId(id).addEventListener('click', (event) => {
    action();
    // After the mouse, keys mean the picture again: Enter sends, and presses no button twice.
    const byMouse = event.detail > 0 && byId(id).closest('#work') !== null;
    if (byMouse) byId('stage').focus({ preventScroll: true });
  });
}

const KEYS = {
  h: 'here', n: 'not-here', u: 'undo', s: 'skip', g: 'gone', Enter: 'confirm',
  q: 'show-question', l: 'show-live', a: 'tool-new', c: 'tool-correct', f: 'hold',
  e: 'show-shading', m: 'show-outline', '+': 'zoom-in', '=': 'zoom-in', '-': 'zoom-out', 0: 'zoom-fit', z: 'zoom-object',
  '?': 'help-open',
};

document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, select, dialog') !== null;
  if (event.key === 'Escape' && !typing) setTool('look');
  if (typing || event.altKey || event.metaKey || byId('main').hidden) return;
  const undoing = event.ctrlKey && event.key === 'z';
  if (event.ctrlKey && !undoing) return;
  // On a button, Enter presses that button.
  if (event.key === 'Enter' && event.target.closest('button') !== null) return;
  const key = undoing ? 'u' : event.key;
  const named = KEYS[key.length === 1 ? key.toLowerCase() : key];
  const id = named === 'undo' && view === 'live' ? 'undo-sent' : named;
  const button = id === undefined ? null : byId(id);
  if (button === null || event.repeat) return;
  if (button.closest('[hidden]') === null && !button.disabled) BUTTONS[id]();
  else if (view === 'question' && button.closest('#unasked') !== null) {
    setView('live');
    BUTTONS[id]();
  }
  event.preventDefault();
});

byId('tracker').addEventListener('change', (event) => {
  tracker = event.target.value;
  live = null;
  hold(false);
  look();
  showAll();
});
wide.addEventListener('change', look);
document.addEventListener('visibilitychange', look);

byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  signIn(byId('token').value);
});

async function signIn(token) {
  try {
    await session('POST', token.trim());
    byId('token').value = '';
    byId('login-problem').textContent = '';
    byId('sign-out').hidden = false;
    await link.connect();
  } catch (error) {
    byId('login-problem').textContent = error.message;
  }
}

byId('sign-out').addEventListener('click', async () => {
  await session('DELETE');
  location.reload();
});

setInterval(() => {
  if (document.hidden) return;
  tick(nodeNow());
  showAge();
  showCountdown();
}, 200);

async function begin() {
  // A link may bring the token behind a #, which browsers do not send; it does not stay there.
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  const found = await session().catch(() => null);
  byId('sign-out').hidden = !(found?.locked && found.admitted);
  if (given !== null && found?.locked && !found.admitted) {
    byId('login').hidden = false;
    await signIn(given);
  } else {
    await link.connect();
  }
}

window.addEventListener('hashchange', () => location.reload());
begin();
