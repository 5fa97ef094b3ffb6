// Agencies and units that handle matters: where they are on duty, for what, how
// they are reached.
import { call, get, post } from "./api";
import { chooseMany } from "./choose";
import { atWork } from "./calendars";
import { Preview, importer } from "./csvimport";
import { ask } from "./dialog";
import { h, show } from "./dom";
import { forget, group, select, sheet, text } from "./form";
import { pick, t } from "./i18n";
import { Agency, areaChoices, areas, calendars, categories, categoryChoices, changed, named } from "./lookups";
import { Redraw, Section, back, cards, press } from "./section";

interface AgencyPreview extends Preview { added: Change[]; changed: Change[] }
interface Change { row: number; before?: Agency; after: Agency }

const idForm = /^[a-z0-9][a-z0-9-]{0,59}$/;
const filter = { q: "", retired: false };
const say = (v: unknown): string => (Array.isArray(v) ? v.join(" ") : typeof v === "boolean" ? t(v ? "yes" : "no") : String(v ?? "")) || "–";

/** differs are the fields that an import changes, in words. */
const differs = (c: Change): string => (["name", "name_en", "phone", "email", "zalo", "areas", "categories", "calendar", "retired"] as const)
  .filter((k) => say(c.before?.[k]) !== say(c.after[k])).map((k) => `${t("agency." + k)} ${say(c.before?.[k])} → ${say(c.after[k])}`).join("; ");

const imported = (redraw: Redraw) => importer<AgencyPreview>({
  path: "/agencies/import", accept: ".csv,text/csv", id: "agency-file", title: t("agency.import"), help: t("agency.importhelp"),
  changes: (p) => [["added", p.added.map((c) => `${c.after.name} (${c.after.id})`)], ["changed", p.changed.map((c) => `${c.after.name} (${c.after.id}): ${differs(c)}`)]],
}, async () => { changed(); await redraw(); });

/** form is an agency's; an empty id is a new one. */
async function form(a: Agency, done: () => void): Promise<HTMLElement> {
  const [places, kinds, plans] = await Promise.all([areaChoices(), categoryChoices(), calendars()]);
  const number = (v: string) => (/^\+?\d{3,20}$/.test(v.replace(/[ .-]/g, "")) ? "" : t("agency.badnumber"));
  const id = text("id", t("agency.id"), a.id, { required: true, max: 60, help: t("agency.idhelp"), check: (v) => (idForm.test(v) ? "" : t("agency.badid")), id: "agency-id" });
  const who = [...(a.id ? [] : [id]), text("name", t("agency.name"), a.name, { required: true, id: "agency-name" }), text("name_en", t("agency.name_en"), a.name_en)];
  const duty = [chooseMany("areas", t("agency.areas"), places, a.areas, { help: t("agency.areashelp"), id: "agency-areas" }), chooseMany("categories", t("agency.categories"), kinds, a.categories, { help: t("agency.categorieshelp"), id: "agency-categories" }),
    select("calendar", t("agency.calendar"), plans.map((x) => [x.id, named(x)]), a.calendar ?? "", { help: t("agency.calendarhelp"), none: "–" })];
  const reach = [text("phone", t("agency.phone"), a.phone ?? "", { max: 40, inputmode: "tel", check: number, id: "agency-phone" }), text("email", t("agency.email"), a.email ?? "", { inputmode: "email", check: (v) => (/^[^\s@]+@[^\s@]+$/.test(v) ? "" : t("agency.bademail")) }), text("zalo", t("agency.zalo"), a.zalo ?? "", { max: 40, inputmode: "tel", check: number, help: t("agency.zalohelp") })];
  return sheet([group(t("agency.who"), ...who), group(t("agency.duty"), ...duty), group(t("agency.reach"), ...reach)], () => [...who, ...duty, ...reach], t("devices.save"), async (v) => {
    await (a.id ? call("PUT", "/agencies/" + a.id, { ...v, retired: a.retired }) : post("/agencies", v));
    changed();
    forget();
    done();
  }, h("a", { href: "#agencies" }, t("cancel")));
}

