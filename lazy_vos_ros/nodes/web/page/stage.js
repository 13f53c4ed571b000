// The picture: draws it with its layers, zooms and pans, and tells which image pixel was clicked.
//
// `scale` is CSS pixels for an image pixel, (`left`, `top`) where the image's corner lies on the
// canvas, in CSS pixels. The image pixel below a point is the floor of (point - corner) / scale.

const MOST_ZOOM = 24; // CSS pixels for an image pixel
export const STEP = 1.5;
const SLACK = { mouse: 4, touch: 10, pen: 6 }; // CSS pixels that a click may move
const LONG_PRESS = 350; // milliseconds
const LENS = { radius: 56, zoom: 4 };
const COLOURS = { predicted: '#ffb02e', refined: '#35d0ff', here: '#2fd16b', notHere: '#ff5a5a' };

export class Stage {
  constructor(canvas, { picked, moved, changed }) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.picked = picked; // (x, y, positive or null for "as chosen")
    this.moved = moved; // (x, y) or (null)
    this.changed = changed; // after zoom
    this.content = null; // { picture, width, height, shading, lines, refined, clicks, stamp }
    this.layers = { shading: true, outline: true };
    this.cursor = null;
    this.pointers = new Map();
    this.press = null;
    this.width = 1; // of the canvas, in CSS pixels
    this.height = 1;
    this.fit = 1;
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.pending = false;
    new ResizeObserver(() => this.resize()).observe(canvas);
    window.addEventListener('resize', () => this.resize()); // another screen, of other pixels
    this.listen();
  }

  // Shows something; the view stays if it is of the same `name` and size.
  show(content) {
    const before = this.content;
    this.content = content;
    const same = before !== null && content !== null && before.name === content.name
      && before.width === content.width && before.height === content.height;
    if (!same) {
      this.cursor = null;
      this.reset();
    }
    this.draw();
  }

  resize() {
    // Not clientWidth, which is rounded: the layout need not be on whole pixels.
    const box = this.canvas.getBoundingClientRect();
    this.width = Math.max(1, box.width);
    this.height = Math.max(1, box.height);
    const width = Math.round(this.width * window.devicePixelRatio);
    const height = Math.round(this.height * window.devicePixelRatio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    const whole = Math.abs(this.scale - this.fit) < 1e-9;
    this.measure();
    this.scale = whole ? this.fit : Math.max(this.fit, this.scale);
    this.clamp();
    this.draw();
  }

  measure() {
    if (this.content === null) return;
    this.fit = Math.min(this.width / this.content.width, this.height / this.content.height);
  }

  reset() {
    this.measure();
    this.scale = this.fit;
    this.clamp();
    this.draw();
  }

  zoomed() {
    return this.scale > this.fit * 1.001;
  }

  // Shows what is outlined, with half as much around it.
  zoomToLines() {
    const points = (this.content?.lines ?? []).flat();
    if (points.length === 0) return;
    const across = points.filter((_, index) => index % 2 === 0);
    const down = points.filter((_, index) => index % 2 === 1);
    const least = (values) => values.reduce((a, b) => Math.min(a, b));
    const most = (values) => values.reduce((a, b) => Math.max(a, b));
    const width = 2 * (most(across) - least(across) + 8);
    const height = 2 * (most(down) - least(down) + 8);
    const scale = Math.min(this.width / width, this.height / height);
    this.scale = Math.min(MOST_ZOOM, Math.max(this.fit, scale));
    this.left = this.width / 2 - ((most(across) + least(across) + 1) / 2) * this.scale;
    this.top = this.height / 2 - ((most(down) + least(down) + 1) / 2) * this.scale;
    this.clamp();
    this.draw();
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    if (this.content === null) return;
    const most = Math.max(MOST_ZOOM, this.fit);
    const scale = Math.min(most, Math.max(this.fit, this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.clamp();
    this.draw();
  }

  // Keeps the image on the canvas, and in the middle where it is smaller.
  clamp() {
    if (this.content === null) return;
    const room = (size, image) => (image <= size ? [(size - image) / 2, (size - image) / 2] : [size - image, 0]);
    const [leftmost, rightmost] = room(this.width, this.content.width * this.scale);
    const [highest, lowest] = room(this.height, this.content.height * this.scale);
    this.left = Math.min(rightmost, Math.max(leftmost, this.left));
    this.top = Math.min(lowest, Math.max(highest, this.top));
    // At full size a vertical swipe scrolls the page; zoomed in it moves the picture.
    this.canvas.style.touchAction = this.zoomed() ? 'none' : 'pan-y';
    this.changed();
  }

  // The image pixel below a pointer, or null beside the image.
  pixel(event) {
    if (this.content === null) return null;
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left - this.left) / this.scale);
    const y = Math.floor((event.clientY - box.top - this.top) / this.scale);
    const inside = x >= 0 && y >= 0 && x < this.content.width && y < this.content.height;
    return inside ? { x, y } : null;
  }

  listen() {
    const on = (name, handler, options) => this.canvas.addEventListener(name, handler, options);
    on('pointerdown', (event) => this.down(event));
    on('pointermove', (event) => this.move(event));
    on('pointerup', (event) => this.up(event));
    on('pointercancel', (event) => this.cancel(event));
    on('pointerleave', () => this.moved(null));
    on('contextmenu', (event) => event.preventDefault());
    on('keydown', (event) => this.key(event));
    on('blur', () => this.draw());
    on('focus', () => this.draw());
    on('wheel', (event) => {
      event.preventDefault();
      const box = this.canvas.getBoundingClientRect();
      const lines = event.deltaMode === 1 ? 30 : 1;
      const factor = Math.exp(-event.deltaY * lines * 0.002);
      this.zoomBy(factor, event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    on('touchmove', (event) => {
      if (this.press?.aiming) event.preventDefault();
    }, { passive: false });
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.stopPress();
    if (this.pointers.size > 1) return;
    // What is shown now is what is clicked on, though a newer picture comes before the button is up.
    const press = { event, moved: false, aiming: false, content: this.content, timer: 0 };
    if (event.pointerType === 'touch') {
      press.timer = setTimeout(() => {
        press.aiming = true;
        this.draw();
      }, LONG_PRESS);
    }
    this.press = press;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) {
      this.moved(this.pixel(event));
      return;
    }
    const now = { x: event.clientX, y: event.clientY };
    if (this.pointers.size === 2) {
      this.pinch(event.pointerId, before, now);
    } else if (this.press?.aiming) {
      this.press.event = event;
      this.draw();
    } else if (this.press !== null) {
      const start = this.press.event;
      const far = Math.hypot(now.x - start.clientX, now.y - start.clientY);
      if (far > (SLACK[event.pointerType] ?? 4)) {
        this.press.moved = true;
        clearTimeout(this.press.timer);
      }
      if (this.press.moved) this.pan(now.x - before.x, now.y - before.y);
    }
    this.pointers.set(event.pointerId, now);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    const press = this.press;
    this.stopPress();
    if (press === null || press.moved || press.event.pointerId !== event.pointerId) return;
    // Pressed where no picture was: what has come since was not meant.
    if (press.content === null) return;
    // An aimed click lies where the finger was lifted, any other where it came down.
    const pixel = this.pixel(press.aiming ? event : press.event);
    if (pixel === null) return;
    const right = press.event.button === 2 || (press.event.button === 0 && press.event.ctrlKey);
    if (press.event.button === 0 || right) this.picked(pixel.x, pixel.y, right ? false : null, press.content);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.stopPress();
  }

  stopPress() {
    if (this.press === null) return;
    clearTimeout(this.press.timer);
    this.press = null;
    this.draw();
  }

  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.clamp();
    this.draw();
  }

  pinch(id, before, now) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y);
    const box = this.canvas.getBoundingClientRect();
    const factor = distance(now) / Math.max(1, distance(before));
    this.zoomBy(factor, (before.x + other.x) / 2 - box.left, (before.y + other.y) / 2 - box.top);
    this.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  key(event) {
    if (this.content === null || event.ctrlKey || event.altKey || event.metaKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow !== undefined) {
      const { width, height } = this.content;
      const from = this.cursor ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
      const step = event.shiftKey ? 10 : 1;
      const into = (value, size) => Math.min(size - 1, Math.max(0, value));
      this.cursor = { x: into(from.x + step * arrow[0], width), y: into(from.y + step * arrow[1], height) };
      this.follow();
      this.moved(this.cursor);
      this.draw();
    } else if (event.key === ' ' && this.cursor !== null) {
      this.picked(this.cursor.x, this.cursor.y, null, this.content);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // Moves the picture so that the crosshair can be seen.
  follow() {
    const x = this.left + (this.cursor.x + 0.5) * this.scale;
    const y = this.top + (this.cursor.y + 0.5) * this.scale;
    const edge = 24;
    this.left += Math.max(0, edge - x) - Math.max(0, x - this.width + edge);
    this.top += Math.max(0, edge - y) - Math.max(0, y - this.height + edge);
    this.clamp();
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.paint();
    });
  }

  paint() {
    const { context, canvas, content } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (content === null) return;
    this.paintImage(context, this.scale, this.left, this.top);
    this.inCssPixels(context);
    this.paintMarks(context, this.scale, this.left, this.top);
    if (this.cursor !== null && document.activeElement === canvas) {
      this.paintCross(context, this.left + (this.cursor.x + 0.5) * this.scale, this.top + (this.cursor.y + 0.5) * this.scale);
    }
    if (this.press?.aiming) this.paintLens(context);
  }

  inCssPixels(context) {
    context.setTransform(this.canvas.width / this.width, 0, 0, this.canvas.height / this.height, 0, 0);
  }

  paintImage(context, scale, left, top) {
    const { picture, shading, refined, width, height } = this.content;
    this.inCssPixels(context);
    context.translate(left, top);
    context.scale(scale, scale);
    context.imageSmoothingEnabled = scale * window.devicePixelRatio < 4;
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, 0, 0, width, height);
    // The tracker was unsure of what it predicted, not of the refined mask.
    if (shading && this.layers.shading && !refined) {
      context.imageSmoothingEnabled = true;
      context.drawImage(shading, 0, 0, width, height);
    }
  }

  // Lines and clicks keep their thickness however far one zooms.
  paintMarks(context, scale, left, top) {
    const { lines, refined, clicks } = this.content;
    if (lines && this.layers.outline) {
      const path = new Path2D();
      for (const line of lines) {
        path.moveTo(left + (line[0] + 0.5) * scale, top + (line[1] + 0.5) * scale);
        for (let at = 2; at < line.length; at += 2) {
          path.lineTo(left + (line[at] + 0.5) * scale, top + (line[at + 1] + 0.5) * scale);
        }
        path.closePath();
      }
      context.lineJoin = 'round';
      context.strokeStyle = 'rgb(0 0 0 / 75%)';
      context.lineWidth = 4;
      context.stroke(path);
      context.strokeStyle = refined ? COLOURS.refined : COLOURS.predicted;
      context.lineWidth = 2;
      if (!refined) context.setLineDash([7, 4]);
      context.stroke(path);
      context.setLineDash([]);
    }
    for (const click of clicks ?? []) {
      this.paintClick(context, left + (click.x + 0.5) * scale, top + (click.y + 0.5) * scale, click.positive);
    }
  }

  paintClick(context, x, y, positive) {
    const cross = new Path2D();
    cross.moveTo(x - 4, y);
    cross.lineTo(x + 4, y);
    if (positive) {
      cross.moveTo(x, y - 4);
      cross.lineTo(x, y + 4);
    }
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    context.lineWidth = 5;
    context.strokeStyle = 'rgb(0 0 0 / 70%)';
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = positive ? COLOURS.here : COLOURS.notHere;
    context.stroke();
    for (const [width, colour] of [[4.5, 'rgb(0 0 0 / 70%)'], [2, '#fff']]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke(cross);
    }
  }

  paintCross(context, x, y) {
    const path = new Path2D();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      path.moveTo(x + 4 * dx, y + 4 * dy);
      path.lineTo(x + 16 * dx, y + 16 * dy);
    }
    for (const [width, colour] of [[4, 'rgb(0 0 0 / 75%)'], [2, '#fff']]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke(path);
    }
  }

  // A magnifying glass in the upper corner away from the finger.
  paintLens(context) {
    const box = this.canvas.getBoundingClientRect();
    const x = this.press.event.clientX - box.left;
    const y = this.press.event.clientY - box.top;
    const { radius, zoom } = LENS;
    const centre = x > this.width / 2 ? radius + 6 : this.width - radius - 6;
    const scale = this.scale * zoom;
    const left = centre - (x - this.left) * zoom;
    const top = radius + 6 - (y - this.top) * zoom;
    context.save();
    context.beginPath();
    context.arc(centre, radius + 6, radius, 0, 2 * Math.PI);
    context.clip();
    context.fillStyle = '#000';
    context.fill();
    this.paintImage(context, scale, left, top);
    this.inCssPixels(context);
    this.paintMarks(context, scale, left, top);
    this.paintCross(context, centre, radius + 6);
    context.restore();
    context.beginPath();
    context.arc(centre, radius + 6, radius, 0, 2 * Math.PI);
    context.lineWidth = 3;
    context.strokeStyle = '#fff';
    context.stroke();
  }
}
