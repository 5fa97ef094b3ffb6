// How devices do: groups, then devices, the worst first; one opened shows its
// metrics, its outages and what it was told.
import "./fonts.css";
import "./base.css";
import { get } from "./api";
import { signedIn } from "./signin";
import { commands } from "./commands";
import { h, released, show } from "./dom";
import { span } from "./span";
import { ago, lang, num, switcher, t, when } from "./i18n";

interface Group { key: string; name: string; name_en: string; devices: number; live: number; late: number; silent: number; dead: number; never: number; availability?: number }
interface Metric { state: string; last_seen: string; timeout_s: number; timeout_learned: boolean }
interface Device {
  id: string; name: string; area_name: string; agency?: string; vendor?: string; network?: string; gateway?: string; firmware?: string; state: string; since?: string; last_seen?: string;
  timeout_s: number; timeout_learned: boolean; availability?: number; silent_metrics: number; vitals: Record<string, { value: number; unit: string; ts: string }>;
  numbering: { clock_ahead_s?: number; seq_gaps: number; seq_missing: number };
  metrics?: Record<string, Metric>; availability_over?: Record<string, number | null>; outages?: { last_seen: string; due_at: string; back_at: string }[];
}

const states = ["live", "late", "silent", "dead", "never"] as const;
const pageSize = 50;
let mayAct = false, mayConfigure = false;

const share = (x?: number | null): string => (x === undefined || x === null ? "–" : num(100 * x, 1) + " %");

const fresh = (state: string) => h("span", { class: "fresh " + state }, t("fresh." + state));
const meter = (x?: number) => h("meter", { min: 0, max: 1, low: 0.9, high: 0.98, optimum: 1, value: x ?? 0, "aria-label": t("health.availability") }, share(x));

function select(id: string, label: string, options: [string, string][], chosen: string): HTMLLabelElement {
  return h("label", {}, label, h("select", { id }, ...options.map(([v, n]) => h("option", { value: v, selected: v === chosen }, n))));
}

/** asked is what the filter says, as a query; the address keeps it. */
function asked(form: HTMLFormElement): URLSearchParams {
  const q = new URLSearchParams();
  for (const el of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>("select, input")) if (el.value) q.set(el.id, el.value);
  return q;
}

function filter(q: URLSearchParams, changed: () => void): HTMLFormElement {
  const form = h("form", { class: "filter row", role: "search" },
    select("window", t("health.window"), ["24h", "7d", "30d"].map((w) => [w, t("health.window." + w)]), q.get("window") ?? "24h"),
    select("by", t("health.by"), ["type", "area", "agency", "vendor"].map((b) => [b, t("health.by." + b)]), q.get("by") ?? "type"),
    select("state", t("health.state"), [["", t("health.any")], ...states.map((s): [string, string] => [s, t("fresh." + s)])], q.get("state") ?? ""),
    h("label", {}, t("health.search"), h("input", { id: "q", type: "search", value: q.get("q") ?? "" })));
  for (const name of ["type", "area", "agency", "vendor"]) form.append(h("input", { id: name, type: "hidden", value: q.get(name) ?? "" }));
  form.addEventListener("change", changed);
  form.addEventListener("submit", (ev) => { ev.preventDefault(); changed(); });
  return form;
}

function groupRow(g: Group, by: string, pick: (key: string) => void): HTMLElement {
  const name = (lang === "vi" ? g.name : g.name_en) || t("health.unknown." + by);
  return h("tr", {}, h("th", { scope: "row" }, h("button", { class: "plain", onclick: () => pick(g.key || "-") }, name)), h("td", {}, meter(g.availability), " ", share(g.availability)),
    ...states.map((s) => h("td", { class: g[s] ? "fresh " + s : "zero", "data-label": t("fresh." + s) }, num(g[s], 0))), h("td", { "data-label": t("health.devices") }, num(g.devices, 0)));
}

function facts(d: Device): string[] {
  const c = d.numbering.clock_ahead_s ?? 0;
  return [
    d.since ? (d.state === "live" ? t("health.since.live", { ago: ago(d.since), at: when(d.since) }) : t("health.since.gone", { ago: ago(d.since), at: when(d.since) })) : t("health.since.never"),
    d.timeout_s ? t(d.timeout_learned ? "health.timeout.learned" : "health.timeout", { span: span(d.timeout_s) }) : t("health.timeout.none"),
    ...Object.entries(d.vitals).map(([name, v]) => t("health.vital." + name, { value: num(v.value, 1) + " " + v.unit, ago: ago(v.ts) })),
    d.silent_metrics ? t("health.silentmetrics", { n: d.silent_metrics }) : "",
    d.numbering.seq_missing ? t("health.missing", { n: num(d.numbering.seq_missing, 0) }) : "",
    Math.abs(c) > 5 ? t(c > 0 ? "health.clock.ahead" : "health.clock.behind", { span: span(Math.abs(c)) }) : "",
    d.firmware ? t("health.firmware", { version: d.firmware }) : "",
  ].filter(Boolean);
}

