// The list of devices: to find one, to open it, to take in those that only
// speak, to import and export them as a table.
import { get } from "./api";
import { endedNotice, movesPage } from "./areamoves";
import { imports } from "./deviceimport";
import { stranger } from "./devicelife";
import { devicePage, freshDevice } from "./devicepage";
import { h, show } from "./dom";
import { ago, lang, num, pick, t } from "./i18n";
import { Agency, DeviceType, agencies, areas, named, types } from "./lookups";
import { Button, Redraw, Section, cards } from "./section";

const lives = ["", "discovered", "pending", "active", "suspended", "retired", "all"], states = ["", "live", "late", "silent", "never"], sorts = ["id", "name", "last_seen", "-last_seen"];
const filter: Record<string, string> = {};
const onPage = 100;
let pages = 1, next = "", total = 0;

const query = (more: Record<string, string> = {}): string => new URLSearchParams(Object.entries({ ...filter, ...more }).filter(([, v]) => v)).toString();

/** pickOne is a choice among what there is, with none before them. */
const pickOne = (attrs: object, opts: [string, string][], value: string, none: string): HTMLSelectElement =>
  h("select", { ...attrs }, ...([["", none], ...opts] as [string, string][]).map(([v, n]) => h("option", { value: v, selected: v === value }, n)));

/** tools are the filter and what is done with many; redraw draws the list anew. */
async function tools(redraw: Redraw, manage: boolean, all: boolean): Promise<HTMLElement> {
  const out = h("div", { class: "acts" });
  const set = (name: string) => async (e: Event) => { filter[name] = (e.target as HTMLInputElement).value.trim(); pages = 1; links(); await redraw(); };
  const label = (name: string, field: HTMLElement) => h("label", { for: "devices-" + name }, t("devices." + name), field);
  const attrs = (name: string) => ({ id: "devices-" + name, onchange: set(name) });
  const fixed = (name: string, values: string[]) => label(name, h("select", attrs(name), ...values.map((v) => h("option", { value: v, selected: (filter[name] ?? "") === v }, t(`devices.${name}.${v || "any"}`)))));
  const text = (name: string) => label(name, h("input", { ...attrs(name), type: name === "q" ? "search" : "text", value: filter[name] ?? "", maxlength: 100, spellcheck: "false" }));
  const links = () => show(out, manage && h("a", { class: "primary", href: "#devices/+new" }, t("devices.new")), h("a", { href: "/api/v1/devices/export?" + query({ sort: "" }), download: "devices.csv" }, t("devices.export")),
    h("a", { href: `/api/v1/devices/labels?${query({ lang })}`, target: "_blank", rel: "noopener" }, t("devices.labels")));
  const [kinds, places, offices, ended] = await Promise.all([types(), areas(), agencies(), endedNotice(manage)]);
  const among = (name: string, opts: [string, string][]) => label(name, pickOne(attrs(name), opts, filter[name] ?? "", t("devices.any")));
  links();
  return h("div", {}, ended, h("div", { class: "row filter" }, text("q"), fixed("life", lives), fixed("state", states), among("type", kinds.map((x) => [x.id, pick(x.name)])), among("area", places.map((x) => [x.code, named(x)])), among("agency", offices.map((x) => [x.id, named(x)])), text("vendor"), text("cohort"), fixed("sort", sorts)),
    out, all ? imports(redraw) : null);
}

/** more is the way to the next page, while there is one. */
const more = (redraw: Redraw): HTMLElement | null => next ? h("button", { class: "more", onclick: async (ev: Event) => {
  (ev.currentTarget as HTMLButtonElement).disabled = true;
  pages++;
  await redraw();
} }, t("dead.more")) : null;

/** said is the newest of each metric in words; an age that all share is said once. */
function said(d: any, kind?: DeviceType): string {
  const all = Object.entries<any>(d.values), ages = new Set(all.map(([, v]) => ago(v.ts)));
  const texts = all.map(([m, v]) => {
    const def = kind?.metrics.find((x) => x.name === m), more = [ages.size > 1 && ago(v.ts), v.quality !== "good" && t("quality." + v.quality)].filter(Boolean).join(", ");
    return `${def ? pick(def.label) : m} ${num(v.value, def?.decimals ?? 2)} ${v.unit ?? ""}${more && ` (${more})`}`;
  });
  return texts.join(" · ") + (ages.size === 1 ? ` · ${[...ages][0]}` : "") || t("device.nodata");
}

function card(d: any, kinds: DeviceType[], offices: Agency[]): HTMLElement {
  const kind = kinds.find((x) => x.id === d.type), office = offices.find((x) => x.id === d.agency);
  return h("li", { "data-device": d.id }, h("span", { class: "fresh " + d.state }, t("fresh." + d.state)), " ", d.life === "active" ? null : h("span", { class: "state" }, t("devices.life." + d.life)), " ", h("a", { class: "open", href: "#devices/" + encodeURIComponent(d.id) }, h("b", {}, d.name || d.id)), ` ${d.id}`,
    h("p", {}, [kind ? pick(kind.name) : d.type, d.area_name + (d.area_ended ? ` (${t("moves.over")})` : ""), office && named(office), d.vendor, d.gateway && t("devices.via", { gateway: d.gateway })].filter(Boolean).join(" · ")),
    h("p", {}, said(d, kind)));
}

/** items draws one card a device that matches the filter. */
async function items(button: Button, manage: boolean): Promise<HTMLElement[]> {
  const found: any[] = [];
  let cursor = "";
  for (let page = 0; page < pages && (page === 0 || cursor); page++) {
    const got = await get<{ items: any[]; next?: string; total: number }>(`/devices?${query({ limit: String(onPage), cursor })}`);
    found.push(...got.items);
    total = got.total;
    cursor = got.next ?? "";
  }
  next = cursor;
  const [kinds, offices] = await Promise.all([types(), agencies()]);
  return Promise.all(found.map((d) => d.life === "discovered" ? stranger(d, button, manage) : card(d, kinds, offices)));
}

const list = cards("devices", ["device.read"], {
  enter: (place) => { pages = 1; for (const [k, v] of place.query) filter[k] = v; },
  items: (button, _, desk) => items(button, desk.may("device.manage")),
  tools: (redraw, desk) => tools(redraw, desk.may("device.manage"), desk.everywhere("device.manage")),
  count: (shown) => t(shown < total ? "devices.some" : shown === 1 ? "list.one" : "list.count", { n: num(shown, 0), total: num(total, 0) }),
  more, paged: () => pages > 1,
});

/** deviceList is the list, a device of it, the form for a new one, and the way out of areas that have ended. */
export const deviceList: Section = { ...list, page: async (el, place, desk) => {
  if (place.thing === "+new" && desk.may("device.manage")) return freshDevice(el);
  if (place.thing === "+moves" && desk.may("device.manage")) return movesPage(el, place.query.get("area") ?? "");
  if (place.thing) return devicePage(el, place.thing, desk);
  return list.page(el, place, desk);
} };
