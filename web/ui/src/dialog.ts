// What interrupts: a question before what cannot be undone, and a secret that is
// shown once.
import { h, show } from "./dom";
import { t } from "./i18n";

let asking = false;

/** ask puts a question; yes names what is done then. Escape and "no" are false. */
export function ask(title: string, text: string, yes: string): Promise<boolean> {
  return new Promise((done) => {
    const go = h("button", { class: "danger", type: "button", onclick: () => el.close("yes") }, yes);
    const no = h("button", { type: "button", onclick: () => el.close("") }, t("cancel"));
    const el: HTMLDialogElement = h("dialog", { "aria-labelledby": "ask-title", onclose: () => { asking = false; el.remove(); done(el.returnValue === "yes"); } }, h("h2", { id: "ask-title" }, title), h("p", {}, text), h("div", { class: "acts" }, go, no));
    document.body.append(el);
    asking = true;
    el.showModal();
    no.focus(); // a stray Enter does nothing
  });
}

/** isAsking says that a question stands on the page. */
export const isAsking = (): boolean => asking;

/** copy puts text on the clipboard; over plain http, where browsers give none, by way of a selection. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "unseen" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error(t("secret.nocopy"));
}

/** secret shows what is shown once: names and values, each to be copied. */
export function secret(title: string, rows: [string, string][]): HTMLElement {
  const said = h("p", { role: "status" });
  return h("div", { class: "secret", role: "group", "aria-label": title }, h("h3", {}, title), h("p", {}, t("secret.once")),
    h("dl", {}, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value), " ", h("button", { type: "button", "aria-label": t("secret.copy") + ": " + name, onclick: async () => {
      try { await copy(value); show(said, t("secret.copied", { name })); } catch (e) { show(said, (e as Error).message); }
    } }, t("secret.copy")))])), said);
}
