// Sound: distinct for each severity, quiet until wanted, and honest while the
// browser blocks it.
import { h, released, show } from "./dom";
import { t } from "./i18n";

const tones: Record<string, number[]> = { critical: [880, 660, 880, 660], major: [660, 520], minor: [520], info: [] };

export class Siren {
  private ctx?: AudioContext;
  private shown = "";
  private muted = localStorage.getItem("muted") === "1";

  constructor(private el: HTMLElement) {
    this.start();
    for (const ev of ["pointerdown", "keydown"]) addEventListener(ev, () => this.start(), { once: true });
    setInterval(() => this.draw(), 2000);
  }

  private start(): void {
    try {
      this.ctx ??= new AudioContext();
      this.ctx.resume().then(() => this.draw(), () => this.draw());
    } catch { /* no sound device: draw says so */ }
    this.draw();
  }

  private async draw(): Promise<void> {
    await released(); // the first press ends the warning, which moves what is below it
    const blocked = !this.ctx || this.ctx.state !== "running";
    const now = `${blocked} ${this.muted}`;
    if (now === this.shown) return; // an alert said every two seconds is noise
    this.shown = now;
    const button = h("button", { "aria-pressed": this.muted, onclick: () => {
      this.muted = !this.muted;
      localStorage.setItem("muted", this.muted ? "1" : "0");
      this.start();
      if (!this.muted) this.play("minor");
    } }, this.muted ? t("sound.muted") : t("sound.on"));
    show(this.el, blocked && !this.muted ? h("strong", { class: "blocked", role: "alert" }, t("sound.blocked")) : null, button);
  }

  play(severity: string): void {
    if (this.muted || this.ctx?.state !== "running") return;
    const c = this.ctx;
    (tones[severity] ?? []).forEach((hz, i) => {
      const o = c.createOscillator(), g = c.createGain(), at = c.currentTime + i * 0.28;
      o.frequency.value = hz;
      g.gain.setValueAtTime(0.0001, at);
      g.gain.exponentialRampToValueAtTime(0.3, at + 0.02);
      g.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
      o.connect(g).connect(c.destination);
      o.start(at);
      o.stop(at + 0.27);
    });
  }
}
