// Alerts, open and past, with who has seen them.
import { get, post } from "./api";
import { h } from "./dom";
import { lang, pick, t, when } from "./i18n";
import { cards } from "./section";

export const alertList = cards("alerts", ["alert.read"], {
  async items(button, _, { may }) {
    return (await get<any>("/alerts?state=all&limit=200")).items.map((a: any) => h("li", { class: a.severity }, h("span", { class: "state" }, t("sev." + a.severity)), " ", h("b", {}, pick(a.rule_name)), ` ${a.device_name || a.device}`, h("p", {}, lang === "vi" ? a.summary : a.summary_en),
      h("small", {}, `${when(a.started_at)}${a.cleared_at ? " – " + when(a.cleared_at) : ""}${a.late ? " · " + t("alert.late") : ""}${a.cohort ? " · " + t("alert.member") : ""}`), h("div", { class: "acts" }, a.acked_at ? t("alert.acked", { by: a.acked_by }) : may("alert.ack") && button(t("alert.ack"), () => post(`/alerts/${a.id}/ack`)))));
  },
});
