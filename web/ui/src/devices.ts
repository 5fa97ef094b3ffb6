// The list of devices: to find one, to take in those that only speak, to change
// what is known of them, to import and export them as a table.
import { call, get, post } from "./api";
import { imports } from "./deviceimport";
import { h, show } from "./dom";
import { ago, lang, num, pick, t, when } from "./i18n";

type Button = (label: string, fn: () => Promise<unknown>) => HTMLElement;

const lives = ["", "discovered", "pending", "active", "suspended", "retired", "all"], states = ["", "live", "late", "silent", "never"], sorts = ["id", "name", "last_seen", "-last_seen"];
const filter: Record<string, string> = {};
const onPage = 100;
let pages = 1, next = "", total = 0, types: any[] = [], areas: any[] = [], agencies: any[] = [];

/** firstDevices goes back to the first page. */
export function firstDevices(): void { pages = 1; }

/** devicesPaged says that somebody reads beyond the first page. */
export const devicesPaged = (): boolean => pages > 1;

/** devicesCount says how many match and how many of them are shown. */
export const devicesCount = (shown: number): string => t(shown < total ? "devices.some" : shown === 1 ? "list.one" : "list.count", { n: num(shown, 0), total: num(total, 0) });

/** readDevices takes a filter from the address, #devices?q=x, or the device that a label's code names, /d/x. */
export function readDevices(query: string): void {
  for (const [k, v] of new URLSearchParams(query)) filter[k] = v;
}

const query = (more: Record<string, string> = {}): string => new URLSearchParams(Object.entries({ ...filter, ...more }).filter(([, v]) => v)).toString();
const named = (x: any): string => (lang === "vi" ? x.name : x.name_en) || x.name;
const options = (field: string): [string, string][] => ({
  type: types.map((x) => [x.id, pick(x.name)]), area: areas.map((x) => [x.code, named(x)]), agency: agencies.map((x) => [x.id, named(x)]),
} as Record<string, [string, string][]>)[field] ?? [];

/** pickOne is a choice among what there is, with none before them. */
const pickOne = (attrs: object, opts: [string, string][], value: string, none: string): HTMLSelectElement =>
  h("select", { ...attrs }, ...([["", none], ...opts] as [string, string][]).map(([v, n]) => h("option", { value: v, selected: v === value }, n)));

/** deviceTools are the filter and what is done with many; redraw draws the list anew. */
export function deviceTools(redraw: () => Promise<void>): HTMLElement {
  const out = h("div", { class: "acts" }), box = h("div", { class: "row filter" });
  const set = (name: string) => async (e: Event) => { filter[name] = (e.target as HTMLInputElement).value.trim(); firstDevices(); links(); await redraw(); };
  const label = (name: string, field: HTMLElement) => h("label", { for: "devices-" + name }, t("devices." + name), field);
  const attrs = (name: string) => ({ id: "devices-" + name, onchange: set(name) });
  const fixed = (name: string, values: string[]) => label(name, h("select", attrs(name), ...values.map((v) => h("option", { value: v, selected: (filter[name] ?? "") === v }, t(`devices.${name}.${v || "any"}`)))));
  const text = (name: string) => label(name, h("input", { ...attrs(name), type: name === "q" ? "search" : "text", value: filter[name] ?? "", maxlength: 100, spellcheck: "false" }));
  const links = () => show(out, h("a", { href: "/api/v1/devices/export?" + query({ sort: "" }), download: "devices.csv" }, t("devices.export")),
    h("a", { href: `/api/v1/devices/labels?${query({ lang })}`, target: "_blank", rel: "noopener" }, t("devices.labels")));
  const fill = async () => {
    try {
      [types, areas, agencies] = await Promise.all(["/device-types", "/areas", "/agencies"].map((p) => get<any>(p).then((x) => x.items)));
    } catch (e) { show(box, h("p", { class: "error", role: "alert" }, (e as Error).message)); return; }
    const among = (name: string) => label(name, pickOne(attrs(name), options(name), filter[name] ?? "", t("devices.any")));
    show(box, text("q"), fixed("life", lives), fixed("state", states), among("type"), among("area"), among("agency"), text("vendor"), text("cohort"), fixed("sort", sorts));
  };
  links();
  fill();
  return h("div", {}, box, out, imports(redraw));
}

