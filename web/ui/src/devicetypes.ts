// Kinds of devices: what they measure, how often they send, what a page of one
// begins with.
import { Problem, call, post, versioned } from "./api";
import { chooseMany } from "./choose";
import { ask } from "./dialog";
import { h, show } from "./dom";
import { Part, forget, group, number, select, sheet, text, tick } from "./form";
import { num, pick, t } from "./i18n";
import { DeviceType, Metric, changed, types } from "./lookups";
import { Redraw, Section, back, cards, press } from "./section";
import { picker } from "./photo";
import { span } from "./span";

const blank: DeviceType = { id: "", name: { vi: "", en: "" }, interval_s: 300, contract: "periodic", decoder: "", mobile: false, open: false, dashboard: { metrics: [], window_s: 0 }, metrics: [], shipped: false, edited: false, version: 0 };
const range = (m: Metric): string => (m.min === 0 && m.max === 0 ? "–" : `${num(m.min, 3)} … ${num(m.max, 3)}`);

/** metricTable shows what a type measures. */
const metricTable = (metrics: Metric[]) => h("div", { class: "metrics" }, ...metrics.map((m) => h("dl", { class: "facts", "data-metric": m.name }, h("dt", {}, pick(m.label)), h("dd", {}, h("code", {}, m.name), " ", h("small", {},
  [m.unit && t("type.unit") + " " + m.unit, t("type.range") + " " + range(m), t("type.decimals") + " " + m.decimals, t("type.kind." + m.kind), m.headline && t("type.headline")].filter(Boolean).join(" · "))))));

/** metricRows are the metrics of a type being edited: read gives them, parts their fields. */
function metricRows(metrics: Metric[]): { el: HTMLElement; parts: () => Part[]; read: () => Metric[] } {
  const rows: { el: HTMLElement; parts: Part[] }[] = [], box = h("div", {});
  const add = (m: Metric): HTMLElement => {
    const bounded = m.min !== 0 || m.max !== 0;
    const parts = [text("name", t("type.metric.name"), m.name, { required: true, max: 64, check: (v) => (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(v) ? "" : t("type.badmetric")) }), text("label.vi", t("type.name.vi"), m.label.vi, { required: true }), text("label.en", t("type.name.en"), m.label.en, { required: true }),
      text("unit", t("type.unit"), m.unit, { max: 40 }), number("min", t("type.min"), bounded ? m.min : null), number("max", t("type.max"), bounded ? m.max : null), number("decimals", t("type.decimals"), m.decimals, { least: 0, most: 9, whole: true }),
      select("kind", t("type.kind"), ["gauge", "counter", "state"].map((k) => [k, t("type.kind." + k)]), m.kind), tick("headline", t("type.headline"), m.headline)];
    const max = parts[5]!, read = max.read;
    max.read = () => {
      const hi = read() as number | null, lo = parts[4]!.read() as number | null;
      if ((hi === null) !== (lo === null) || (hi !== null && lo !== null && hi <= lo)) throw new Error(t("type.badrange"));
      return hi;
    };
    const el = h("details", { class: "group metric", open: !m.name }, h("summary", {}, m.name ? `${pick(m.label)} (${m.name})` : t("type.metric.new"), m.name ? h("small", {}, ` ${[m.unit, range(m)].join(" · ")}`) : null), ...parts.map((p) => p.el), h("button", { type: "button", "aria-label": t("type.metric.remove") + " " + m.name, onclick: () => { rows.splice(rows.findIndex((r) => r.el === el), 1); el.remove(); box.dispatchEvent(new Event("input", { bubbles: true })); } }, t("type.metric.remove")));
    rows.push({ el, parts });
    box.append(el);
    return el;
  };
  for (const m of metrics) add(m);
  const more = h("button", { type: "button", onclick: () => { add({ name: "", label: { vi: "", en: "" }, unit: "", min: 0, max: 0, decimals: 1, kind: "gauge", headline: false }).querySelector("input")!.focus(); } }, t("type.metric.add"));
  return {
    el: h("div", {}, box, more),
    // A fault that the API names as metrics[2].unit is shown at the third metric's unit.
    parts: () => rows.flatMap((r, i) => r.parts.map((p) => ({ ...p, read: () => p.read(), name: `metrics[${i}].${p.name}` }))),
    read: () => rows.map((r) => {
      const v = Object.fromEntries(r.parts.map((p) => [p.name, p.read()])) as any;
      return { name: v.name, label: { vi: v["label.vi"], en: v["label.en"] }, unit: v.unit, min: v.min ?? 0, max: v.max ?? 0, decimals: v.decimals ?? 0, kind: v.kind, headline: v.headline };
    }),
  };
}

