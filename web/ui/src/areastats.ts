// What happened in each area, on the map of any day: of before or after the
// merger of 1 July 2025.
import { get } from "./api";
import { dayStart, readDay, sayDay, wrongDay } from "./dates";
import { h, show } from "./dom";
import { num, pick, t, when } from "./i18n";
import { Label, named } from "./lookups";

interface Counts { alerts: number; reports: number; work_orders: number }
interface Row extends Counts { area: string; area_version: string; name: string; name_en: string; type: string; type_name: Label; with_children: Counts }
interface Stats { map: string; from: string; to: string; level: string; items: Row[]; elsewhere: Counts; total: Counts }

const levels = ["", "province", "city", "district", "urban_district", "town", "commune", "ward", "township", "special_zone", "sea", "operational"], columns = ["alerts", "reports", "work_orders"] as const;
const eve = "30/06/2025"; // the last day of the old map
const chosen = { map: "", from: "", to: "", level: "", whole: true };

const sum = (c: Counts): number => c.alerts + c.reports + c.work_orders;

function table(s: Stats): HTMLElement {
  const of = (r: Row): Counts => (chosen.whole ? r.with_children : r);
  const cells = (c: Counts) => columns.map((k) => h("td", { "data-label": t("areastats." + k), class: c[k] ? "" : "zero" }, num(c[k], 1)));
  const items = s.items.filter((r) => sum(of(r)) > 0).sort((a, b) => sum(of(b)) - sum(of(a)) || named(a).localeCompare(named(b)));
  return h("div", {}, h("p", { class: "hint" }, t("areastats.said", { map: sayDay(s.map), from: when(s.from), to: when(s.to) })),
    sum(s.total) ? h("div", { class: "grouped" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("tab.areas")), ...columns.map((k) => h("th", { scope: "col" }, t("areastats." + k))))),
      h("tbody", {}, ...items.map((r) => h("tr", { "data-counts": r.area }, h("th", { scope: "row" }, named(r), " ", h("small", {}, pick(r.type_name))), ...cells(of(r)))),
        sum(s.elsewhere) ? h("tr", {}, h("th", { scope: "row" }, t("areastats.elsewhere")), ...cells(s.elsewhere)) : null, h("tr", { id: "areastats-total" }, h("th", { scope: "row" }, t("areastats.total")), ...cells(s.total))))) : h("p", { class: "empty" }, t("areastats.none")),
    [...items.map(of), s.elsewhere].some((c) => columns.some((k) => !Number.isInteger(c[k]))) ? h("p", { class: "hint" }, t("areastats.shares")) : null);
}

/** areaStats is the table and what it is chosen by, asked for when somebody opens it. */
export function areaStats(): HTMLElement {
  const body = h("div", { "aria-live": "polite" }), says: HTMLElement[] = [];
  let turn = 0, got: Stats | undefined;
  const draw = async () => {
    const now = ++turn; // an answer that comes late must not stand under another choice
    show(body, h("p", { class: "hint" }, t("loading")));
    try {
      const q = Object.entries({ map: readDay(chosen.map) ?? "", from: dayStart(chosen.from), to: dayStart(chosen.to, 1), level: chosen.level }).filter(([, v]) => v) as [string, string][];
      got = await get<Stats>("/stats/areas?" + new URLSearchParams(q));
      if (now === turn) show(body, table(got));
    } catch (e) {
      if (now === turn) show(body, h("p", { class: "error", role: "alert" }, (e as Error).message), h("button", { type: "button", onclick: draw }, t("retry")));
    }
  };
  const day = (name: "map" | "from" | "to") => {
    const fault = h("small", { class: "error", role: "alert", id: `areastats-${name}-fault` });
    const input = h("input", { id: "areastats-" + name, value: chosen[name], maxlength: 10, inputmode: "numeric", placeholder: t("form.dayform"), "aria-describedby": fault.id, onchange: () => {
      fault.textContent = wrongDay(input.value);
      chosen[name] = input.value.trim();
      if (!says.some((x) => x.textContent)) draw();
    } });
    says.push(fault);
    return { input, el: h("label", { for: input.id, class: "time" }, t("areastats." + name), input, fault) };
  };
  const map = day("map"), from = day("from"), to = day("to");
  const turnTo = (label: string, value: string) => h("button", { type: "button", onclick: () => { map.input.value = value; map.input.dispatchEvent(new Event("change")); } }, label);
  const level = h("select", { id: "areastats-level", onchange: () => { chosen.level = level.value; draw(); } }, ...levels.map((l) => h("option", { value: l, selected: l === chosen.level }, t("areastats.level." + (l || "any")))));
  const whole = h("input", { type: "checkbox", class: "tick", id: "areastats-whole", checked: chosen.whole, onchange: () => { chosen.whole = whole.checked; if (got) show(body, table(got)); } });
  const el = h("details", { class: "wide", id: "areastats", ontoggle: () => { if (el.open && !body.firstChild) draw(); } }, h("summary", {}, t("areastats.title")), h("p", { class: "hint" }, t("areastats.help")),
    h("div", { class: "acts" }, turnTo(t("areastats.before"), eve), turnTo(t("areastats.after"), "")), h("div", { class: "row filter" }, map.el, from.el, to.el, h("label", { for: level.id }, t("areastats.level"), level)), h("label", { class: "ticked", for: whole.id }, whole, " ", t("areastats.whole")), body);
  return el;
}