/** devicesMore is the way to the next page, while there is one. */
export const devicesMore = (redraw: () => Promise<void>): HTMLElement | null => next ? h("button", { class: "more", onclick: async (ev: Event) => {
  (ev.currentTarget as HTMLButtonElement).disabled = true;
  pages++;
  await redraw();
} }, t("dead.more")) : null;

const fields = ["name", "type", "area", "lat", "lon", "expected_interval_s", "agency", "vendor", "network", "cohort", "gateway", "serial", "model", "firmware", "installed_at", "notes"] as const;
const numbers = ["lat", "lon", "expected_interval_s"];

/** form asks for what is known of a device; read gives what was changed. */
function form(id: string, d: any, names: readonly string[]): { el: HTMLElement; read: () => Record<string, unknown> } {
  const before: Record<string, string> = {}, inputs: Record<string, HTMLInputElement> = {};
  const rows = names.map((n) => {
    const opts = options(n), value = String(d[n] ?? "");
    before[n] = value;
    const at = { id: `device-${id}-${n}`, value };
    const input = opts.length ? pickOne(at, opts, value, n === "type" ? t("devices.choose") : "–") : n === "notes" ? h("textarea", { ...at, rows: 3 }, value)
      : h("input", { ...at, type: n === "installed_at" ? "date" : "text", inputmode: numbers.includes(n) ? "decimal" : undefined, maxlength: 200 });
    inputs[n] = input as HTMLInputElement;
    return h("label", { for: at.id }, t("devices.field." + n), input);
  });
  const read = () => {
    const out: Record<string, unknown> = {};
    for (const n of names) {
      const v = inputs[n]!.value.trim();
      if (v === before[n]) continue;
      if (!numbers.includes(n)) out[n] = v;
      else if (v === "") out[n] = n === "expected_interval_s" ? 0 : null;
      else if (Number.isFinite(+v.replace(",", "."))) out[n] = +v.replace(",", ".");
      else throw new Error(t("devices.nonumber", { field: t("devices.field." + n) }));
    }
    if ("lat" in out !== "lon" in out) { out.lat ??= +before.lat!; out.lon ??= +before.lon!; } // they come together
    return out;
  };
  return { el: h("div", { class: "row filter" }, ...rows), read };
}

/** edit opens a form on what stands in the registry at that moment. */
function edit(d: any, button: Button): HTMLElement {
  const inside = h("div", {});
  const el: HTMLDetailsElement = h("details", { class: "wide", ontoggle: async () => {
    if (!el.open) return;
    show(inside, t("loading"));
    try {
      const res = await fetch("/api/v1/devices/" + encodeURIComponent(d.id)), now = await res.json();
      if (!res.ok) throw new Error(now.detail);
      const shown = { ...now, lat: now.installed_position?.lat, lon: now.installed_position?.lon, expected_interval_s: now.own_interval_s };
      const f = form(d.id, shown, fields);
      const pic = h("input", { type: "file", accept: "image/jpeg,image/png,image/webp", id: `device-${d.id}-photo` });
      show(inside, f.el, h("label", { for: pic.id }, t("devices.photo"), pic), now.photo ? h("img", { class: "thumb", src: now.photo, alt: t("devices.photo") }) : null,
        h("p", { class: "hint" }, [now.labels?.join(", "), now.life_reason, now.updated_at && t("devices.changed", { when: when(now.updated_at) })].filter(Boolean).join(" · ")),
        button(t("devices.save"), async () => {
          const change = f.read();
          if (Object.keys(change).length) await call("PATCH", "/devices/" + encodeURIComponent(d.id), change, { "If-Match": res.headers.get("ETag") ?? "" });
          if (pic.files?.[0]) {
            const body = new FormData();
            body.append("photo", pic.files[0]);
            await call("PUT", `/devices/${encodeURIComponent(d.id)}/photo`, body);
          }
          el.open = false;
        }));
    } catch (e) { show(inside, h("p", { class: "error", role: "alert" }, (e as Error).message)); }
  } }, h("summary", {}, t("devices.edit")), inside);
  return el;
}

