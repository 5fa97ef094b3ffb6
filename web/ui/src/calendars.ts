// Working calendars: the hours of a week, days off, days worked in their place.
// Agencies follow them.
import { Problem, call, get } from "./api";
import { readDay, readYearly, sayDay } from "./dates";
import { ask } from "./dialog";
import { h, show } from "./dom";
import { Part, forget, group, sheet, text } from "./form";
import { num, t, when } from "./i18n";
import { Agency, AtWork, agencies, changed, named } from "./lookups";
import { Section, back, cards, press } from "./section";

interface Off { from: string; to?: string; name: string }
interface On { day: string; hours: string[]; name: string }
interface Calendar { id: string; name: string; name_en: string; week: Record<string, string[]>; off: Off[]; on: On[]; version: number; now?: AtWork }

const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], idForm = /^[a-z0-9][a-z0-9-]{0,59}$/;

/** readHours is 07:30-11:30, 13:30-17:00 as the API has it; null for what are none. */
function readHours(typed: string): string[] | null {
  const out: string[] = [];
  for (const s of typed.replace(/\s*[-–—]\s*/g, "-").split(/[,;\s]+/).filter(Boolean)) {
    const m = /^(\d{1,2})(?:[:hg](\d{2})?)?-(\d{1,2})(?:[:hg](\d{2})?)?$/.exec(s);
    if (!m || +m[1]! > 23 || +m[3]! > 24 || +(m[2] ?? 0) > 59 || +(m[4] ?? 0) > 59) return null;
    out.push(`${m[1]!.padStart(2, "0")}:${m[2] ?? "00"}-${m[3]!.padStart(2, "0")}:${m[4] ?? "00"}`);
  }
  return out;
}

/** hours is a field for the hours of a day. */
function hours(name: string, label: string, value: string[], id: string, must = false): Part {
  const p = text(name, label, value.join(", "), { max: 200, id, required: must, placeholder: "07:30-11:30, 13:30-17:00", check: (v) => (readHours(v) ? "" : t("calendar.badhours")) }), read = p.read;
  p.read = () => readHours(read() as string);
  return p;
}

/** dated is a field for a day; yearly lets it be one of each year, as 02/09. */
function dated(name: string, label: string, value: string, id: string, yearly: boolean, must = false): Part {
  const days = yearly ? readYearly : readDay, p = text(name, label, value && sayDay(value), { max: 10, id, required: must, placeholder: yearly ? t("calendar.dayform") : t("form.dayform"), inputmode: "numeric", check: (v) => (days(v) === null ? t(yearly ? "calendar.noday" : "form.noday") : "") }), read = p.read;
  p.read = () => days(read() as string);
  return p;
}

/** rows are entries of a list, each of the same parts, that are added and taken out. */
function rows<T>(list: string, made: (v: T | null, n: number) => Part[], values: T[], add: string): { el: HTMLElement; parts: () => Part[]; read: () => Record<string, unknown>[] } {
  const all: { el: HTMLElement; parts: Part[] }[] = [], box = h("div", {});
  let n = 0;
  const put = (v: T | null) => {
    const parts = made(v, n++);
    const el = h("div", { class: "group entry" }, ...parts.map((p) => p.el), h("button", { type: "button", onclick: () => { all.splice(all.findIndex((r) => r.el === el), 1); el.remove(); box.dispatchEvent(new Event("input", { bubbles: true })); } }, t("calendar.drop")));
    all.push({ el, parts });
    box.append(el);
    return el;
  };
  values.forEach(put);
  return {
    el: h("div", {}, box, h("button", { type: "button", onclick: () => put(null).querySelector("input")!.focus() }, add)),
    parts: () => all.flatMap((r, i) => r.parts.map((p) => ({ ...p, name: `${list}[${i}].${p.name}` }))),
    read: () => all.map((r) => Object.fromEntries(r.parts.map((p) => [p.name, p.read()]).filter(([, v]) => v !== ""))),
  };
}

