// How long each class of data is kept, what the nightly run would remove and
// removed, and what is held from it.
import { call, get, post } from "./api";
import { dayStart } from "./dates";
import { h, show } from "./dom";
import { num, pick, t, when } from "./i18n";
import { cards } from "./section";
import { field, form } from "./signin";

interface Label { vi: string; en: string }
interface Class {
  id: string; name: Label; covers: Label; keep: string; least: string; law: Label; does: string; typed: boolean; by_type: Record<string, string>; fixed: boolean; version: number;
}
interface Lot { what: string; type?: string; count: number; bytes?: number; oldest?: string; newest?: string }
interface Run {
  id?: number; started_at: string; ended_at?: string; state: string; resumed?: number; by: string; tracks?: string;
  items: { class: string; keep: string; state: string; note?: string; would: Lot[]; removed: Lot[] }[];
}
interface Hold { id: number; device?: string; report?: string; area?: string; from?: string; to?: string; reason: string; by: string; at: string; lifted_at?: string; lifted_by?: string; lifted_why?: string }

const units = ["D", "M", "Y"] as const;
let classes: Class[] = [], types: { id: string; name: Label }[] = [];

/** period says "P90D" in words. */
function period(p: string): string {
  const m = /^P(\d+)([DMY])$/.exec(p);
  return m ? t("retention.unit." + m[2], { n: m[1]! }) : t("retention.forever");
}

/** periodInput edits a period: a number and its unit; no number is for ever. */
function periodInput(label: string, p: string): [HTMLElement, () => string] {
  const m = /^P(\d+)([DMY])$/.exec(p);
  const n = h("input", { type: "number", min: 1, max: 36600, step: 1, inputmode: "numeric", value: m?.[1] ?? "", "aria-label": label });
  const unit = h("select", { "aria-label": t("retention.unit") }, ...units.map((u) => h("option", { value: u, selected: u === (m?.[2] ?? "D") }, t("retention.units." + u))));
  return [h("div", { class: "row" }, n, unit), () => n.value === "" ? "" : `P${n.value}${unit.value}`];
}

function editor(c: Class, done: () => Promise<void>): HTMLElement {
  const [keepRow, keep] = periodInput(t("retention.keep"), c.keep);
  const [whyRow, why] = field(t("retention.why"), { maxlength: 500, required: true });
  const rows: [HTMLSelectElement, () => string][] = [];
  const list = h("div", {});
  const add = (type = "", p = "P90D") => {
    const which = h("select", { "aria-label": t("retention.type") }, h("option", { value: "" }, t("retention.notype")), ...types.map((x) => h("option", { value: x.id, selected: x.id === type }, pick(x.name))));
    const [row, value] = periodInput(t("retention.keep"), p);
    rows.push([which, value]);
    list.append(h("div", {}, which, row));
  };
  if (c.typed) for (const [type, p] of Object.entries(c.by_type)) add(type, p);
  return form(t("retention.edit"), [h("label", {}, t("retention.keep"), keepRow),
    c.typed ? h("fieldset", {}, h("legend", {}, t("retention.bytype")), list, h("button", { type: "button", onclick: () => add() }, t("retention.addtype"))) : null,
    h("p", { class: "hint" }, t("retention.leastis", { least: period(c.least), law: pick(c.law) })), whyRow], t("retention.save"), async () => {
    const by_type = Object.fromEntries(rows.filter(([which]) => which.value).map(([which, value]) => [which.value, value()]));
    await call("PUT", "/retention/classes/" + c.id, { keep: keep(), by_type, reason: why.value }, { "If-Match": `"${c.version}"` });
    await done();
  });
}

/** retentionClasses draws one card a class. */
async function retentionClasses(may: boolean, redraw: () => Promise<void>): Promise<HTMLElement[]> {
  const [cs, ts] = await Promise.all([get<{ items: Class[] }>("/retention/classes"), get<{ items: { id: string; name: Label }[] }>("/device-types")]);
  classes = cs.items;
  types = ts.items;
  return classes.map((c) => {
    const place = h("div", { class: "narrow" });
    const edit = h("details", { ontoggle: () => { if (edit.open && !place.firstChild) show(place, editor(c, redraw)); } }, h("summary", {}, t("retention.edit")), place);
    return h("li", { "data-class": c.id }, h("b", {}, pick(c.name)), " ", c.fixed && c.does !== "keep" ? null : h("span", { class: "state" }, period(c.keep)), h("p", {}, pick(c.covers)),
      Object.keys(c.by_type).length ? h("p", {}, Object.entries(c.by_type).map(([id, p]) => `${typeName(id)}: ${period(p)}`).join("; ")) : null,
      h("small", {}, [t("retention.does." + c.does), c.least && t("retention.least", { least: period(c.least) }), pick(c.law)].filter(Boolean).join(" · ")), may && !c.fixed ? edit : null);
  });
}

const typeName = (id: string): string => { const x = types.find((y) => y.id === id); return x ? pick(x.name) : id; };
const className = (id: string): string => { const c = classes.find((x) => x.id === id); return c ? pick(c.name) : id; };

function lotText(l: Lot): string {
  const what = t("retention.what." + l.what, { n: num(l.count, 0) }) + (l.type ? ` (${typeName(l.type)})` : "");
  return [what, l.oldest && l.newest && `${when(l.oldest)} – ${when(l.newest)}`, l.bytes && t("retention.mb", { mb: num(l.bytes / 1e6, 1) })].filter(Boolean).join(" · ");
}

const lots = (title: string, ls: Lot[]) => ls.length ? h("div", {}, h("small", {}, title), h("ul", {}, ...ls.map((l) => h("li", {}, lotText(l))))) : null;