/** because is an act that the record needs a reason for. */
function because(label: string, button: Button, fn: (reason: string) => Promise<unknown>, ...more: HTMLElement[]): HTMLElement {
  const why = h("input", { "aria-label": t("devices.reason"), placeholder: t("devices.reason"), maxlength: 500 });
  return h("details", {}, h("summary", {}, label), why, ...more, button(label, () => fn(why.value)));
}

const steps: Record<string, string[]> = { pending: ["active", "retired"], active: ["suspended", "retired"], suspended: ["active", "retired"], retired: ["active"] };

function lifeActs(d: any, button: Button): HTMLElement[] {
  return steps[d.life]!.map((to) => {
    const replay = h("input", { type: "checkbox", id: `device-${d.id}-replay`, checked: true, class: "tick" });
    return because(t("devices.to." + to), button, (reason) => post(`/devices/${encodeURIComponent(d.id)}/life`, { life: to, reason, replay: to === "active" && replay.checked }),
      ...(to === "active" ? [h("label", { for: replay.id }, replay, " ", t("devices.replay"))] : []));
  });
}

/** stranger is a device that speaks and that nobody entered. */
function stranger(x: any, button: Button): HTMLElement {
  const f = form(x.id, { name: x.id }, ["type", "name", "area", "agency", "vendor"]), told = h("p", { class: "hint", role: "status" });
  return h("li", { "data-device": x.id }, h("span", { class: "state s-received" }, t("devices.life.discovered")), " ", h("b", {}, x.id),
    h("p", {}, t("devices.heard", { n: num(x.messages, 0), first: when(x.first_seen), last: ago(x.last_seen) })),
    h("small", {}, [x.source, x.sender, x.topic, x.format].filter(Boolean).join(" · ")), told,
    h("div", { class: "acts" }, because(t("devices.approve"), button, async (reason) => {
      const body = f.read();
      if (!body.name) body.name = x.id;
      await post(`/devices/${encodeURIComponent(x.id)}/approve`, { ...body, reason: reason || t("devices.approved") });
    }, f.el),
    button(t("devices.ignore"), () => post("/dead-letters/discard?" + new URLSearchParams({ device: x.id, code: "device_unknown" }))),
    h("a", { href: "#dead?device=" + encodeURIComponent(x.id) }, t("devices.letters"))));
}

/** devices draws one card a device that matches the filter. */
export async function devices(button: Button): Promise<HTMLElement[]> {
  const items: any[] = [];
  let cursor = "";
  for (let page = 0; page < pages && (page === 0 || cursor); page++) {
    const got = await get<{ items: any[]; next?: string; total: number }>(`/devices?${query({ limit: String(onPage), cursor })}`);
    items.push(...got.items);
    total = got.total;
    cursor = got.next ?? "";
  }
  next = cursor;
  return items.map((d) => d.life === "discovered" ? stranger(d, button) : h("li", { "data-device": d.id },
    h("span", { class: "fresh " + d.state }, t("fresh." + d.state)), " ", d.life === "active" ? null : h("span", { class: "state" }, t("devices.life." + d.life)), " ", h("b", {}, d.name || d.id), ` ${d.id}`,
    h("p", {}, [pickType(d.type), d.area_name, options("agency").find(([id]) => id === d.agency)?.[1], d.vendor, d.gateway && t("devices.via", { gateway: d.gateway })].filter(Boolean).join(" · ")),
    h("p", {}, Object.entries<any>(d.values).map(([m, v]) => `${m} ${num(v.value, 2)} ${v.unit ?? ""} (${ago(v.ts)}${v.quality === "good" ? "" : ", " + t("quality." + v.quality)})`).join(" · ") || t("device.nodata")),
    h("div", { class: "acts" }, edit(d, button), ...lifeActs(d, button))));
}

const pickType = (id: string): string => options("type").find(([x]) => x === id)?.[1] ?? id;
