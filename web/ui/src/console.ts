// The officers' lists: reports, alerts, work orders, devices, data sources, dead
// letters.
import "./fonts.css";
import "./base.css";
import { get, post } from "./api";
import { h, released, show } from "./dom";
import { ago, lang, num, pick, switcher, t, when } from "./i18n";
import { deadLetters, deadMore, deadPaged, deadTools, firstPage, readFilter } from "./deadletters";
import { areaTools, areas, areasCut } from "./areas";
import { deviceTools, devices, devicesCount, devicesMore, devicesPaged, firstDevices, readDevices } from "./devices";
import { accounts, accountTools, auditLog, auditTools, unmask } from "./people";
import { shifts } from "./shift";
import { Session, signedIn, userbar } from "./signin";
import { sources } from "./sources";

const tabs = ["reports", "alerts", "orders", "devices", "areas", "sources", "dead", "shift", "people", "audit"] as const;
// What one has to be allowed to see a tab.
const needs: Record<(typeof tabs)[number], string> = { reports: "report.read", alerts: "alert.read", orders: "workorder.read", devices: "device.read", areas: "device.read", sources: "source.read", dead: "deadletter.manage", shift: "stats.read", people: "person.manage", audit: "audit.read" };
let me: Session = { name: "", role: "", mode: "open", actions: [] };
const may = (action: string): boolean => me.actions.includes(action);
/** place reads the tab of the address, and a filter behind it: #dead?format=x. */
function place(): string {
  const code = /^\/d\/([^/]+)$/.exec(location.pathname);
  if (code && !location.hash) { readDevices("life=all&q=" + code[1]); return "devices"; }
  const [name = "", query = ""] = location.hash.slice(1).split("?");
  if (name === "dead") readFilter(query);
  if (name === "devices") readDevices(query);
  return (tabs as readonly string[]).includes(name) ? name : "reports";
}
let tab = place();
const body = h("section", { class: "list", "aria-live": "polite" });
const tools = h("div", {});
let agencies: any[] = [], crews: any[] = [];

const button = (label: string, fn: () => Promise<unknown>) => h("button", { onclick: async (ev: Event) => {
  const b = ev.currentTarget as HTMLButtonElement;
  b.disabled = true;
  try { await fn(); await draw(); } catch (e) { b.disabled = false; b.after(h("small", { class: "error", role: "alert" }, " " + (e as Error).message)); }
} }, label);

/** withText is an action that the record needs words for. */
function withText(label: string, hint: string, fn: (text: string) => Promise<unknown>): HTMLElement {
  const text = h("textarea", { rows: 2, "aria-label": hint, placeholder: hint });
  return h("details", {}, h("summary", {}, label), text, button(label, () => fn(text.value)));
}

function choice(label: string, options: [string, string][], fn: (v: string) => Promise<unknown>): HTMLElement {
  const sel = h("select", { "aria-label": label }, ...options.map(([v, n]) => h("option", { value: v }, n)));
  return h("details", {}, h("summary", {}, label), sel, button(label, () => fn(sel.value)));
}

