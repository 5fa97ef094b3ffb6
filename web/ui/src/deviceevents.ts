// What one device said happened, newest first; what is hidden of it is shown to
// who says why.
import { get } from "./api";
import { readTime, wrongTime } from "./dates";
import { h, show } from "./dom";
import { Event, dataText, eventName, hides } from "./events";
import { num, t, when } from "./i18n";
import { Desk } from "./section";
import { unmask } from "./unmask";

const onPage = 50, most = 10_000;

function card(e: Event, path: string, desk: Desk): HTMLElement {
  const text = dataText(e);
  return h("li", { "data-event": e.ts }, h("b", {}, eventName(e)), " ", h("small", {}, [when(e.ts, true), e.severity && t("sev." + e.severity), e.lateness !== "live" && t("lateness." + e.lateness)].filter(Boolean).join(" · ")), text ? h("p", {}, text) : null,
    desk.may("personal.unmask") && hides(e) ? unmask<{ items: Event[] }>(path + "/unmask", { ts: e.ts }, t("unmask.whole"), (r) => r.items.map((x) => h("p", {}, h("b", {}, eventName(x)), " ", dataText(x)))) : null);
}

/** deviceEvents are the events of a span, of the last day when none is chosen. */
export async function deviceEvents(id: string, desk: Desk): Promise<HTMLElement> {
  const path = `/devices/${encodeURIComponent(id)}/events`, body = h("div", { "aria-live": "polite" });
  const says: HTMLElement[] = [];
  const field = (name: "from" | "to") => {
    const fault = h("small", { class: "error", role: "alert", id: `events-${name}-fault` });
    const input = h("input", { id: "events-" + name, maxlength: 16, placeholder: t("form.timeform"), "aria-describedby": fault.id, onchange: () => { fault.textContent = wrongTime(input.value); if (!says.some((x) => x.textContent)) draw(); } });
    says.push(fault);
    return { input, el: h("label", { for: input.id, class: "time" }, t("dates." + name), input, fault) };
  };
  const from = field("from"), to = field("to");
  let turn = 0;
  const draw = async () => {
    const now = ++turn; // an answer that comes late must not stand under another span
    try {
      const span = Object.entries({ limit: String(most), from: readTime(from.input.value) ?? "", to: readTime(to.input.value) ?? "" }).filter(([, v]) => v);
      const got = await get<{ items: Event[]; next?: string }>(`${path}?${new URLSearchParams(span)}`);
      if (now !== turn) return;
      const items = got.items.reverse(), list = h("ul", { class: "cardlist" });
      const more = h("button", { type: "button", class: "more", onclick: () => add() }, t("dead.more"));
      const add = () => {
        list.append(...items.slice(list.childElementCount, list.childElementCount + onPage).map((e) => card(e, path, desk)));
        more.hidden = list.childElementCount >= items.length;
      };
      add();
      show(body, items.length ? h("p", { class: "hint" }, t(items.length === 1 ? "list.one" : "list.count", { n: num(items.length, 0) })) : h("p", { class: "empty" }, t("events.none")), got.next ? h("p", { class: "warning" }, t("events.cut", { n: num(items.length, 0) })) : null, list, more);
    } catch (e) {
      if (now === turn) show(body, h("p", { class: "error", role: "alert" }, (e as Error).message), h("button", { type: "button", onclick: draw }, t("retry")));
    }
  };
  await draw();
  return h("section", { class: "chapter", id: "events" }, h("h3", {}, t("events.title")), h("p", { class: "hint" }, t("events.help")), h("div", { class: "row filter" }, from.el, to.el), body);
}
