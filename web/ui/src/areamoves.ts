// Devices whose area has ended: what they would move to, and the move, all that
// can be or none.
import { get, post } from "./api";
import { ask } from "./dialog";
import { h, show } from "./dom";
import { forget, sheet, text } from "./form";
import { num, t } from "./i18n";
import { areas, named } from "./lookups";
import { back } from "./section";

interface Move { id: string; name: string; from: string; from_name: string; to?: string; to_name?: string; among?: string[] }
interface Moves { total: number; moved: number; left: number; moves: Move[]; unresolved: Move[] }

/** endedNotice tells that there are such devices; null when there are none. */
export async function endedNotice(manage: boolean): Promise<HTMLElement | null> {
  const { total } = await get<{ total: number }>("/devices?area_ended=true&limit=1");
  return total ? h("div", { class: "warning", id: "area-ended" }, h("p", {}, t(total === 1 ? "moves.one" : "moves.notice", { n: num(total, 0) }), " ", manage ? h("a", { href: "#devices/+moves" }, t("moves.see")) : null)) : null;
}

const open = (m: Move): HTMLElement => h("a", { href: "#devices/" + encodeURIComponent(m.id) }, m.name ? `${m.name} (${m.id})` : m.id);

/** ways are moves by where from and where to. */
function ways(moves: Move[]): HTMLElement[] {
  const by = new Map<string, Move[]>();
  for (const m of moves) {
    const key = JSON.stringify([m.from, m.to]);
    by.set(key, [...(by.get(key) ?? []), m]);
  }
  return [...by.values()].map((ms) => h("li", { "data-from": ms[0]!.from, "data-to": ms[0]!.to }, h("b", {}, `${ms[0]!.from_name} → ${ms[0]!.to_name}`), " ", h("span", { class: "state" }, t(ms.length === 1 ? "moves.device" : "moves.devices", { n: num(ms.length, 0) })),
    h("details", {}, h("summary", {}, t("moves.which")), h("ul", { class: "plainlist" }, ...ms.map((m) => h("li", {}, open(m)))))));
}

/** movesPage shows what would move, of one area or of all that have ended, and moves it. */
export async function movesPage(el: HTMLElement, area: string, told = ""): Promise<void> {
  const m = await post<Moves>("/devices/area-moves", { dry_run: true, ...(area && { area }) });
  const names = new Map((await areas()).map((x) => [x.code, named(x)]));
  const ended = new Map([...m.moves, ...m.unresolved].map((x) => [x.from, x.from_name]));
  const choice = h("select", { id: "moves-area", onchange: () => { location.hash = "#devices/+moves" + (choice.value && "?area=" + encodeURIComponent(choice.value)); } },
    h("option", { value: "" }, t("moves.all")), ...[...ended].map(([code, name]) => h("option", { value: code, selected: code === area }, `${name} (${code})`)));
  const why = text("reason", t("moves.why"), "", { max: 160, id: "moves-why", help: t("moves.whyhelp") });
  const form = sheet([why], () => [why], t("moves.go", { n: num(m.moved, 0) }), async (v) => {
    if (!(await ask(t("moves.title"), t("moves.ask", { n: num(m.moved, 0), left: num(m.left, 0) }), t("moves.go", { n: num(m.moved, 0) })))) return;
    const done = await post<Moves>("/devices/area-moves", { dry_run: false, ...(area && { area }), ...v });
    forget();
    await movesPage(el, "", t("moves.done", { n: num(done.moved, 0), left: num(done.left, 0) }));
  });
  const first = (shown: number, all: number) => shown < all ? h("p", { class: "hint" }, t("moves.first", { n: num(shown, 0) })) : null;
  show(el, back("devices"), h("h3", {}, t("moves.title")), h("p", { class: "hint" }, t("moves.help")), told && h("p", { role: "status" }, h("b", {}, told)),
    m.total || area ? h("div", { class: "row filter" }, h("label", { for: "moves-area" }, t("moves.ended"), choice)) : null,
    m.total ? h("p", { id: "moves-sum" }, t("moves.sum", { n: num(m.total, 0), moved: num(m.moved, 0), left: num(m.left, 0) })) : h("p", { class: "empty" }, t("moves.none")),
    m.moved ? h("section", { class: "chapter" }, h("h3", {}, t("moves.can")), first(m.moves.length, m.moved), h("ul", { class: "cardlist" }, ...ways(m.moves)), form) : null,
    m.left ? h("section", { class: "chapter" }, h("h3", {}, t("moves.cannot")), h("p", { class: "hint" }, t("moves.cannothelp")), first(m.unresolved.length, m.left),
      h("ul", { class: "cardlist" }, ...m.unresolved.map((x) => h("li", { "data-unresolved": x.id }, open(x), h("p", {}, x.from_name + ": " + (x.among?.length ? t("moves.several", { names: x.among.map((c) => names.get(c) ?? c).join(", ") }) : t("moves.noheir"))))))) : null);
}
