// Forms: each field with its words, its help and what is wrong with it beside
// it; what was typed and not kept is not lost unasked.
import { Problem } from "./api";
import { readDay, readTime, sayDay } from "./dates";
import { h, show } from "./dom";
import { t, when } from "./i18n";

/** Part is a field of a form. Its name is the API's: a fault of that name is shown here. */
export interface Part {
  name: string;
  el: HTMLElement;
  /** read gives the value for the API, or throws what is wrong with it. */
  read: () => unknown;
  /** fault shows what is wrong; "" takes it away. */
  fault: (text: string) => void;
  focus: () => void;
}

export interface Options { help?: string; required?: boolean; max?: number; rows?: number; id?: string; placeholder?: string; list?: string[]; check?: (value: string) => string; disabled?: boolean; wide?: boolean; inputmode?: string; type?: string }

let made = 0;

/** part puts a control under its label, with help and a place for its fault. */
export function part(name: string, label: string, control: HTMLElement, input: HTMLElement, read: () => unknown, o: Options = {}): Part {
  input.id ||= o.id ?? `f${++made}`;
  const says = h("small", { class: "error", id: input.id + "-fault", role: "alert" }), help = o.help ? h("small", { id: input.id + "-help" }, o.help) : null;
  input.setAttribute("aria-describedby", [help?.id, says.id].filter(Boolean).join(" "));
  const el = h("div", { class: o.wide ? "control wide" : "control" }, h("label", { for: input.id }, label, o.required && h("span", { class: "must", title: t("form.required") }, " *")), control, help, says);
  const fault = (text: string) => {
    if (text) for (let d = el.closest("details"); d; d = d.parentElement?.closest("details") ?? null) d.open = true; // what is wrong is not hidden
    says.textContent = text; text ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  };
  el.addEventListener("input", () => fault(""));
  return { name, el, read, fault, focus: () => input.focus() };
}

/** identified gives a part's input an id of its own, for links and labels to it. */
export function identified(p: Part, id: string): Part {
  const input = p.el.querySelector<HTMLElement>("input, select, textarea");
  if (!input) return p;
  const was = input.id;
  for (const el of p.el.querySelectorAll(`[id^="${was}"]`)) el.id = el.id.replace(was, id);
  for (const l of p.el.querySelectorAll(`label[for="${was}"]`)) l.setAttribute("for", id);
  input.setAttribute("aria-describedby", (input.getAttribute("aria-describedby") ?? "").replaceAll(was, id));
  return p;
}

/** text is a line of text, or with rows several. */
export function text(name: string, label: string, value: string, o: Options = {}): Part {
  const attrs = { maxlength: o.max ?? 200, placeholder: o.placeholder, disabled: o.disabled, spellcheck: "false", autocomplete: "off", inputmode: o.inputmode, "aria-required": o.required };
  const input = o.rows ? h("textarea", { ...attrs, rows: o.rows }) : h("input", { ...attrs, type: o.type ?? "text" });
  input.value = value;
  const more: HTMLElement[] = [];
  if (o.list?.length) {
    const known = h("datalist", { id: `l${++made}` }, ...o.list.map((v) => h("option", { value: v })));
    input.setAttribute("list", known.id);
    more.push(known);
  }
  return part(name, label, more.length ? h("div", {}, input, ...more) : input, input, () => {
    const v = input.value.trim();
    if (o.required && !v) throw new Error(t("form.missing"));
    const wrong = v && o.check?.(v);
    if (wrong) throw new Error(wrong);
    return v;
  }, o);
}

/** number reads 1,5 as 1.5 does; empty is null. */
export function number(name: string, label: string, value: number | null | undefined, o: Options & { least?: number; most?: number; whole?: boolean } = {}): Part {
  const f = text(name, label, value === null || value === undefined ? "" : String(value).replace(".", t("form.mark")), { inputmode: "decimal", max: 30, ...o });
  const read = f.read;
  f.read = () => {
    const v = read() as string;
    if (!v) return null;
    const n = Number(v.replace(",", "."));
    if (!Number.isFinite(n) || (o.whole && !Number.isInteger(n))) throw new Error(t(o.whole ? "form.nowhole" : "form.nonumber"));
    if (o.least !== undefined && n < o.least || o.most !== undefined && n > o.most) throw new Error(t("form.range", { least: o.least ?? "–", most: o.most ?? "–" }));
    return n;
  };
  return f;
}

