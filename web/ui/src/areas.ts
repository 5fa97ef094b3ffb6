// The areas as they were on any day: a tree, found by name, and imported from a
// file after a look at what it would change.
import { get, post } from "./api";
import { h, show } from "./dom";
import { lang, num, pick, t } from "./i18n";

interface Label { vi: string; en: string }
interface Area {
  code: string; name: string; name_en: string; type_name: Label; parent_name?: string; valid_from?: string; valid_to?: string; source?: string;
  was?: { name: string; type_name: Label; valid_to?: string };
}
interface Change { row: number; code: string; name: string; fields: { field: string; before: string; after: string }[] }
interface Preview {
  applied: boolean; token?: string; encoding: string; ignored: string[]; added: Change[]; changed: Change[]; ended: Change[]; unchanged: number;
  errors: { row: number; field: string; reason: string }[]; error_count: number;
}

const filter = { q: "", at: "" };
const onPage = 200;
let next = "";

const date = (day: string): string => day.split("-").reverse().join("/");

function query(more: Record<string, string>): string {
  const all = Object.entries({ q: filter.q, at: filter.at, limit: String(onPage), ...more });
  return "/areas?" + new URLSearchParams(all.filter(([k, v]) => v !== "" || k === "parent"));
}

function card(a: Area): HTMLElement {
  const name = lang === "vi" ? a.name : a.name_en || a.name;
  const days = [a.valid_from && t("area.from", { day: date(a.valid_from) }), a.valid_to && t("area.to", { day: date(a.valid_to) })];
  return h("li", { "data-area": a.code }, h("span", { class: "state" }, pick(a.type_name)), " ", h("b", {}, name), a.parent_name ? ` · ${a.parent_name}` : "",
    a.was && h("p", {}, t("area.was", { name: `${pick(a.was.type_name)} ${a.was.name}`, day: a.was.valid_to ? date(a.was.valid_to) : "" })),
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

/** areas draws what the search finds, or the tops of the tree. */
export async function areas(): Promise<HTMLElement[]> {
  const page = await get<{ items: Area[]; next?: string }>(query(filter.q ? {} : { parent: "" }));
  next = page.next ?? "";
  return page.items.map(card);
}

/** areasCut says that there is more than the page shows. */
export const areasCut = (): boolean => next !== "";

/** areaTools is the search, the day of the map, and the import. */
export function areaTools(redraw: () => Promise<void>): HTMLElement {
  const field = (key: "q" | "at", type: string) => {
    const input = h("input", { type, id: "area-" + key, value: filter[key], onchange: () => { filter[key] = input.value.trim(); redraw(); } });
    return h("label", { for: "area-" + key, class: type === "date" ? "time" : undefined }, t("area." + key), input);
  };
  return h("div", {}, h("div", { class: "row filter" }, field("q", "search"), field("at", "date")), importer(redraw));
}

function importer(redraw: () => Promise<void>): HTMLElement {
  const result = h("div", { "aria-live": "polite" });
  const fail = (e: unknown) => show(result, h("p", { class: "error", role: "alert" }, (e as Error).message));
  const file = h("input", { type: "file", id: "area-file", accept: ".csv,.json,.geojson,text/csv,application/geo+json", onchange: async () => {
    const chosen = file.files?.[0];
    if (!chosen) return show(result);
    show(result, h("p", { class: "hint" }, t("loading")));
    try { show(result, ...told(await post<Preview>("/areas/import", chosen), (token) => apply(chosen, token))); } catch (e) { fail(e); }
  } });
  const apply = async (chosen: File, token: string) => {
    try {
      await post<Preview>("/areas/import?preview=" + encodeURIComponent(token), chosen);
      file.value = "";
      show(result, h("p", { role: "status" }, t("area.applied")));
      await redraw();
    } catch (e) { fail(e); }
  };
  return h("details", {}, h("summary", {}, t("area.import")), h("p", { class: "hint" }, t("area.importhelp")), h("label", { for: "area-file" }, t("area.file")), file, result);
}

/** told is a preview in words, with the button that applies it. */
function told(p: Preview, apply: (token: string) => Promise<void>): HTMLElement[] {
  const notes = [p.encoding === "windows-1258" && t("area.codepage"), p.ignored.length > 0 && t("area.ignored", { names: p.ignored.join(", ") })];
  const lines = notes.filter(Boolean).map((n) => h("p", { class: "hint" }, n as string));
  if (p.error_count > 0) {
    return [...lines, h("p", { class: "error", role: "alert" }, t("area.errors", { n: num(p.error_count, 0) })),
      h("ul", {}, ...p.errors.slice(0, 50).map((e) => h("li", {}, t("area.error", { row: num(e.row, 0), field: e.field, reason: e.reason }))))];
  }
  const part = (key: string, changes: Change[]) => changes.length > 0 && h("details", { open: changes.length <= 20 }, h("summary", {}, t("area." + key, { n: num(changes.length, 0) })),
    h("ul", {}, ...changes.slice(0, 200).map((c) => h("li", {}, `${c.name} (${c.code})`, key !== "added" && `: ${c.fields.map((f) => `${f.field} ${f.before || "–"} → ${f.after || "–"}`).join("; ")}`))));
  const some = p.added.length + p.changed.length + p.ended.length > 0;
  const go = h("button", { class: "primary", onclick: () => { go.disabled = true; apply(p.token!); } }, t("area.apply"));
  return [...lines, ...[part("added", p.added), part("changed", p.changed), part("ended", p.ended)].filter((x): x is HTMLDetailsElement => x !== false),
    h("p", { class: "hint" }, t(some ? "area.unchanged" : "area.nothing", { n: num(p.unchanged, 0) })), ...(some ? [go] : [])];
}
