// What stands beside the picture: lists and texts. Everything is set as text, never as HTML.

const DEEDS = {
  answered: (entry) => (entry.clicks === 1 ? 'Answered, 1 click' : `Answered, ${entry.clicks} clicks`),
  absent: () => 'Said: it is gone',
  skipped: () => 'Skipped',
  withdrawn: () => 'Question withdrawn',
  started: () => 'New object',
  corrected: () => 'Corrected unasked',
  removed: () => 'Removed',
  undone: () => 'Undo',
};
const OUTCOMES = { sent: '…', done: '✓', refused: '✗', undone: '↶' };
const OUTCOME_NAMES = { sent: 'sent, no reply yet', done: 'done', refused: 'refused', undone: 'done, then undone' };

const LEVELS = { ok: ['✓', 'OK'], warning: ['!', 'Warning'], silent: ['?', 'Silent'], error: ['✗', 'Error'] };

export const byId = (id) => document.getElementById(id);

export function make(tag, { text, className, title, label } = {}, children = []) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  if (title) element.title = title;
  if (label) element.setAttribute('aria-label', label);
  element.append(...children);
  return element;
}

// Replaces the rows of a list; `none` is what stands there while it is empty.
export function fill(list, none, rows) {
  list.replaceChildren(...rows);
  none.hidden = rows.length > 0;
}

export function ago(seconds) {
  if (seconds < 1.5) return 'now';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function nameOf(item) {
  return item.label || (item.object ? `object ${item.object}` : 'an object');
}

// The part of a node's full name that tells robots apart.
export function placeOf(tracker) {
  return tracker.replace(/\/lazy_vos$/, '') || tracker.replace(/^\//, '');
}

// An age that goes on by itself: see tick().
function age(time) {
  const element = make('span', { className: 'age' });
  element.dataset.since = time;
  return element;
}

export function tick(now) {
  for (const element of document.querySelectorAll('.age')) {
    element.textContent = ago(now - Number(element.dataset.since));
  }
}

export function waitingRow(question, many, choose) {
  const button = make('button', { className: 'row' }, [
    make('strong', { text: nameOf(question) }),
    make('span', { className: 'faint', text: many ? placeOf(question.tracker) : question.reason }),
    age(question.asked),
  ]);
  button.type = 'button';
  button.addEventListener('click', () => choose(question.key));
  return make('li', {}, [button]);
}

export function objectRow(tracker, item, many, does) {
  const name = nameOf(item);
  const unsure = Math.min(1, Math.max(0, item.uncertainty ?? 0));
  const meter = make('meter', { label: `uncertainty of ${name}` });
  Object.assign(meter, { min: 0, max: 1, low: 0.35, high: 0.65, optimum: 0, value: unsure });
  const state = item.asking ? 'asking' : item.area === 0 ? 'not seen' : '';
  const buttons = [
    ['Correct', does.correct, `Correct ${name}`],
    ['Gone', does.gone, `${name} is gone`],
    ['Remove', does.remove, `Stop tracking ${name}`],
  ].map(([text, action, label]) => {
    const button = make('button', { text, label, className: 'small' });
    button.type = 'button';
    button.addEventListener('click', () => action(tracker, item));
    return button;
  });
  const about = [make('strong', { text: name })];
  if (many) about.push(make('span', { className: 'faint', text: placeOf(tracker) }));
  if (state) about.push(make('span', { className: `tag ${item.asking ? 'asking' : ''}`, text: state }));
  about.push(meter);
  return make('li', { className: 'object' }, [
    make('div', { className: 'about' }, about),
    make('div', { className: 'actions' }, buttons),
  ]);
}

// A symbol and a word: colour alone would tell too few people.
export function healthRow(line) {
  const [symbol, word] = LEVELS[line.level];
  const mark = make('span', { className: 'mark', text: symbol });
  mark.setAttribute('aria-hidden', 'true');
  const texts = [
    make('strong', { className: 'level', text: word }),
    ` ${line.name}`,
    make('span', { className: 'message', text: line.message }),
  ];
  return make('li', { className: `entry health ${line.level}` }, [mark, make('span', { className: 'what' }, texts)]);
}

export function historyRow(entry, many) {
  const mark = make('span', {
    className: `mark ${entry.outcome}`, text: OUTCOMES[entry.outcome], title: OUTCOME_NAMES[entry.outcome],
  });
  mark.setAttribute('role', 'img');
  mark.setAttribute('aria-label', OUTCOME_NAMES[entry.outcome]);
  const texts = [make('strong', { text: nameOf(entry) }), ` ${DEEDS[entry.deed](entry)}`];
  if (many) texts.push(make('span', { className: 'faint', text: ` ${placeOf(entry.tracker)}` }));
  if (entry.message) texts.push(make('span', { className: 'message', text: entry.message }));
  return make('li', { className: 'entry' }, [mark, make('span', { className: 'what' }, texts), age(entry.time)]);
}
