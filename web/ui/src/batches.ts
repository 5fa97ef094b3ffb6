// Commands to many devices at once: how far each has come, and a stop for what
// was not sent yet.
import { get, post } from "./api";
import { chooseOne } from "./choose";
import { usual } from "./commands";
import { ask } from "./dialog";
import { h, show } from "./dom";
import { forget, number, sheet, text } from "./form";
import { ago, num, pick, t, when } from "./i18n";
import { areaChoices, areas, named, typeChoices, types } from "./lookups";
import { Redraw, Section, back, cards, press } from "./section";

interface Batch { id: string; name: string; args?: unknown; filter: { devices?: string[]; type?: string; area?: string; q?: string }; who: string; why?: string; total: number; created_at: string; expires_at: string; stopped_at?: string; counts: Record<string, number>; open: number }

const states = ["queued", "sent", "delivered", "succeeded", "failed", "timed_out", "expired", "stopped"];

/** told is whom a bulk command went to, in words. */
async function told(b: Batch): Promise<string> {
  const [kinds, places] = await Promise.all([types(), areas()]);
  const kind = kinds.find((x) => x.id === b.filter.type), place = places.find((x) => x.code === b.filter.area);
  return [kind ? pick(kind.name) : b.filter.type, place ? named(place) : b.filter.area, b.filter.q && `“${b.filter.q}”`, b.filter.devices?.length && t("batch.ids", { n: num(b.filter.devices.length, 0) })].filter(Boolean).join(" · ") || t("batch.all");
}

/** progress is a bar and the counts by state. */
const progress = (b: Batch): HTMLElement => h("div", {}, h("progress", { max: Math.max(1, b.total), value: b.total - b.open, "aria-label": t("batch.progress") }), " ", t("batch.done", { done: num(b.total - b.open, 0), total: num(b.total, 0) }),
  h("p", {}, ...states.filter((s) => b.counts[s]).map((s) => h("span", { class: "tally c-" + s }, `${t("command." + s)} ${num(b.counts[s]!, 0)}`))));

async function card(b: Batch, redraw: Redraw, manage: boolean): Promise<HTMLElement> {
  return h("li", { "data-batch": b.id }, h("a", { class: "open", href: "#commands/" + encodeURIComponent(b.id) }, h("b", {}, b.name)), " ", await told(b), b.why ? h("p", {}, b.why) : null, progress(b),
    h("small", {}, [when(b.created_at), b.who, b.stopped_at && t("batch.stopped", { at: when(b.stopped_at) })].filter(Boolean).join(" · ")), manage && b.open > 0 && !b.stopped_at ? h("div", { class: "acts" }, stop(b, redraw)) : null);
}

const stop = (b: Batch, redraw: Redraw) => press(redraw)(t("command.stop"), async () => {
  if (await ask(t("batch.stop"), t("batch.stopask"), t("batch.stop"))) await post(`/commands/${b.id}/stop`, {});
});

/** form tells many devices something; how many is said before it goes. */
async function form(done: (b: Batch) => void): Promise<HTMLElement> {
  const [kinds, places] = await Promise.all([typeChoices(), areaChoices()]);
  const args = text("args", t("command.args"), "", { placeholder: '{"seconds": 60}', max: 4000, check: (v) => { try { const x = JSON.parse(v); return x && typeof x === "object" && !Array.isArray(x) ? "" : t("command.args.bad"); } catch { return t("command.args.bad"); } } });
  const parts = [text("name", t("command.name"), "", { required: true, max: 32, list: usual, check: (v) => (/^[a-z][a-z0-9_-]{0,31}$/.test(v) ? "" : t("command.badname")) }), args,
    chooseOne("type", t("devices.type"), kinds, "", { none: t("devices.any") }), chooseOne("area", t("devices.area"), places, "", { none: t("devices.any") }), text("q", t("devices.q"), "", { max: 100 }),
    text("why", t("command.why"), "", { required: true, max: 500 }), number("hours", t("batch.hours"), 24, { least: 0.1, most: 720, help: t("batch.hourshelp") })];
  return sheet(parts, () => parts, t("command.send"), async (v) => {
    const filter = Object.fromEntries(["type", "area", "q"].filter((k) => v[k]).map((k) => [k, String(v[k])]));
    const { total } = await get<{ total: number }>("/devices?" + new URLSearchParams({ ...filter, life: "active", limit: "1" }));
    if (!total) throw new Error(t("batch.nobody"));
    if (!(await ask(t("batch.send"), t("batch.sendask", { name: String(v.name), n: num(total, 0) }), t("command.send")))) throw new Error(t("batch.notsent"));
    const b = await post<Batch>("/commands", { name: v.name, args: v.args ? JSON.parse(String(v.args)) : undefined, why: v.why, expires_in_s: Math.round(Number(v.hours ?? 24) * 3600), filter });
    forget();
    done(b);
  });
}

/** page is one bulk command and what became of it at each device. */
async function page(el: HTMLElement, id: string, manage: boolean): Promise<Redraw> {
  const redraw = async () => {
    const [b, devices] = await Promise.all([get<Batch>("/commands/" + encodeURIComponent(id)), get<{ items: any[] }>(`/commands/${encodeURIComponent(id)}/devices?limit=200`)]);
    show(el, back("commands"), h("h3", {}, b.name), h("p", {}, [await told(b), b.why].filter(Boolean).join(" · ")), progress(b), manage && b.open > 0 && !b.stopped_at ? h("div", { class: "acts" }, stop(b, redraw)) : null,
      h("ul", { class: "plainlist" }, ...devices.items.map((c) => h("li", {}, h("span", { class: "state c-" + c.state }, t("command." + c.state)), " ", h("a", { href: "#devices/" + encodeURIComponent(c.device) }, c.device), " ", h("small", {}, [c.message, ago(c.ended_at ?? c.delivered_at ?? c.sent_at ?? c.created_at)].filter(Boolean).join(" · "))))),
      devices.items.length < b.total ? h("p", { class: "hint" }, t("list.first", { n: num(devices.items.length, 0) })) : null);
  };
  await redraw();
  return redraw;
}

const list = cards("commands", ["device.read"], {
  tools: (redraw, desk) => {
    if (!desk.may("device.command")) return null;
    const inside = h("div", {}), el: HTMLDetailsElement = h("details", { class: "wide", ontoggle: () => {
      if (el.open && !inside.firstChild) form(() => { el.open = false; show(inside); redraw(); }).then((f) => show(inside, f), (e) => show(inside, h("p", { class: "error" }, (e as Error).message)));
    } }, h("summary", {}, t("batch.new")), inside);
    return el;
  },
  items: async (_, redraw, desk) => Promise.all((await get<{ items: Batch[] }>("/commands")).items.map((b) => card(b, redraw, desk.may("device.command")))),
});

/** batchPages are the bulk commands, and one of them. */
export const batchPages: Section = { ...list, page: async (el, place, desk) => (place.thing ? page(el, place.thing, desk.may("device.command")) : list.page(el, place, desk)) };
