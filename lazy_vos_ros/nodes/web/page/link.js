// The connection to the node: messages in, pictures in, actions out; it comes back by itself.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;

export async function session(method = 'GET', token = null) {
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch('/session', { method, headers, cache: 'no-store' });
  if (!response.ok) throw new Error((await response.text()).trim());
  return response.json();
}

export class Link {
  // handlers: { state(part, now), outline(message), picture(header, blob), refused(text),
  //             open(), closed(), locked() }
  constructor(handlers) {
    this.handlers = handlers;
    this.pause = FIRST_PAUSE;
    this.socket = null;
  }

  async connect() {
    try {
      const found = await session();
      if (!found.admitted) {
        this.handlers.locked();
        return;
      }
    } catch {
      this.again();
      return;
    }
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/socket`);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.pause = FIRST_PAUSE;
      this.handlers.open();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => {
      this.socket = null;
      this.again();
    };
    this.socket = socket;
  }

  again() {
    this.handlers.closed();
    setTimeout(() => this.connect(), this.pause);
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
  }

  send(type, fields = {}) {
    if (this.socket === null || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ type, ...fields }));
    return true;
  }

  receive(data) {
    if (typeof data === 'string') {
      const message = JSON.parse(data);
      if (message.type === 'state') this.handlers.state(message.state, message.now);
      else if (message.type === 'outline') this.handlers.outline(message);
      else this.handlers.refused(message.reason);
      return;
    }
    const length = new DataView(data).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.handlers.picture(header, new Blob([new Uint8Array(data, 4 + length)]));
  }
}
