// The tiles answer: what is not reporting, how fast is it, what is overdue.
import { h } from "./dom";
import { ago, num, t } from "./i18n";

const tile = (cls: string, label: string, value: string, ...more: (HTMLElement | null)[]): HTMLElement =>
  h("div", { class: "tile " + cls }, h("span", { class: "name" }, label), h("span", { class: "value" }, value), ...more);

const labels = ["alerts", "devices", "oldest", "reports", "rate", "delay"];

/** blank is the tiles before the first figures: nothing below moves when they come. */
export const blank = (): HTMLElement[] => labels.map((l) => tile("", t("tile." + l), "…", h("span", { class: "sub" })));

export function tiles(s: any): HTMLElement[] {
  const d = s.devices, a = s.alerts, r = s.reports;
  const part = (k: string, n: number) => h("span", { class: "part " + k }, t("fresh." + k) + " " + num(n, 0));
  return [
    tile(a.critical ? "bad" : a.major ? "warn" : "", t("tile.alerts"), num(a.critical + a.major + a.minor + a.info, 0), h("span", { class: "sub" }, t("tile.unacked", { n: num(a.unacked, 0) }))),
    tile(d.silent ? "warn" : "", t("tile.devices"), `${num(d.live, 0)}/${num(d.total, 0)}`, h("span", { class: "sub" }, part("live", d.live), part("late", d.late), part("silent", d.silent), part("never", d.never))),
    tile(s.oldest_unanswered ? "warn" : "", t("tile.oldest"), s.oldest_unanswered ? ago(s.oldest_unanswered.created_at) : t("tile.none"), h("span", { class: "sub" }, s.oldest_unanswered?.code ?? "")),
    tile("", t("tile.reports"), num(r.received + r.accepted + r.assigned, 0), h("span", { class: "sub" }, t("tile.reportparts", { received: r.received, assigned: r.assigned + r.accepted, answered: r.answered }))),
    tile("", t("tile.rate"), num(s.readings_per_second, 1), h("span", { class: "sub" }, t("tile.persecond"))),
    tile("", t("tile.delay"), s.delay_ms.samples ? `${num(s.delay_ms.p50, 0)} / ${num(s.delay_ms.p99, 0)} ms` : t("tile.none"), h("span", { class: "sub" }, "p50 / p99")),
  ];
}
