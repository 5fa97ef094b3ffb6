// A choice among many, found by typing without accents: a combobox (WAI-ARIA),
// for one or for several.
import { h, show } from "./dom";
import { Options, Part, part } from "./form";
import { num, t } from "./i18n";

export interface Choice { value: string; label: string; hint?: string }

const most = 50; // so many are offered at once

/** fold is text without case, accents and đ. */
export const fold = (s: string): string => s.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐÐð]/g, "d").toLowerCase();

/** found are the choices whose words begin as what was typed, all of its words somewhere. */
export function found(choices: Choice[], typed: string): Choice[] {
  const words = fold(typed).split(/\s+/).filter(Boolean);
  return choices.filter((c) => { const text = fold(`${c.label} ${c.value} ${c.hint ?? ""}`); return words.every((w) => text.includes(w)); });
}

/** box is the field in which one types, and the list under it; take is told what was chosen. */
function box(choices: () => Choice[], take: (c: Choice) => void, placeholder: string): { el: HTMLElement; input: HTMLInputElement } {
  const list = h("ul", { role: "listbox", class: "offers", hidden: true });
  list.id = "o" + Math.random().toString(36).slice(2);
  const input = h("input", { type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list", placeholder, maxlength: 100 });
  let offered: Choice[] = [], at = -1;
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); at = -1; };
  const mark = () => {
    [...list.children].forEach((li, i) => li.setAttribute("aria-selected", String(i === at)));
    const li = list.children[at];
    if (li) { input.setAttribute("aria-activedescendant", li.id); li.scrollIntoView({ block: "nearest" }); }
  };
  const pick = (c: Choice) => { close(); take(c); input.dispatchEvent(new Event("input", { bubbles: true })); close(); };
  const open = (typed: string) => {
    const all = found(choices(), typed);
    offered = all.slice(0, most);
    at = -1;
    show(list, ...offered.map((c, i) => h("li", { role: "option", id: `${list.id}-${i}`, "aria-selected": "false", onpointerdown: (ev: Event) => { ev.preventDefault(); pick(c); } }, c.label, c.hint ? h("small", {}, " " + c.hint) : null)),
      all.length > most && h("li", { class: "hint" }, t("choose.more", { n: num(all.length - most, 0) })), !all.length && h("li", { class: "hint" }, t("choose.none")));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  };
  input.addEventListener("input", (ev) => { if ((ev as InputEvent).inputType !== undefined) open(input.value); });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("pointerdown", () => { if (list.hidden) open(""); });
  input.addEventListener("keydown", (ev) => {
    if (ev.key === "ArrowDown" || ev.key === "ArrowUp") {
      ev.preventDefault();
      if (list.hidden) open("");
      at = Math.max(0, Math.min(offered.length - 1, at + (ev.key === "ArrowDown" ? 1 : -1)));
      mark();
    } else if (ev.key === "Enter" && !list.hidden) {
      ev.preventDefault();
      const c = offered[at] ?? (offered.length === 1 ? offered[0] : undefined);
      if (c) pick(c);
    } else if (ev.key === "Escape" && !list.hidden) { ev.stopPropagation(); close(); }
  });
  input.addEventListener("blur", close);
  return { el: h("div", { class: "combo" }, input, list), input };
}

/** chooseOne is one of choices, or "" for none. */
export function chooseOne(name: string, label: string, choices: Choice[], value: string, o: Options & { none?: string } = {}): Part {
  let chosen = choices.find((c) => c.value === value) ?? (value ? { value, label: value } : undefined);
  const b = box(() => choices, (c) => { chosen = c; b.input.value = c.label; }, o.none ?? t("choose.type"));
  b.input.value = chosen?.label ?? "";
  return part(name, label, b.el, b.input, () => {
    const typed = b.input.value.trim();
    if (!typed) {
      if (o.required) throw new Error(t("form.missing"));
      return "";
    }
    if (chosen && typed === chosen.label) return chosen.value;
    const exact = choices.filter((c) => fold(c.label) === fold(typed) || c.value === typed);
    if (exact.length !== 1) throw new Error(t("choose.unknown"));
    return exact[0]!.value;
  }, o);
}

/** chooseMany is a list of choices, each taken out again by its button. */
export function chooseMany(name: string, label: string, choices: Choice[], values: string[], o: Options & { none?: string } = {}): Part {
  const chosen = [...values], chips = h("ul", { class: "chips" });
  const draw = () => show(chips, ...chosen.map((v) => {
    const c = choices.find((x) => x.value === v), words = c?.label ?? v;
    return h("li", {}, words, h("button", { type: "button", "aria-label": t("choose.remove", { name: words }), onclick: () => { chosen.splice(chosen.indexOf(v), 1); draw(); b.input.dispatchEvent(new Event("input", { bubbles: true })); b.input.focus(); } }, "×"));
  }));
  const b = box(() => choices.filter((c) => !chosen.includes(c.value)), (c) => { chosen.push(c.value); b.input.value = ""; draw(); }, o.none ?? t("choose.type"));
  draw();
  return part(name, label, h("div", {}, chips, b.el), b.input, () => {
    if (b.input.value.trim()) throw new Error(t("choose.unknown"));
    if (o.required && !chosen.length) throw new Error(t("form.missing"));
    return chosen;
  }, o);
}
