// A way to build elements in which text can never become markup.
type Child = Node | string | null | undefined | false;
type Props = Record<string, unknown>;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === false || v === null) continue;
    if (k.startsWith("on")) el.addEventListener(k.slice(2), v as EventListener);
    else if (k === "class") el.className = String(v);
    else el.setAttribute(k, v === true ? "" : String(v));
  }
  for (const c of children) if (c) el.append(c);
  return el;
}

export const $ = <T extends HTMLElement = HTMLElement>(sel: string): T => document.querySelector<T>(sel)!;

/** show replaces what el holds. */
export function show(el: Element, ...children: Child[]): void {
  el.replaceChildren(...(children.filter(Boolean) as (Node | string)[]));
}

// A press is a pointer or the space bar held down. What is drawn anew between
// its begin and its end hears no click: the browser gives it to what both share.
let pressed = false;
const waiting: (() => void)[] = [];
const release = () => {
  pressed = false;
  setTimeout(() => { for (const go of waiting.splice(0)) go(); }); // the click comes first
};
addEventListener("pointerdown", () => { pressed = true; }, true);
addEventListener("keydown", (ev) => { if (ev.key === " ") pressed = true; }, true);
for (const end of ["pointerup", "pointercancel", "keyup"]) addEventListener(end, release, true);
addEventListener("blur", release); // the window's own: what ends elsewhere is not told here

/** released is the moment in which nothing is pressed: buttons are drawn anew only then. */
export function released(): Promise<void> {
  return pressed ? new Promise((go) => waiting.push(go)) : Promise.resolve();
}
