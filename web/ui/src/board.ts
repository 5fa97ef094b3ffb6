// The alert board: worst first, then oldest; acknowledge and send a crew.
import { post } from "./api";
import { h, released, show } from "./dom";
import { ago, lang, num, pick, t, when } from "./i18n";
import type { Frame } from "./live";
import type { Siren } from "./siren";

const order = ["critical", "major", "minor", "info"];
export const shapes: Record<string, string> = { critical: "◆", major: "▲", minor: "●", info: "■" };
const active = ["offered", "accepted", "en_route", "on_scene"];

export class Board {
  private byID = new Map<string, any>();
  private work = new Map<string, any>();
  private open = new Map<string, any>();
  private busy = false;
  private begun = false;
  private later = 0;
  private unfolded = new Set<string>(); // group outages whose devices are shown
  private says = h("p", { class: "unseen", role: "status", "aria-live": "assertive" });
  private list = h("div", {});

  constructor(private el: HTMLElement, private crews: any[], private mayAct: boolean, private siren: Siren, private locate: (a: any) => void) {
    el.append(this.says, this.list);
    this.draw();
    setInterval(() => this.draw(), 15000);
  }

  alerts(f: Frame): void {
    // A restarted server answers with a new snapshot: what was raised meanwhile
    // is new to the room too. Only the first one of all is silent.
    let worst = "", words = "";
    // One found late is silent; it sounds when it proves to go on live. One that
    // is part of a group outage sounds when it does not end with it.
    const known = new Set([...this.byID].filter(([, a]) => !a.late && !a.cohort).map(([id]) => id));
    const first = !this.begun;
    this.begun = true;
    if (f.type === "snapshot") this.byID.clear();
    for (const a of f.items) {
      const fresh = !first && !known.has(a.id) && a.state === "open" && !a.acked_at && !a.late && !a.cohort;
      if (a.state === "closed" && a.acked_at) this.byID.delete(a.id);
      else this.byID.set(a.id, a);
      if (fresh && (worst === "" || order.indexOf(a.severity) < order.indexOf(worst))) [worst, words] = [a.severity, `${t("sev." + a.severity)}: ${pick(a.rule_name)}, ${a.device_name || a.device}`];
    }
    if (worst) { // a burst sounds once, as its worst
      this.siren.play(worst);
      this.says.textContent = words;
    }
    this.draw();
  }

  orders(f: Frame): void {
    if (f.type === "snapshot") this.work.clear();
    for (const w of f.items) this.work.set(w.id, w);
    this.draw();
  }

  reports(f: Frame): void {
    if (f.type === "snapshot") this.open.clear();
    for (const r of f.items) {
      if (r.state === "answered" || r.state === "refused") this.open.delete(r.code);
      else this.open.set(r.code, r);
    }
    this.draw();
  }

  /** draw gathers what comes within a frame's time: a flood is drawn a few times a second. */
  private draw(): void {
    this.later ||= setTimeout(async () => { await released(); this.later = 0; this.drawNow(); }, 100) as unknown as number;
  }

  private drawNow(): void {
    if (this.busy) return; // somebody is choosing a crew: nothing jumps
    // The silences of a group outage stand under it, not beside it.
    const list = [...this.byID.values()].filter((a) => !this.above(a)).sort((a, b) =>
      (a.state === b.state ? 0 : a.state === "open" ? -1 : 1) || order.indexOf(a.severity) - order.indexOf(b.severity) || a.started_at.localeCompare(b.started_at));
    const orders = [...this.work.values()].filter((w) => active.includes(w.state)).sort((a, b) => b.updated_at.localeCompare(a.updated_at));
    const reports = [...this.open.values()].sort((a, b) => a.created_at.localeCompare(b.created_at));
    const at = this.el.scrollTop;
    const held = document.activeElement?.closest<HTMLElement>("[data-id]");
    const which = held && this.el.contains(held) ? [held.dataset.id!, document.activeElement!.className] : undefined;
    show(this.list,
      h("h2", {}, t("board.title"), h("span", { class: "count" }, num(list.filter((a) => a.state === "open").length, 0))),
      list.length ? h("ul", { class: "alerts" }, ...list.slice(0, 200).map((a) => this.alert(a))) : h("p", { class: "empty" }, t("board.empty")),
      list.length > 200 ? h("p", { class: "empty" }, t("board.more", { n: num(list.length - 200, 0) })) : null,
      h("h2", {}, t("orders.title"), h("span", { class: "count" }, String(orders.length))),
      orders.length ? h("ul", { class: "orders" }, ...orders.slice(0, 50).map((w) => h("li", {}, h("span", { class: "state s-" + w.state }, t("order." + w.state)), " ", h("b", {}, w.crew_name), h("div", {}, w.title), h("small", {}, ago(w.updated_at))))) : h("p", { class: "empty" }, t("orders.empty")),
      h("h2", {}, t("reports.open"), h("span", { class: "count" }, String(reports.length))),
      reports.length ? h("ul", { class: "orders" }, ...reports.slice(0, 50).map((r) => h("li", {}, h("span", { class: "state" }, t("report." + r.state)), " ", h("b", {}, pick(r.category_name)), h("div", {}, r.description), h("small", {}, r.code + " · " + ago(r.created_at))))) : h("p", { class: "empty" }, t("reports.empty")));
    this.el.scrollTop = at; // the list stays under the cursor, and the focus where it was
    if (which?.[1]) this.list.querySelector<HTMLElement>(`[data-id="${CSS.escape(which[0]!)}"] button.${which[1]!.split(" ")[0]}`)?.focus({ preventScroll: true });
  }