function form(c: Calendar, done: () => void): HTMLElement {
  const id = text("id", t("agency.id"), "", { required: true, max: 60, id: "calendar-id", help: t("calendar.idhelp"), check: (v) => (idForm.test(v) ? "" : t("agency.badid")) });
  const who = [...(c.id ? [] : [id]), text("name", t("agency.name"), c.name, { required: true, id: "calendar-name" }), text("name_en", t("agency.name_en"), c.name_en, { required: true, id: "calendar-name-en" })];
  const week = weekdays.map((d) => hours("week." + d, t("weekday." + d), c.week[d] ?? [], "calendar-" + d));
  const input = (p: Part) => p.el.querySelector("input")!;
  const same = h("div", { class: "acting" }, h("button", { type: "button", onclick: () => { for (const p of week.slice(1, 5)) { input(p).value = input(week[0]!).value; input(p).dispatchEvent(new Event("input", { bubbles: true })); } } }, t("calendar.same")));
  const off = rows<Off>("off", (o, n) => [dated("from", t("calendar.first"), o?.from ?? "", `off-${n}-from`, true, true), dated("to", t("calendar.last"), o?.to ?? "", `off-${n}-to`, true), text("name", t("calendar.occasion"), o?.name ?? "", { id: `off-${n}-name` })], c.off, t("calendar.addoff"));
  const on = rows<On>("on", (o, n) => [dated("day", t("calendar.day"), o?.day ?? "", `on-${n}-day`, false, true), hours("hours", t("calendar.hours"), o?.hours ?? c.week.mon ?? [], `on-${n}-hours`, true), text("name", t("calendar.occasion"), o?.name ?? "", { id: `on-${n}-name` })], c.on, t("calendar.addon"));
  return sheet([group(t("tab.calendars"), ...who), group(t("calendar.week"), h("p", { class: "hint wide" }, t("calendar.weekhelp")), ...week, same), group(t("calendar.off"), h("p", { class: "hint wide" }, t("calendar.offhelp")), off.el), group(t("calendar.on"), h("p", { class: "hint wide" }, t("calendar.onhelp")), on.el)],
    () => [...who, ...week, ...off.parts(), ...on.parts()], t("devices.save"), async (v) => {
      const days = Object.fromEntries(weekdays.map((d) => [d, v["week." + d] as string[]]).filter(([, x]) => x!.length));
      try {
        await call("PUT", "/calendars/" + (c.id || v.id), { name: v.name, name_en: v.name_en, week: days, off: off.read().map((o) => ({ name: "", ...o })), on: on.read().map((o) => ({ name: "", ...o })), version: c.version });
      } catch (e) { throw e instanceof Problem && e.status === 409 ? new Error(t(c.id ? "conflict.stale" : "calendar.taken")) : e; }
      changed();
      forget();
      done();
    }, h("a", { href: "#calendars" }, t("cancel")));
}

const followers = async (id: string): Promise<Agency[]> => (await agencies()).filter((a) => a.calendar === id);

const allCalendars = async (): Promise<Calendar[]> => (await get<{ items: Calendar[] }>("/calendars")).items;

/** page is one calendar: its form, who follows it, and what ends it. */
async function page(el: HTMLElement, id: string): Promise<void> {
  const home = () => { location.hash = "#calendars"; };
  if (id === "+new") {
    show(el, back("calendars"), h("h3", {}, t("calendar.new")), form({ id: "", name: "", name_en: "", week: {}, off: [], on: [], version: 0 }, home));
    return;
  }
  const c = (await allCalendars()).find((x) => x.id === id), by = await followers(id);
  if (!c) throw new Error(t("calendar.gone"));
  show(el, back("calendars"), h("h3", {}, named(c), " ", h("code", {}, c.id)), form(c, home), h("section", { class: "chapter" }, by.length ? h("p", { class: "hint" }, t("calendar.used"), " ", ...links(by)) : press(async () => {})(t("agency.delete"), async () => {
    if (!(await ask(t("agency.delete"), t("calendar.deleteask", { name: named(c) }), t("agency.delete")))) return;
    await call("DELETE", "/calendars/" + c.id);
    changed();
    forget();
    home();
  })));
}

const links = (by: Agency[]): (HTMLElement | string)[] => by.flatMap((a, i) => [i ? ", " : "", h("a", { href: "#agencies/" + a.id }, named(a))]);

/** weekText is the hours of a week, days with the same hours said once. */
function weekText(c: Calendar): string {
  const by = new Map<string, string[]>();
  for (const d of weekdays) {
    const key = (c.week[d] ?? []).join(", ");
    if (key) by.set(key, [...(by.get(key) ?? []), t("weekday." + d)]);
  }
  return [...by].map(([times, days]) => `${days.length === 7 ? t("calendar.daily") : days.join(", ")}: ${times}`).join(" · ") || t("calendar.never");
}

/** atWork says it in words. */
export const atWork = (now: AtWork): HTMLElement =>
  h("span", { class: now.working ? "state s-answered" : "state" }, t((now.working ? "calendar.working" : "calendar.resting") + (now.until ? "until" : ""), { until: now.until ? when(now.until) : "" }));

const list = cards("calendars", ["device.read"], {
  tools: (_, desk) => desk.everywhere("area.manage") ? h("div", { class: "acts" }, h("a", { class: "primary", href: "#calendars/+new" }, t("calendar.new"))) : null,
  async items(_, __, desk) {
    const [items, offices] = await Promise.all([allCalendars(), agencies()]);
    return items.map((c) => {
      const name = h("b", {}, named(c)), by = offices.filter((a) => a.calendar === c.id), days = (n: number, key: string) => n > 0 && t(key, { n: num(n, 0) });
      return h("li", { "data-calendar": c.id }, desk.everywhere("area.manage") ? h("a", { class: "open", href: "#calendars/" + c.id }, name) : name, " ", h("code", {}, c.id), " ", atWork(c.now!),
        h("p", {}, weekText(c)), h("p", {}, h("small", {}, [days(c.off.length, "calendar.offs"), days(c.on.length, "calendar.ons")].filter(Boolean).join(" · "))), by.length ? h("p", {}, h("small", {}, t("calendar.used") + " " + by.map(named).join(", "))) : null);
    });
  },
});

/** calendarPages are the list, a calendar of it, and the form for a new one. */
export const calendarPages: Section = { ...list, page: async (el, place, desk) => (place.thing && desk.everywhere("area.manage") ? page(el, place.thing) : list.page(el, place, desk)) };
