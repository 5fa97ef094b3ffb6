// A section of the console: what stands under one address, #name/thing?filter.
import { h, released, show } from "./dom";
import { num, t } from "./i18n";
import { Session } from "./signin";

export type Redraw = () => Promise<void>;
export type Button = (label: string, fn: () => Promise<unknown>) => HTMLElement;

/** Place is where in a section one is. */
export interface Place { thing: string; query: URLSearchParams }

/** Desk is what a section is given: who looks, and what they may do. */
export interface Desk { me: Session; may: (action: string) => boolean; everywhere: (action: string) => boolean }

export interface Section {
  name: string;
  /** The actions one of which it needs; with everywhere the right must have no limits. */
  needs: string[];
  everywhere?: boolean;
  /** page fills el; what it gives back draws it anew after a while, when nobody has their hands on it. */
  page: (el: HTMLElement, place: Place, desk: Desk) => Promise<Redraw | void>;
}

/** press is a button that does something and then draws anew; what was wrong stands beside it. */
export const press = (redraw: Redraw): Button => (label, fn) => h("button", { type: "button", onclick: async (ev: Event) => {
  const b = ev.currentTarget as HTMLButtonElement;
  b.disabled = true;
  b.nextElementSibling?.matches("small.error") && b.nextElementSibling.remove();
  try { await fn(); await redraw(); } catch (e) { b.after(h("small", { class: "error", role: "alert" }, " " + (e as Error).message)); } finally { b.disabled = false; }
} }, label);

/** withText is an act that the record needs words for. */
export function withText(button: Button, label: string, hint: string, fn: (text: string) => Promise<unknown>): HTMLElement {
  const text = h("textarea", { rows: 2, "aria-label": hint, placeholder: hint });
  return h("details", {}, h("summary", {}, label), text, button(label, () => fn(text.value)));
}

/** List is a section that is a list of cards under its tools. */
export interface List {
  items: (button: Button, redraw: Redraw, desk: Desk) => Promise<HTMLElement[]>;
  enter?: (place: Place) => void;
  tools?: (redraw: Redraw, desk: Desk) => HTMLElement | null | Promise<HTMLElement | null>;
  /** count says how many there are; without it all that are shown. */
  count?: (shown: number) => string;
  more?: (redraw: Redraw) => HTMLElement | null;
  /** paged says that somebody reads beyond the first page: it is left alone then. */
  paged?: () => boolean;
}

/** cards makes a section of a list. */
export const cards = (name: string, needs: string[], list: List, everywhere = false): Section => ({
  name, needs, everywhere,
  async page(el, place, desk) {
    list.enter?.(place);
    const body = h("div", { class: "list", "aria-live": "polite" }, h("p", { class: "empty" }, t("loading")));
    let turn = 0;
    const redraw: Redraw = async () => {
      const now = ++turn; // an answer that comes late must not stand under another filter
      try {
        const items = await list.items(press(redraw), redraw, desk), more = list.more?.(redraw) ?? null;
        await released();
        if (now !== turn) return;
        show(body, h("p", { class: "hint" }, list.count?.(items.length) ?? t(more ? "list.first" : items.length === 1 ? "list.one" : "list.count", { n: num(items.length, 0) })),
          items.length ? h("ul", { class: "cardlist" }, ...items) : h("p", { class: "empty" }, t("list.empty." + name)), more);
      } catch (e) {
        if (now === turn) show(body, h("p", { class: "error", role: "alert" }, (e as Error).message), press(redraw)(t("retry"), async () => {}));
      }
    };
    show(el, await list.tools?.(redraw, desk) ?? null, body);
    await redraw();
    return async () => { if (!body.querySelector("details[open]") && !body.contains(document.activeElement) && !list.paged?.()) await redraw(); };
  },
});

/** fault is what stands where a page could not be drawn. */
export const fault = (e: unknown, again: Redraw): HTMLElement => h("div", {}, h("p", { class: "error", role: "alert" }, (e as Error).message), press(again)(t("retry"), async () => {}));

/** back is the way from a thing to the list it is of. */
export const back = (name: string): HTMLElement => h("p", {}, h("a", { href: "#" + name }, "← " + t("tab." + name)));