function runItems(r: Run): HTMLElement[] {
  const busy = r.items.filter((i) => i.would.length || i.removed.length || i.note);
  return busy.length ? busy.map((i) => h("li", {}, h("b", {}, className(i.class)), " ", r.state === "planned" ? "" : h("span", { class: "state" }, t("retention.state." + i.state)), i.note && h("p", { class: "hint" }, ["rollups_behind", "influxdb_behind"].includes(i.note) ? t("retention.note." + i.note) : i.note), lots(t("retention.would"), i.would), lots(t("retention.removed"), i.removed)))
    : [h("li", {}, t("retention.nothing"))];
}

/** opened is a part that is asked for when somebody opens it. */
function opened(title: string, load: () => Promise<(HTMLElement | null)[]>): HTMLElement {
  const place = h("div", {});
  const redraw = async () => {
    show(place, h("p", { class: "hint" }, t("loading")));
    try { show(place, ...await load()); } catch (e) { show(place, h("p", { class: "error", role: "alert" }, (e as Error).message), h("button", { onclick: redraw }, t("retry"))); }
  };
  const part = h("details", { ontoggle: () => { if (part.open) redraw(); } }, h("summary", {}, title), place);
  return part;
}

const plan = () => opened(t("retention.plan"), async () => {
  const r = await get<Run>("/retention/plan");
  return [h("p", { class: "hint" }, t("retention.planwhat", { at: when(r.started_at) })), h("ul", { class: "cardlist" }, ...runItems(r))];
});

const runs = () => opened(t("retention.runs"), async () => {
  const items = (await get<{ items: Run[] }>("/retention/runs?limit=30")).items;
  return [items.length ? h("ul", { class: "cardlist" }, ...items.map((r) => h("li", {}, h("span", { class: "state" }, t("retention.state." + r.state)), " ", h("b", {}, when(r.started_at)), r.ended_at ? " – " + when(r.ended_at) : "",
    r.resumed ? h("p", {}, t("retention.resumed", { n: r.resumed })) : null, r.tracks ? h("p", {}, h("small", {}, t("retention.tracks"), " ", h("code", {}, r.tracks.slice(0, 16) + "…"))) : null,
    h("details", {}, h("summary", {}, t("retention.details")), h("ul", {}, ...runItems(r)))))) : h("p", { class: "empty" }, t("retention.noruns"))];
});

function holdForm(done: () => void): HTMLElement {
  const kind = h("select", {}, ...["device", "report", "area", "time"].map((k) => h("option", { value: k }, t("retention.hold." + k))));
  const [nameRow, name] = field(t("retention.holdname"), { maxlength: 100 });
  const [fromRow, from] = field(t("retention.from"), { maxlength: 10, required: false, placeholder: t("form.dayform"), inputmode: "numeric" });
  const [toRow, to] = field(t("retention.to"), { maxlength: 10, required: false, placeholder: t("form.dayform"), inputmode: "numeric" });
  const [whyRow, why] = field(t("retention.why"), { maxlength: 500, required: true });
  kind.addEventListener("change", () => { nameRow.hidden = kind.value === "time"; name.required = kind.value !== "time"; });
  return form(t("retention.newhold"), [h("label", {}, t("retention.holdkind"), kind), nameRow, fromRow, toRow, whyRow], t("retention.holdgo"), async () => {
    await post("/retention/holds", { ...(kind.value !== "time" && { [kind.value]: name.value.trim() }), from: dayStart(from.value), to: dayStart(to.value, 1), reason: why.value });
    done();
  });
}

const holds = (may: boolean) => {
  const part: HTMLElement = opened(t("retention.holds"), async () => {
    const items = (await get<{ items: Hold[] }>("/retention/holds?all=true")).items;
    const again = () => part.dispatchEvent(new Event("toggle"));
    const lift = (x: Hold) => {
      const why = h("textarea", { rows: 2, "aria-label": t("retention.why"), placeholder: t("retention.why") }), said = h("div", { role: "status" });
      return h("details", {}, h("summary", {}, t("retention.lift")), why, h("button", { onclick: async () => {
        try { await post(`/retention/holds/${x.id}/lift`, { reason: why.value }); again(); } catch (e) { show(said, h("p", { class: "error", role: "alert" }, (e as Error).message)); }
      } }, t("retention.lift")), said);
    };
    return [h("p", { class: "hint" }, t("retention.holdswhat")), items.length ? h("ul", { class: "cardlist" }, ...items.map((x) => h("li", {}, h("span", { class: "state" }, t(x.lifted_at ? "retention.lifted" : "retention.stands")), " ", h("b", {}, x.device ?? x.report ?? x.area ?? t("retention.hold.time")),
      x.from || x.to ? ` · ${x.from ? when(x.from) : "…"} – ${x.to ? when(x.to) : "…"}` : "", h("p", {}, x.reason), h("small", {}, [`${when(x.at)} ${x.by}`, x.lifted_at && `${when(x.lifted_at)} ${x.lifted_by}: ${x.lifted_why}`].filter(Boolean).join(" · ")), may && !x.lifted_at ? lift(x) : null))) : h("p", { class: "empty" }, t("retention.noholds")),
      may ? h("div", { class: "narrow" }, holdForm(again)) : null];
  });
  return part;
};

export const retentionList = cards("retention", ["audit.read"], {
  items: (_, redraw, desk) => retentionClasses(desk.everywhere("retention.manage"), redraw),
  tools: (_, desk) => h("div", {}, plan(), runs(), holds(desk.everywhere("retention.manage"))),
}, true);