/** opened fills a device's card with all that is known. */
async function opened(box: HTMLElement, id: string): Promise<void> {
  const d = await get<Device>(`/devices/${id}/health`);
  const outages = d.outages ?? [], metrics = Object.entries(d.metrics ?? {});
  show(box,
    h("div", { class: "figures" }, ...["24h", "7d", "30d"].map((w) => h("span", { class: "figure" }, h("small", {}, t("health.window." + w)), " ", h("b", {}, share(d.availability_over?.[w]))))),
    h("h3", {}, t("health.metrics")), metrics.length ? h("ul", { class: "plainlist" }, ...metrics.map(([name, m]) => h("li", {}, fresh(m.state), " ", h("b", {}, name), " ", h("small", {}, ago(m.last_seen) + (m.timeout_s ? " · " + t(m.timeout_learned ? "health.timeout.learned" : "health.timeout", { span: span(m.timeout_s) }) : ""))))) : h("p", { class: "empty" }, t("device.nodata")),
    h("h3", {}, t("health.outages")), outages.length ? h("ul", { class: "plainlist" }, ...outages.slice(0, 20).map((o) => h("li", {}, t("health.outage", { from: when(o.last_seen), to: when(o.back_at), span: span((Date.parse(o.back_at) - Date.parse(o.last_seen)) / 1000) })))) : h("p", { class: "empty" }, t("health.outages.none")),
    await commands(id, mayAct, mayConfigure));
}

function card(d: Device): HTMLElement {
  const box = h("div", {});
  const details = h("details", {}, h("summary", {}, t("health.more")), box);
  details.addEventListener("toggle", () => {
    if (!details.open || box.hasChildNodes()) return;
    show(box, h("p", { class: "empty" }, t("loading")));
    opened(box, d.id).catch((e) => show(box, h("p", { class: "error", role: "alert" }, (e as Error).message)));
  });
  return h("li", { "data-device": d.id }, fresh(d.state), " ", h("b", {}, d.name || d.id), " ", h("small", {}, [d.id, d.area_name, d.agency, d.vendor, d.network, d.gateway].filter(Boolean).join(" · ")),
    h("p", {}, meter(d.availability), " ", h("b", {}, share(d.availability))), h("p", {}, facts(d).join(" · ")), details);
}

async function main(): Promise<void> {
  document.title = t("health.title") + " – Hải Đăng";
  const me = await signedIn();
  mayAct = me.actions.includes("device.command");
  mayConfigure = me.actions.includes("device.manage");
  const groups = h("section", { class: "grouped" }), list = h("section", { class: "list", "aria-live": "polite" });
  let turn = 0;
  const form = filter(new URLSearchParams(location.hash.slice(1)), () => { draw(); });
  const csv = h("a", { download: "device-health.csv" }, t("health.csv"));
  const field = (id: string) => form.querySelector<HTMLInputElement | HTMLSelectElement>("#" + id)!;

  async function draw(): Promise<void> {
    const now = ++turn, q = asked(form), by = q.get("by") ?? "type";
    history.replaceState(null, "", "#" + q);
    csv.href = "/api/v1/health/devices?export=csv&" + q;
    try {
      const [sum, first] = await Promise.all([get<{ items: Group[]; all: Group }>("/health?" + q), get<{ items: Device[]; total: number; next?: string }>(`/health/devices?limit=${pageSize}&` + q)]);
      await released();
      if (now !== turn) return;
      const narrowed = ["type", "area", "agency", "vendor"].filter((n) => q.has(n));
      show(groups, h("div", { class: "figures" }, h("span", { class: "figure" }, h("small", {}, t("health.availability")), " ", h("b", {}, share(sum.all.availability))), ...states.map((s) => h("span", { class: "figure" }, fresh(s), " ", h("b", {}, num(sum.all[s], 0))))),
        narrowed.length ? h("p", {}, h("button", { onclick: () => { for (const n of narrowed) field(n).value = ""; draw(); } }, t("health.all"))) : null,
        sum.items.length ? h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("health.by." + by)), h("th", { scope: "col" }, t("health.availability")), ...states.map((s) => h("th", { scope: "col" }, t("fresh." + s))), h("th", { scope: "col" }, t("health.devices")))),
          h("tbody", {}, ...sum.items.map((g) => groupRow(g, by, (key) => { field(by).value = key; draw(); })))) : null);
      const cards = h("ul", { class: "cardlist" }, ...first.items.map(card));
      show(list, h("h2", {}, t("health.worst")), h("p", { class: "hint" }, t("health.count", { n: num(first.total, 0) })), first.items.length ? cards : h("p", { class: "empty" }, t("health.none")), more(cards, q, first.next));
    } catch (e) {
      if (now === turn) show(list, h("p", { class: "error", role: "alert" }, (e as Error).message), h("button", { onclick: () => draw() }, t("retry")));
    }
  }

  /** more is the button that adds the next page; nothing at the end. */
  function more(cards: HTMLElement, q: URLSearchParams, next?: string): HTMLElement | null {
    if (!next) return null;
    const button = h("button", { class: "more", onclick: async () => {
      button.disabled = true;
      try {
        const page = await get<{ items: Device[]; next?: string }>(`/health/devices?limit=${pageSize}&cursor=${next}&` + q);
        const shown = new Set([...cards.children].map((c) => (c as HTMLElement).dataset.device)); // the order moves meanwhile
        cards.append(...page.items.filter((d) => !shown.has(d.id)).map(card));
        next = page.next;
        button.disabled = false;
        if (!next) button.remove();
      } catch (e) { button.disabled = false; button.after(h("small", { class: "error", role: "alert" }, " " + (e as Error).message)); }
    } }, t("health.morebutton"));
    return button;
  }

  document.body.append(h("main", { class: "page" }, h("header", { class: "bar" }, h("h1", {}, t("health.title")), h("span", {}, h("a", { href: "/bang" }, t("console.title")), " ", switcher())), form, groups, h("p", {}, csv), list));
  await draw();
  // Nothing is drawn anew under somebody's hands.
  setInterval(() => { if (!list.querySelector("details[open]") && !document.activeElement?.closest("form, .list, .grouped") && list.querySelectorAll("li[data-device]").length <= pageSize) draw(); }, 15000);
}
main().catch((e) => document.body.append(h("p", { class: "page error", role: "alert" }, t("error.start") + " " + (e as Error).message)));