/** day is a day as dd/mm/yyyy; it reads as 2026-11-28, or "". */
export function day(name: string, label: string, iso: string, o: Options = {}): Part {
  const f = text(name, label, iso ? sayDay(iso) : "", { placeholder: t("form.dayform"), max: 10, inputmode: "numeric", ...o });
  const read = f.read;
  f.read = () => {
    const v = readDay(read() as string);
    if (v === null) throw new Error(t("form.noday"));
    return v;
  };
  return f;
}

/** time is a time of Vietnam as dd/mm/yyyy hh:mm; it reads as RFC 3339, or undefined. */
export function time(name: string, label: string, iso: string, o: Options = {}): Part {
  const f = text(name, label, iso ? when(iso) : "", { placeholder: t("form.timeform"), max: 16, ...o });
  const read = f.read;
  f.read = () => {
    const v = readTime(read() as string);
    if (v === null) throw new Error(t("form.notime"));
    return v || undefined;
  };
  return f;
}

/** select is a choice of few; none stands before them as "". */
export function select(name: string, label: string, options: [string, string][], value: string, o: Options & { none?: string } = {}): Part {
  const input = h("select", { "aria-required": o.required, disabled: o.disabled }, o.none !== undefined && h("option", { value: "" }, o.none), ...options.map(([v, n]) => h("option", { value: v, selected: v === value }, n)));
  return part(name, label, input, input, () => {
    if (o.required && !input.value) throw new Error(t("form.missing"));
    return input.value;
  }, o);
}

/** tick is a yes or no. */
export function tick(name: string, label: string, value: boolean, o: Options = {}): Part {
  const input = h("input", { type: "checkbox", class: "tick", checked: value, id: o.id ?? `f${++made}` }), says = h("small", { class: "error", role: "alert" });
  return { name, el: h("div", { class: "control" }, h("label", { class: "ticked", for: input.id }, input, " ", label), o.help ? h("small", {}, o.help) : null, says), read: () => input.checked, fault: (x) => { says.textContent = x; }, focus: () => input.focus() };
}

/** readAll is what stands in parts by name, or null: then faults are shown and the first has the focus. */
export function readAll(parts: Part[]): Record<string, unknown> | null {
  const out: Record<string, unknown> = {};
  let first: Part | undefined;
  for (const p of parts) {
    try { out[p.name] = p.read(); p.fault(""); } catch (e) { p.fault((e as Error).message); first ??= p; }
  }
  first?.focus();
  return first ? null : out;
}

/** blame shows each fault that the API named beside its field; what has no field is returned as text. */
function blame(e: Error, parts: Part[]): string {
  if (!(e instanceof Problem) || !e.fields.length) return e.message;
  const rest: string[] = [];
  for (const f of e.fields) {
    const p = parts.find((x) => x.name === f.field) ?? parts.find((x) => f.field.startsWith(x.name + "[") || f.field.startsWith(x.name + "."));
    if (p) { p.fault(f.detail); p.focus(); } else rest.push(f.field + ": " + f.detail);
  }
  return rest.join("; ");
}

const dirty = new Set<HTMLElement>();

/** unsaved says that a form on the page holds what was not kept. */
export function unsaved(): boolean {
  for (const el of dirty) if (!el.isConnected) dirty.delete(el);
  return dirty.size > 0;
}

/** forget takes all that was typed for kept. */
export const forget = (): void => dirty.clear();

addEventListener("beforeunload", (ev) => { if (unsaved()) ev.preventDefault(); });

/** sheet is a form of parts, or of groups under headings. send keeps what was read; after it nothing is unsaved. */
export function sheet(groups: (HTMLElement | Part | null | false)[], parts: () => Part[], label: string, send: (values: Record<string, unknown>) => Promise<unknown>, ...more: (HTMLElement | null)[]): HTMLFormElement {
  const says = h("p", { class: "error", role: "alert" }), go = h("button", { class: "primary" }, label);
  const el = h("form", { class: "sheet", novalidate: true }, ...groups.map((g) => g && ("read" in g ? (g as Part).el : (g as HTMLElement))), says, h("div", { class: "acts" }, go, ...more));
  el.addEventListener("input", () => dirty.add(el));
  el.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    says.textContent = "";
    const values = readAll(parts());
    if (!values) { says.textContent = t("form.look"); return; }
    go.disabled = true;
    try {
      await send(values);
      dirty.delete(el);
    } catch (e) { show(says, blame(e as Error, parts()) || t("form.look")); } finally { go.disabled = false; }
  });
  return el;
}

/** group puts parts under a heading. */
export const group = (title: string, ...parts: (Part | HTMLElement | null | false)[]): HTMLElement =>
  h("fieldset", { class: "group" }, h("legend", {}, title), ...parts.map((p) => p && ("read" in p ? (p as Part).el : (p as HTMLElement))));