/** page is one agency: its form, and what ends it. */
async function page(el: HTMLElement, id: string): Promise<void> {
  const home = () => { location.hash = "#agencies"; };
  if (id === "+new") {
    show(el, back("agencies"), h("h3", {}, t("agency.new")), await form({ id: "", name: "", name_en: "", areas: [], categories: [], retired: false }, home));
    return;
  }
  const { now, ...a } = await get<Agency>("/agencies/" + encodeURIComponent(id)), again = async () => { changed(); forget(); await page(el, id); };
  const button = press(async () => {});
  show(el, back("agencies"), h("h3", {}, named(a), " ", h("code", {}, a.id), a.retired ? h("span", { class: "state s-refused" }, t("agency.retired")) : null, now ? atWork(now) : null), await form(a, home), h("section", { class: "chapter acts" },
    button(t(a.retired ? "agency.revive" : "agency.retire"), async () => {
      if (!a.retired && !(await ask(t("agency.retire"), t("agency.retireask", { name: a.name }), t("agency.retire")))) return;
      await call("PUT", "/agencies/" + a.id, { ...a, retired: !a.retired });
      await again();
    }),
    button(t("agency.delete"), async () => {
      if (!(await ask(t("agency.delete"), t("agency.deleteask", { name: a.name }), t("agency.delete")))) return;
      await call("DELETE", "/agencies/" + a.id);
      changed();
      forget();
      home();
    })));
}

const list = cards("agencies", ["device.read"], {
  tools: (redraw, desk) => {
    const q = h("input", { type: "search", id: "agency-q", value: filter.q, maxlength: 100, onchange: () => { filter.q = q.value.trim(); redraw(); } });
    const old = h("input", { type: "checkbox", class: "tick", id: "agency-old", checked: filter.retired, onchange: () => { filter.retired = old.checked; redraw(); } });
    const manage = desk.everywhere("area.manage");
    return h("div", {}, h("div", { class: "row filter" }, h("label", { for: "agency-q" }, t("agency.q"), q)), h("label", { class: "ticked", for: "agency-old" }, old, " ", t("agency.withretired")),
      h("div", { class: "acts" }, manage ? h("a", { class: "primary", href: "#agencies/+new" }, t("agency.new")) : null, h("a", { href: "/api/v1/agencies?export=csv", download: "agencies.csv" }, t("devices.export"))), manage ? imported(redraw) : null);
  },
  async items(_, __, desk) {
    const [got, places, kinds, plans] = await Promise.all([get<{ items: Agency[] }>("/agencies?" + new URLSearchParams({ q: filter.q, ...(filter.retired && { retired: "true" }) })), areas(), categories(), calendars()]);
    const of = (codes: string[], names: [string, string][]) => codes.map((c) => names.find(([x]) => x === c)?.[1] ?? c).join(", ");
    return got.items.map((a) => {
      const name = h("b", {}, named(a));
      return h("li", { "data-agency": a.id }, desk.everywhere("area.manage") ? h("a", { class: "open", href: "#agencies/" + a.id }, name) : name, " ", h("code", {}, a.id), " ", a.retired ? h("span", { class: "state s-refused" }, t("agency.retired")) : null, a.now ? atWork(a.now) : null,
        h("p", {}, a.areas.length ? of(a.areas, places.map((x) => [x.code, named(x)])) : t("agency.everywhere")), a.categories.length ? h("p", {}, of(a.categories, kinds.map((x) => [x.id, pick(x.name)]))) : null,
        h("p", {}, h("small", {}, [a.phone, a.email, a.zalo && "Zalo " + a.zalo, a.calendar && named(plans.find((x) => x.id === a.calendar) ?? { name: a.calendar })].filter(Boolean).join(" · "))));
    });
  },
});

/** agencyPages are the list, an agency of it, and the form for a new one. */
export const agencyPages: Section = { ...list, page: async (el, place, desk) => (place.thing && desk.everywhere("area.manage") ? page(el, place.thing) : list.page(el, place, desk)) };
