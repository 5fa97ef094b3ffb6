// What of a report is hidden, shown to who says why.
import { post } from "./api";
import { h, show } from "./dom";
import { t } from "./i18n";

/** unmask asks for the reason, and shows it once. */
export function unmask(code: string): HTMLElement {
  const why = h("textarea", { rows: 2, "aria-label": t("unmask.why"), placeholder: t("unmask.why") });
  const told = h("div", { role: "status" });
  return h("details", { class: "unmask" }, h("summary", {}, t("unmask.title")), h("p", { class: "hint" }, t("unmask.hint")), why, h("button", { onclick: async () => {
    try {
      const p = await post<any>(`/reports/${code}/unmask`, { reason: why.value });
      show(told, h("dl", {}, ...[["unmask.name", p.name], ["unmask.phone", p.phone], ["unmask.address", p.address], ["unmask.place", p.lat === undefined ? "" : `${p.lat}, ${p.lon}`], ["unmask.text", p.description]].filter((x) => x[1]).flatMap(([k, v]) => [h("dt", {}, t(k)), h("dd", {}, v)])));
    } catch (e) { show(told, h("p", { class: "error", role: "alert" }, (e as Error).message)); }
  } }, t("unmask.go")), told);
}
