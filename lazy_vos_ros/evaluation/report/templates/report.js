'use strict';
// Tells the values of a chart's frame under the pointer, or under the arrow keys.
for (const figure of document.querySelectorAll('figure.chart')) {
  const data = JSON.parse(figure.querySelector('script').textContent);
  const readout = figure.querySelector('output');
  const resting = readout.textContent;
  const drawings = figure.querySelectorAll('svg.timeline');
  let at = 0;

  const nearest = (time) => {
    let low = 0;
    let high = data.t.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (data.t[middle] <= time) low = middle; else high = middle;
    }
    return time - data.t[low] <= data.t[high] - time ? low : high;
  };
  const text = (value, digits, signed) => {
    if (value === null || value === undefined) return '–';
    const sign = value < 0 ? '−' : signed ? '+' : '';
    return sign + Math.abs(value).toFixed(digits);
  };
  const show = (index) => {
    at = Math.max(0, Math.min(data.t.length - 1, index));
    const parts = [
      `${text(data.t[at], 2)} s`, `frame ${data.n[at]}`, `S ${text(data.s[at], 2)}`,
      `ΔS ${text(data.d[at], 2, true)}`,
    ];
    if (data.i) parts.push(`IoU ${text(data.i[at], 2)}`);
    parts.push(data.a[at] ? `${data.a[at]} pixels` : 'no pixel');
    readout.textContent = parts.join('  ·  ');
    figure.classList.add('reading');
    for (const drawing of drawings) {
      const { left, right, span } = drawing.dataset;
      const x = Number(left) + (Number(right) - Number(left)) * data.t[at] / Number(span);
      const cursor = drawing.querySelector('.cursor');
      cursor.setAttribute('x1', x);
      cursor.setAttribute('x2', x);
    }
  };
  const rest = () => {
    readout.textContent = resting;
    figure.classList.remove('reading');
  };
  for (const drawing of drawings) {
    const { left, right, span } = drawing.dataset;
    drawing.setAttribute('tabindex', '0');
    drawing.addEventListener('pointermove', (event) => {
      const box = drawing.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * drawing.viewBox.baseVal.width;
      show(nearest((x - left) / (right - left) * span));
    });
    drawing.addEventListener('pointerleave', rest);
    drawing.addEventListener('blur', rest);
    drawing.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -25, PageDown: 25 }[event.key];
      if (step === undefined && event.key !== 'Home' && event.key !== 'End') return;
      event.preventDefault();
      show(event.key === 'Home' ? 0 : event.key === 'End' ? data.t.length - 1 : at + step);
    });
  }
}
