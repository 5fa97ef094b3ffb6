// Who is signed in, and from where; a session that should not be is ended here.
import { call, get } from "./api";
import { ask } from "./dialog";
import { h } from "./dom";
import { ago, t, when } from "./i18n";
import { cards } from "./section";

const filter = { account: "" };

export const sessionList = cards("sessions", ["person.manage"], {
  enter: (place) => { if (place.query.has("account")) filter.account = place.query.get("account")!; },
  tools: (redraw) => {
    const input = h("input", { type: "search", id: "sessions-account", value: filter.account, maxlength: 64, spellcheck: "false", onchange: () => { filter.account = input.value.trim(); redraw(); } });
    return h("div", { class: "row filter" }, h("label", { for: "sessions-account" }, t("people.name"), input));
  },
  async items(button) {
    const items = (await get<{ items: any[] }>("/sessions" + (filter.account && "?account=" + encodeURIComponent(filter.account)))).items;
    return items.map((s) => h("li", {}, h("b", {}, s.account || t("sessions.token")), s.current ? h("span", { class: "state gap" }, t("sessions.this")) : null, h("p", {}, s.agent || "?"), h("p", {}, h("small", {}, t("sessions.line", { address: s.address, began: when(s.created_at), seen: ago(s.seen_at) }))),
      s.current ? null : h("div", { class: "acts" }, button(t("sessions.end"), async () => { if (await ask(t("sessions.end"), t("sessions.endask", { name: s.account || t("sessions.token") }), t("sessions.end"))) await call("DELETE", "/sessions/" + encodeURIComponent(s.id)); }))));
  },
}, true);