  /** above is the open group outage that an open alert is part of. */
  private above(a: any): any {
    const group = a.cohort && this.byID.get(a.cohort);
    return a.state === "open" && group?.state === "open" ? group : undefined;
  }

  /** members lists the devices of a group outage; those that raised an alert of their own say since when. */
  private members(a: any): HTMLElement {
    const own = new Map([...this.byID.values()].filter((m) => m.cohort === a.id && m.state === "open").map((m) => [m.device, m]));
    const line = (id: string) => {
      const m = own.get(id);
      return h("li", {}, m ? h("button", { class: "plain", onclick: () => this.locate(m) }, m.device_name || id) : id, m ? h("small", {}, " " + (lang === "vi" ? m.summary : m.summary_en)) : null);
    };
    const box = h("details", { class: "members", open: this.unfolded.has(a.id) }, h("summary", {}, t("alert.members", { n: num(a.members.length, 0) })), h("ul", { class: "plainlist" }, ...a.members.slice(0, 1000).map(line)));
    box.addEventListener("toggle", () => { if (box.open) this.unfolded.add(a.id); else this.unfolded.delete(a.id); });
    return box;
  }

  private alert(a: any): HTMLElement {
    const li = h("li", { class: `alert ${a.severity} ${a.state}${a.acked_at ? " acked" : ""}`, "data-id": a.id, "data-rule": a.rule },
      h("button", { class: "what", onclick: () => this.locate(a) },
        h("span", { class: "sev" }, shapes[a.severity] + " " + t("sev." + a.severity)),
        h("b", {}, pick(a.rule_name)),
        h("span", {}, a.device_name || a.device),
        h("span", { class: "sum" }, lang === "vi" ? a.summary : a.summary_en),
        h("small", {}, when(a.started_at) + " · " + ago(a.started_at) + (a.late ? " · " + t("alert.late") : "") + (a.state === "closed" ? " · " + t("alert.closed") : ""))));
    if (a.members?.length) li.append(this.members(a));
    if (a.acked_at) li.append(h("small", { class: "ackedby" }, t("alert.acked", { by: a.acked_by || "?" })));
    if (!this.mayAct) return li;
    const says = h("small", { class: "error", role: "alert" });
    const acts = h("div", { class: "acts" });
    if (!a.acked_at) {
      acts.append(h("button", { class: "ack", onclick: async () => {
        try { await post(`/alerts/${a.id}/ack`); } catch (e) { says.textContent = (e as Error).message; }
      } }, t("alert.ack")));
    }
    acts.append(h("button", { class: "send", onclick: () => this.send(li, a, says) }, t("order.new")));
    li.append(acts, says);
    return li;
  }

  private send(li: HTMLElement, a: any, says: HTMLElement): void {
    this.busy = true;
    const done = () => { this.busy = false; this.draw(); };
    const box = h("div", { class: "crews" }, h("span", {}, t("order.whom")),
      ...this.crews.map((c) => h("button", { "data-crew": c.id, onclick: async () => {
        try { await post("/work-orders", { crew: c.id, alert: a.id }); done(); } catch (e) { says.textContent = (e as Error).message; }
      } }, c.call_sign + " " + c.name)),
      h("button", { onclick: done }, t("cancel")));
    li.querySelector(".acts")!.replaceWith(box);
    box.querySelector("button")?.focus();
  }
}
