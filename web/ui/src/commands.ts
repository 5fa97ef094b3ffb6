// What a device was told and answered, how it is set, and a form to tell it more.
import { call, get, post } from "./api";
import { h, show } from "./dom";
import { sheet, text } from "./form";
import { ago, t } from "./i18n";

interface Command { id: string; name: string; state: string; who: string; why?: string; created_at: string; message?: string; result?: unknown }
interface Config { version: number; desired?: unknown; reported_version?: number; reported?: unknown; in_sync: boolean; error?: string }

/** usual are commands that most devices know. */
export const usual = ["identify", "restart", "set_interval", "sleep"];

function row(device: string, c: Command, mayAct: boolean, redraw: () => Promise<void>): HTMLElement {
  const li = h("li", {}, h("span", { class: "state c-" + c.state }, t("command." + c.state)), " ", h("b", {}, c.name), " ", h("small", {}, [ago(c.created_at), c.who, c.why].filter(Boolean).join(" · ")),
    c.message ? h("p", {}, c.message) : null, c.result !== undefined ? h("pre", {}, JSON.stringify(c.result)) : null);
  if (mayAct && c.state === "queued") li.append(h("button", { onclick: async () => {
    try { await post(`/devices/${device}/commands/${c.id}/stop`); await redraw(); } catch (e) { li.append(h("small", { class: "error", role: "alert" }, (e as Error).message)); }
  } }, t("command.stop")));
  return li;
}

function form(device: string, redraw: () => Promise<void>): HTMLElement {
  const names = h("datalist", { id: "commands-" + device }, ...usual.map((n) => h("option", { value: n })));
  const name = h("input", { list: names.id, required: true, pattern: "[a-z][a-z0-9_\\-]{0,31}", autocomplete: "off" }), args = h("input", { placeholder: '{"seconds": 60}', autocomplete: "off" }), why = h("input", { autocomplete: "off" });
  const says = h("p", { class: "error", role: "alert" });
  const el = h("form", { class: "row" }, h("label", {}, t("command.name"), name, names), h("label", {}, t("command.args"), args), h("label", {}, t("command.why"), why), h("button", { class: "primary" }, t("command.send")), says);
  el.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    says.textContent = "";
    let given: unknown;
    try { given = args.value.trim() ? JSON.parse(args.value) : undefined; } catch { says.textContent = t("command.args.bad"); return; }
    try { await post(`/devices/${device}/commands`, { name: name.value, args: given, why: why.value }); await redraw(); } catch (e) { says.textContent = (e as Error).message; }
  });
  return h("details", {}, h("summary", {}, t("command.new")), el);
}

/** settings shows how a device is to be set beside what it says of itself, and sets it anew. */
function settings(device: string, c: Config, mayAct: boolean, redraw: () => Promise<void>): HTMLElement {
  const said = c.version ? t(c.in_sync ? "config.insync" : c.error ? "config.error" : "config.waits", { version: c.version, reported: c.reported_version ?? "–", error: c.error ?? "" }) : t("config.none");
  const json = (x: unknown) => h("pre", {}, x === undefined ? "–" : JSON.stringify(x, null, 2));
  const both = c.version || c.reported !== undefined ? h("div", { class: "changes" }, h("div", {}, h("b", {}, t("config.desired")), json(c.desired)), h("div", {}, h("b", {}, t("config.reported")), json(c.reported))) : null;
  const box = h("div", {}, h("p", {}, said), both);
  if (!mayAct) return box;
  const inside = h("div", {}), el: HTMLDetailsElement = h("details", { class: "wide", ontoggle: () => {
    if (!el.open || inside.firstChild) return;
    const parts = [text("desired", t("config.desired"), JSON.stringify(c.desired ?? {}, null, 2), { rows: 6, max: 8192, required: true, help: t("config.help"), id: `config-${device}`, check: (v) => (object(v) ? "" : t("command.args.bad")) }), text("why", t("command.why"), "", { max: 500 })];
    show(inside, sheet(parts, () => parts, t("config.set"), async (v) => {
      await call("PUT", `/devices/${device}/config`, { desired: object(String(v.desired)), after_version: c.version, why: v.why });
      el.open = false;
      await redraw();
    }));
  } }, h("summary", {}, t("config.set")), inside);
  box.append(el);
  return box;
}

/** object is the JSON object in a text, or undefined. */
function object(text: string): object | undefined {
  try { const x = JSON.parse(text); return x && typeof x === "object" && !Array.isArray(x) ? x : undefined; } catch { return undefined; }
}

/** commands shows a device's newest commands, until it is taken from the page. */
export async function commands(device: string, mayAct: boolean, mayConfigure: boolean): Promise<HTMLElement> {
  const list = h("div", { "aria-live": "polite" }), config = h("div", {});
  let shown = "";
  const redraw = async (): Promise<void> => {
    const [cs, conf] = await Promise.all([get<{ items: Command[] }>(`/devices/${device}/commands?limit=10`), get<Config>(`/devices/${device}/config`)]);
    show(list, cs.items.length ? h("ul", { class: "plainlist" }, ...cs.items.map((c) => row(device, c, mayAct, redraw))) : h("p", { class: "empty" }, t("command.none")));
    const now = JSON.stringify(conf);
    if (now === shown || config.querySelector("details[open]")) return; // nothing is drawn anew under somebody's hands
    shown = now;
    show(config, settings(device, conf, mayConfigure, async () => { shown = ""; await redraw(); }));
  };
  await redraw();
  const timer = setInterval(() => { if (!list.isConnected) clearInterval(timer); else redraw().catch(() => {}); }, 3000);
  return h("div", { class: "commands" }, h("h3", {}, t("command.title")), mayAct ? form(device, redraw) : null, list, h("h3", {}, t("config.title")), config);
}
