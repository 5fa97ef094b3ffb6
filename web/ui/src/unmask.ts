// What is hidden, shown to who says why; the audit log has it before they have.
import { Problem, post } from "./api";
import { h, show } from "./dom";
import { readAll, text } from "./form";
import { t } from "./i18n";

const letters = 10; // the API asks for as many

/** unmask asks for the reason and shows once what a call answers: closed, it is gone. */
export function unmask<T>(path: string, body: object, title: string, draw: (got: T) => (HTMLElement | null)[]): HTMLElement {
  const place = h("div", {});
  const question = () => {
    const why = text("reason", t("unmask.why"), "", { rows: 2, max: 300, check: (v) => ((v.match(/\p{L}/gu) ?? []).length < letters ? t("unmask.short") : ""), required: true });
    const go = h("button", { type: "button", onclick: async () => {
      const asked = readAll([why]);
      if (!asked) return;
      go.disabled = true;
      try {
        show(place, h("div", { class: "secret", role: "status" }, ...draw(await post<T>(path, { ...body, ...asked })), h("p", { class: "hint" }, t("unmask.once"))));
      } catch (e) {
        why.fault(e instanceof Problem && e.fields[0]?.detail || (e as Error).message);
        go.disabled = false;
      }
    } }, t("unmask.go"));
    show(place, h("p", { class: "hint" }, t("unmask.hint")), why.el, go);
  };
  const el = h("details", { class: "unmask", ontoggle: () => (el.open ? question() : show(place)) }, h("summary", {}, title), place);
  return el;
}
