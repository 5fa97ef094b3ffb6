// The websocket: comes back by itself and goes on where it was.
export interface Frame { type: "snapshot" | "delta"; channel: string; epoch: string; seq: number; items: any[] }
type Listener = (f: Frame) => void;

export class Live {
  private ws?: WebSocket;
  private wait = 500;
  private heard = 0;
  private subs = new Map<string, { extra: object; on: Listener; seq?: number; epoch?: string; lossless: boolean }>();
  onstate: (up: boolean) => void = () => {};

  constructor() {
    this.connect();
    // A dead line is not always told: ping, and give up on silence.
    setInterval(() => {
      if (this.ws?.readyState !== WebSocket.OPEN) return;
      if (Date.now() - this.heard > 20000) this.ws.close();
      else this.ws.send('{"type":"ping"}');
    }, 7000);
  }

  subscribe(channel: string, on: Listener, extra: object = {}): void {
    const old = this.subs.get(channel);
    const s = { extra, on, seq: old?.seq, epoch: old?.epoch, lossless: channel !== "map" && channel !== "stats" };
    this.subs.set(channel, s);
    this.ask(channel);
  }

  private ask(channel: string): void {
    if (this.ws?.readyState !== WebSocket.OPEN) return;
    const s = this.subs.get(channel)!;
    const resume = s.lossless && s.seq !== undefined ? { since: s.seq, epoch: s.epoch } : {};
    this.ws.send(JSON.stringify({ type: "subscribe", channel, ...s.extra, ...resume }));
  }

  private connect(): void {
    const ws = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws");
    this.ws = ws;
    ws.onopen = () => {
      this.heard = Date.now();
      this.wait = 500;
      this.onstate(true);
      for (const c of this.subs.keys()) this.ask(c);
    };
    ws.onmessage = (ev) => {
      this.heard = Date.now();
      const f = JSON.parse(ev.data) as Frame;
      const s = this.subs.get(f.channel);
      if (!s || (f.type !== "snapshot" && f.type !== "delta")) return;
      if (s.lossless) { s.seq = f.seq; s.epoch = f.epoch; }
      s.on(f);
    };
    ws.onclose = () => {
      this.onstate(false);
      setTimeout(() => this.connect(), this.wait * (0.7 + Math.random() * 0.6));
      this.wait = Math.min(this.wait * 2, 10000);
    };
  }
}
