// The areas as they were on any day: a tree, found by name, and imported from a
// file after a look at what it would change.
import { get } from "./api";
import { areaStats } from "./areastats";
import { Preview, importer } from "./csvimport";
import { readDay, sayDay, wrongDay } from "./dates";
import { h, show } from "./dom";
import { lang, pick, t } from "./i18n";
import { changed } from "./lookups";
import { Redraw, cards } from "./section";

interface Label { vi: string; en: string }
interface Area {
  code: string; name: string; name_en: string; type_name: Label; parent_name?: string; valid_from?: string; valid_to?: string; source?: string;
  was?: { name: string; type_name: Label; valid_to?: string };
}
interface Change { row: number; code: string; name: string; fields: { field: string; before: string; after: string }[] }
interface AreaPreview extends Preview { added: Change[]; changed: Change[]; ended: Change[] }

const filter = { q: "", at: "" };
const onPage = 200;
let next = "";

function query(more: Record<string, string>): string {
  const all = Object.entries({ q: filter.q, at: readDay(filter.at) ?? "", limit: String(onPage), ...more });
  return "/areas?" + new URLSearchParams(all.filter(([k, v]) => v !== "" || k === "parent"));
}

function card(a: Area): HTMLElement {
  const name = lang === "vi" ? a.name : a.name_en || a.name;
  const days = [a.valid_from && t("area.from", { day: sayDay(a.valid_from) }), a.valid_to && t("area.to", { day: sayDay(a.valid_to) })];
  return h("li", { "data-area": a.code }, h("span", { class: "state" }, pick(a.type_name)), " ", h("b", {}, name), a.parent_name ? ` · ${a.parent_name}` : "",
    a.was && h("p", {}, t("area.was", { name: `${pick(a.was.type_name)} ${a.was.name}`, day: a.was.valid_to ? sayDay(a.was.valid_to) : "" })),
    h("p", {}, h("small", {}, [a.code, ...days, a.source].filter(Boolean).join(" · "))), inside(a.code));
}

/** inside is what lies in an area, asked for when somebody opens it. */
function inside(code: string): HTMLElement {
  const list = h("ul", { class: "cardlist" }), note = h("p", { class: "hint" });
  const all = h("details", { ontoggle: async () => {
    if (!all.open || list.childElementCount) return;
    note.textContent = t("loading");
    try {
      const items = await every({ q: "", parent: code });
      show(list, ...items.map(card));
      note.textContent = items.length ? "" : t("area.empty");
    } catch (e) { note.textContent = (e as Error).message; }
  } }, h("summary", {}, t("area.inside")), note, list);
  return all;
}

async function every(more: Record<string, string>): Promise<Area[]> {
  const items: Area[] = [];
  for (let cursor = ""; ;) {
    const page = await get<{ items: Area[]; next?: string }>(query({ ...more, cursor }));
    items.push(...page.items);
    if (!(cursor = page.next ?? "")) return items;
  }
}

/** items draws what the search finds, or the tops of the tree. */
async function items(): Promise<HTMLElement[]> {
  const page = await get<{ items: Area[]; next?: string }>(query(filter.q ? {} : { parent: "" }));
  next = page.next ?? "";
  return page.items.map(card);
}

/** tools is the search, the day of the map, what happened where, and the import. */
function tools(redraw: Redraw, manage: boolean, counts: boolean): HTMLElement {
  const says = h("small", { class: "error", role: "alert" });
  const q = h("input", { type: "search", id: "area-q", value: filter.q, maxlength: 100, onchange: () => { filter.q = q.value.trim(); redraw(); } });
  const at = h("input", { id: "area-at", value: filter.at, maxlength: 10, inputmode: "numeric", placeholder: t("form.dayform"), "aria-describedby": "area-at-fault", onchange: () => {
    says.textContent = wrongDay(at.value);
    if (says.textContent) return;
    filter.at = at.value.trim();
    redraw();
  } });
  says.id = "area-at-fault";
  return h("div", {}, h("div", { class: "row filter" }, h("label", { for: "area-q" }, t("area.q"), q), h("label", { for: "area-at", class: "time" }, t("area.at"), at, says)), counts ? areaStats() : null, manage ? areaImport(async () => { changed(); await redraw(); }) : null);
}

const said = (c: Change, fields: boolean): string => `${c.name} (${c.code})` + (fields ? `: ${c.fields.map((f) => `${f.field} ${f.before || "–"} → ${f.after || "–"}`).join("; ")}` : "");

const areaImport = (redraw: Redraw) => importer<AreaPreview>({
  path: "/areas/import", accept: ".csv,.json,.geojson,text/csv,application/geo+json", id: "area-file", title: t("area.import"), help: t("area.importhelp"),
  changes: (p) => [["added", p.added.map((c) => said(c, false))], ["changed", p.changed.map((c) => said(c, true))], ["ended", p.ended.map((c) => said(c, true))]],
}, redraw);

export const areaList = cards("areas", ["device.read"], { items, tools: (redraw, desk) => tools(redraw, desk.everywhere("area.manage"), desk.everywhere("stats.read")), more: () => next ? h("p", { class: "hint" }, t("area.cut")) : null });
