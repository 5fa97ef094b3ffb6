// Who is on duty, what they note, and the handover from shift to shift.
import { get, post } from "./api";
import { h } from "./dom";
import { t, when } from "./i18n";
import { Button, cards, withText } from "./section";

interface Matter { kind: string; id: string; title: string }
interface Shift {
  id: number; lead: string; members: string[]; state: string; started_at: string; notes: { at: string; by: string; text: string }[];
  carried: Matter[]; open: Matter[]; handed_over_at?: string; accepted_at?: string; accepted_by?: string;
}

const names = (text: string) => ({ members: text.split(/[,\n]/).map((x) => x.trim()).filter(Boolean) });

const matters = (title: string, ms: Matter[]) => ms.length ? h("details", {}, h("summary", {}, `${title}: ${ms.length}`), h("ul", {}, ...ms.map((m) => h("li", {}, h("small", {}, t("matter." + m.kind)), " ",
  m.kind === "report" ? h("a", { href: "/phan-anh/" + m.id }, m.title) : m.title)))) : null;

/** shifts draws one card a shift, the newest first, with what can be done now. */
async function shifts(may: boolean, me: string, button: Button): Promise<HTMLElement[]> {
  const items = (await get<{ items: Shift[] }>("/shifts")).items;
  const cards = items.map((s) => {
    const acts = h("div", { class: "acts" });
    if (may && s.state === "on_duty") acts.append(withText(button, t("shift.note"), t("shift.notewords"), (text) => post("/shifts/notes", { text })), withText(button, t("shift.handover"), t("shift.last"), (text) => post("/shifts/hand-over", { text })));
    if (may && s.state === "handed_over" && s.lead !== me) acts.append(withText(button, t("shift.accept"), t("shift.members"), (text) => post(`/shifts/${s.id}/accept`, names(text))));
    return h("li", { "data-shift": s.id }, h("span", { class: "state" }, t("shift." + s.state)), " ", h("b", {}, s.lead), s.members.length ? " · " + s.members.join(", ") : "",
      h("p", {}, h("small", {}, [t("shift.began", { at: when(s.started_at) }), s.handed_over_at && t("shift.handed", { at: when(s.handed_over_at) }), s.accepted_at && t("shift.taken", { at: when(s.accepted_at), by: s.accepted_by ?? "" })].filter(Boolean).join(" · "))),
      h("ol", { class: "steps" }, ...s.notes.map((n) => h("li", {}, h("small", {}, `${when(n.at)} ${n.by}`), h("p", {}, n.text)))), matters(t("shift.carried"), s.carried), matters(t("shift.open"), s.open), acts);
  });
  if (may && !items.some((s) => s.state !== "closed")) cards.unshift(h("li", {}, h("p", {}, t("shift.nobody")), withText(button, t("shift.begin"), t("shift.members"), (text) => post("/shifts", names(text)))));
  return cards;
}

export const shiftList = cards("shift", ["stats.read"], { items: (button, _, desk) => shifts(desk.everywhere("shift.keep"), desk.me.name, button) }, true);
