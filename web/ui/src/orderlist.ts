// Work orders and the steps that their crews took.
import { get, post } from "./api";
import { h } from "./dom";
import { t, when } from "./i18n";
import { cards, withText } from "./section";

export const orderList = cards("orders", ["workorder.read"], {
  async items(button, _, { may }) {
    return (await get<any>("/work-orders")).items.map((w: any) => h("li", {}, h("span", { class: "state s-" + w.state }, t("order." + w.state)), " ", h("b", {}, w.title), h("p", {}, w.crew_name),
      h("ol", { class: "steps" }, ...w.timeline.map((e: any) => h("li", {}, `${t("order." + e.state)} · ${when(e.at)} ${e.by ?? ""} ${e.text ?? ""}`))), ...w.photos.map((p: string) => h("img", { class: "thumb", src: `/media/${p}.jpg`, alt: t("report.photo"), loading: "lazy" })),
      may("workorder.send") && ["offered", "accepted", "en_route", "on_scene"].includes(w.state) ? withText(button, t("order.cancel"), t("report.why"), (text) => post(`/work-orders/${w.id}/cancel`, { text })) : null));
  },
});