/** form edits a type, as it was read under tag. */
function form(x: DeviceType, tag: string, done: () => void, again: () => Promise<void>): HTMLElement {
  const fresh = !x.id;
  const id = text("id", t("type.id"), x.id, { required: true, max: 40, help: t("type.idhelp"), id: "type-id", check: (v) => (/^[a-z][a-z0-9_]{0,39}$/.test(v) ? "" : t("type.badid")) });
  const who = [...(fresh ? [id] : []), text("name.vi", t("type.name.vi"), x.name.vi, { required: true, id: "type-name-vi" }), text("name.en", t("type.name.en"), x.name.en, { required: true, id: "type-name-en" })];
  const contract = select("contract", t("type.contract"), ["periodic", "event"].map((c) => [c, t("type.contract." + c)]), x.contract, { help: t("type.contracthelp") });
  const interval = number("interval_s", t("type.interval"), x.interval_s, { least: 0, most: 31622400, help: t("type.intervalhelp"), id: "type-interval" }), seconds = interval.read;
  interval.read = () => { const v = seconds() ?? 0; if (!v && contract.read() === "periodic") throw new Error(t("type.nointerval")); return v; };
  const way = [contract, interval, text("decoder", t("type.decoder"), x.decoder, { max: 64, help: t("type.decoderhelp"), list: ["lorawan", "senml", "osmand", "ttn", "thingsboard", "onvif"] }), tick("mobile", t("type.mobile"), x.mobile), tick("open", t("type.open"), x.open, { help: t("type.openhelp") })];
  const metrics = metricRows(x.metrics);
  const first = [chooseMany("dashboard.metrics", t("type.dashboard.metrics"), x.metrics.map((m) => ({ value: m.name, label: pick(m.label), hint: m.name })), x.dashboard.metrics, { help: t("type.dashboard.help") }), number("dashboard.window_s", t("type.dashboard.window"), x.dashboard.window_s ? x.dashboard.window_s / 3600 : null, { least: 0.1, most: 8784 })];
  const parts = () => [...who, ...way, ...metrics.parts(), ...first], told = h("div", { role: "status" });
  const send = async (v: Record<string, any>, units = "") => {
    const body = { name: { vi: v["name.vi"], en: v["name.en"] }, interval_s: v.interval_s, contract: v.contract, decoder: v.decoder, mobile: v.mobile, open: v.open, dashboard: { metrics: v["dashboard.metrics"], window_s: Math.round((v["dashboard.window_s"] ?? 0) * 3600) }, metrics: metrics.read() };
    await call("PUT", "/device-types/" + encodeURIComponent(x.id || v.id) + units, body, tag ? { "If-Match": tag } : {});
  };
  return sheet([group(t("type.who"), ...who), group(t("type.way"), ...way), group(t("type.metrics"), metrics.el), group(t("type.dashboard"), ...first), told], parts, t("devices.save"), async (v) => {
    show(told);
    if (fresh && (await types()).some((k) => k.id === v.id)) { id.fault(t("type.taken")); id.focus(); throw new Error(t("form.look")); }
    try { await send(v); } catch (e) {
      if (!(e instanceof Problem)) throw e;
      if (e.status === 409 && await ask(t("type.units"), t("type.unitsask"), t("type.unitsyes"))) await send(v, "?units=change");
      else {
        if (e.status === 412) show(told, h("div", { class: "warning" }, h("p", {}, t("conflict.stale")), h("button", { type: "button", onclick: again }, t("conflict.reload"))));
        throw e.status === 409 ? new Error(t("type.unitskept")) : e;
      }
    }
    changed();
    forget();
    done();
  }, h("a", { href: "#types" }, t("cancel")));
}