const views: Record<string, () => Promise<HTMLElement[]>> = {
  async reports() {
    return (await get<any>("/reports?limit=200")).items.map((r: any) => {
      const step = (s: string, b: object) => post(`/reports/${r.code}/${s}`, b);
      const acts = h("div", { class: "acts" });
      if (may("personal.unmask")) acts.append(unmask(r.code));
      const handle = may("report.handle");
      if (handle && r.state === "received") acts.append(button(t("report.accept"), () => step("accept", {})));
      if (handle && (r.state === "received" || r.state === "accepted")) acts.append(withText(t("report.refuse"), t("report.why"), (text) => step("refuse", { text })));
      if (handle && ["received", "accepted", "assigned"].includes(r.state)) acts.append(choice(t("report.assign"), agencies.map((a) => [a.id, lang === "vi" ? a.name : a.name_en]), (agency) => step("assign", { agency })));
      if (may("workorder.send") && ["received", "accepted", "assigned"].includes(r.state)) acts.append(choice(t("order.new"), crews.map((c) => [c.id, c.name]), (crew) => post("/work-orders", { crew, report: r.code })));
      if (handle && ["accepted", "assigned"].includes(r.state)) acts.append(withText(t("report.answer"), t("report.answerwords"), (text) => step("answer", { text })));
      return h("li", { "data-code": r.code }, h("span", { class: "state s-" + r.state }, t("report." + r.state)), " ", h("b", {}, pick(r.category_name)), " ", h("a", { href: "/phan-anh/" + r.code }, r.code), h("p", {}, r.description),
        ...r.photos.map((p: any) => h("img", { class: "thumb", src: p.url, alt: t("report.photo"), loading: "lazy" })), h("small", {}, [when(r.created_at), ago(r.created_at), r.agency_name, r.reporter_masked, r.phone_masked, r.approximate && t("report.approximate")].filter(Boolean).join(" · ")), acts);
    });
  },
  async alerts() {
    return (await get<any>("/alerts?state=all&limit=200")).items.map((a: any) => h("li", { class: a.severity }, h("span", { class: "state" }, t("sev." + a.severity)), " ", h("b", {}, pick(a.rule_name)), ` ${a.device_name || a.device}`, h("p", {}, lang === "vi" ? a.summary : a.summary_en),
      h("small", {}, `${when(a.started_at)}${a.cleared_at ? " – " + when(a.cleared_at) : ""}${a.late ? " · " + t("alert.late") : ""}${a.cohort ? " · " + t("alert.member") : ""}`), h("div", { class: "acts" }, a.acked_at ? t("alert.acked", { by: a.acked_by }) : may("alert.ack") && button(t("alert.ack"), () => post(`/alerts/${a.id}/ack`)))));
  },
  async orders() {
    return (await get<any>("/work-orders")).items.map((w: any) => h("li", {}, h("span", { class: "state s-" + w.state }, t("order." + w.state)), " ", h("b", {}, w.title), h("p", {}, w.crew_name),
      h("ol", { class: "steps" }, ...w.timeline.map((e: any) => h("li", {}, `${t("order." + e.state)} · ${when(e.at)} ${e.by ?? ""} ${e.text ?? ""}`))), ...w.photos.map((p: string) => h("img", { class: "thumb", src: `/media/${p}.jpg`, alt: t("report.photo"), loading: "lazy" })),
      may("workorder.send") && ["offered", "accepted", "en_route", "on_scene"].includes(w.state) ? withText(t("order.cancel"), t("report.why"), (text) => post(`/work-orders/${w.id}/cancel`, { text })) : null));
  },
  devices: () => devices(button),
  areas,
  sources,
  dead: () => deadLetters(button),
  shift: () => shifts(may("shift.keep"), me.name, button, withText),
  people: () => accounts(button, draw),
  audit: () => auditLog(draw),
};

let drawn = 0;
async function draw(): Promise<void> {
  const turn = ++drawn; // an answer that comes late must not stand under another tab or filter
  for (const a of document.querySelectorAll(".tabs a")) a.setAttribute("aria-current", String(a.getAttribute("href") === "#" + tab));
  try {
    const items = await views[tab]!();
    await released();
    if (turn !== drawn) return;
    const more = tab === "dead" ? deadMore(draw) : tab === "devices" && devicesMore(draw);
    const first = tab === "dead" ? more : tab === "areas" ? areasCut() : items.length % 200 === 0 && items.length;
    show(body, h("p", { class: "hint" }, tab === "devices" ? devicesCount(items.length) : t(first ? "list.first" : items.length === 1 ? "list.one" : "list.count", { n: num(items.length, 0) })), items.length ? h("ul", { class: "cardlist" }, ...items) : h("p", { class: "empty" }, t("list.empty." + tab)), more);
  } catch (e) { if (turn === drawn) show(body, h("p", { class: "error", role: "alert" }, (e as Error).message), button(t("retry"), async () => {})); }
}

async function main(): Promise<void> {
  document.title = t("console.title") + " – Hải Đăng";
  me = await signedIn();
  const mine = tabs.filter((x) => may(needs[x]));
  [agencies, crews] = await Promise.all([get<any>("/agencies").then((x) => x.items), may("workorder.read") ? get<any>("/crews").then((x) => x.items) : []]);
  document.body.append(h("main", { class: "page" }, h("header", { class: "bar" }, h("h1", {}, t("console.title")), h("a", { href: "/suc-khoe" }, t("health.title")), userbar(me), switcher()), h("nav", { class: "tabs" }, ...mine.map((x) => h("a", { href: "#" + x }, t("tab." + x)))), tools, body));
  const enter = () => { tab = place(); firstPage(); firstDevices(); show(body, h("p", { class: "empty" }, t("loading"))); show(tools, tab === "dead" && deadTools(draw), tab === "areas" && areaTools(draw), tab === "devices" && deviceTools(draw), tab === "audit" && auditTools(draw), tab === "people" && accountTools(draw)); draw(); };
  addEventListener("hashchange", enter);
  enter();
  // Nothing is drawn anew under somebody's hands.
  setInterval(() => { if (!body.querySelector("details[open]") && !body.contains(document.activeElement) && !(tab === "dead" && deadPaged()) && !(tab === "devices" && devicesPaged())) draw(); }, 10000);
}
main().catch((e) => document.body.append(h("p", { class: "page error", role: "alert" }, t("error.start") + " " + (e as Error).message)));