/** page is one type: what it measures, and for who may, its form. */
async function page(el: HTMLElement, id: string, manage: boolean): Promise<void> {
  const home = () => { location.hash = "#types"; }, again = async () => { forget(); await page(el, id, manage); };
  if (id === "+new") { show(el, back("types"), h("h3", {}, t("type.new")), form(blank, "", home, again)); return; }
  const { thing, tag } = await versioned<DeviceType>("/device-types/" + encodeURIComponent(id));
  show(el, back("types"), h("h3", {}, pick(thing.name), " ", h("code", {}, thing.id)), thing.shipped ? h("p", { class: "hint" }, t(thing.edited ? "type.edited" : "type.shipped")) : null,
    manage ? form(thing, tag, home, again) : metricTable(thing.metrics),
    manage ? h("section", { class: "chapter acts" }, press(async () => {})(t("type.delete"), async () => {
      if (!(await ask(t("type.delete"), t("type.deleteask", { name: pick(thing.name) }), t("type.delete")))) return;
      try { await call("DELETE", "/device-types/" + thing.id); } catch (e) { throw e instanceof Problem && e.status === 409 ? new Error(t("type.used")) : e; }
      changed(); forget(); home();
    })) : null);
}

/** yaml takes types in from a file; what is wrong is told with its line. */
function yaml(redraw: Redraw): HTMLElement {
  const told = h("div", { "aria-live": "polite" });
  const take = async (chosen: File, units = "") => {
    try {
      const r = await call<{ items: DeviceType[] }>("POST", "/device-types/import" + units, chosen);
      changed();
      file.value = "";
      show(told, h("p", { role: "status" }, t("type.imported", { n: num(r.items.length, 0) })));
      await redraw();
    } catch (e) {
      if (e instanceof Problem && e.status === 409 && !units && await ask(t("type.units"), t("type.unitsask"), t("type.unitsyes"))) return take(chosen, "?units=change");
      const at = e instanceof Problem ? e.fields.map((f) => h("li", {}, f.field === "body" ? null : h("code", {}, f.field), " ", h("span", { class: "pre" }, f.detail))) : [];
      show(told, h("div", { class: "error", role: "alert" }, h("p", {}, t("type.notimported")), at.length ? h("ul", {}, ...at) : h("p", {}, (e as Error).message)));
    }
  };
  const file = h("input", { type: "file", id: "type-file", accept: ".yaml,.yml,application/yaml", onchange: () => { if (file.files?.[0]) take(file.files[0]); } });
  return h("details", { class: "wide" }, h("summary", {}, t("type.import")), h("p", { class: "hint" }, t("type.importhelp")), picker(file, "type-file", t("area.file"), t("file.none")), told);
}

const list = cards("types", ["device.read"], {
  tools: (redraw, desk) => h("div", {}, h("div", { class: "acts" }, desk.everywhere("devicetype.manage") ? h("a", { class: "primary", href: "#types/+new" }, t("type.new")) : null, h("a", { href: "/api/v1/device-types/export", download: "device-types.yaml" }, t("type.export"))), desk.everywhere("devicetype.manage") ? yaml(redraw) : null),
  items: async () => (await types()).map((x) => h("li", { "data-type": x.id }, h("a", { class: "open", href: "#types/" + x.id }, h("b", {}, pick(x.name))), " ", h("code", {}, x.id), " ", h("span", { class: "state" }, t("type.contract." + x.contract)), x.shipped && x.edited ? h("span", { class: "state s-received" }, t("type.isedited")) : null,
    h("p", {}, [x.interval_s ? t("type.every", { span: span(x.interval_s) }) : "", x.decoder && t("type.decoder") + ": " + x.decoder, x.mobile && t("type.mobile")].filter(Boolean).join(" · ")),
    h("details", {}, h("summary", {}, t("type.measures", { n: num(x.metrics.length, 0) })), metricTable(x.metrics)))),
});

/** typePages are the list, a type of it, and the form for a new one. */
export const typePages: Section = { ...list, page: async (el, place, desk) => (place.thing ? page(el, place.thing, desk.everywhere("devicetype.manage")) : list.page(el, place, desk)) };
