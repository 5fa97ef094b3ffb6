// The officers' desk: its sections in groups, each with an address of its own.
import "./fonts.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "./base.css";
import { accountList } from "./accounts";
import { agencyPages } from "./agencies";
import { alertList } from "./alertlist";
import { areaList } from "./areas";
import { auditPages } from "./audit";
import { batchPages } from "./batches";
import { calendarPages } from "./calendars";
import { deadLetterList } from "./deadletters";
import { deviceList } from "./devices";
import { typePages } from "./devicetypes";
import { ask, isAsking } from "./dialog";
import { h, show } from "./dom";
import { forget, unsaved } from "./form";
import { switcher, t } from "./i18n";
import { keyPages } from "./provisioning";
import { orderList } from "./orderlist";
import { reportList } from "./reportlist";
import { retentionList } from "./retention";
import { rolePages } from "./roles";
import { Desk, Place, Redraw, Section, fault } from "./section";
import { sessionList } from "./sessions";
import { shiftList } from "./shift";
import { Session, signedIn, userbar } from "./signin";
import { sourceList } from "./sources";

const groups: [string, Section[]][] = [
  ["watch", [reportList, alertList, orderList, shiftList]],
  ["devices", [deviceList, typePages, keyPages, batchPages, sourceList, deadLetterList]],
  ["people", [agencyPages, calendarPages, accountList, rolePages, sessionList]],
  ["system", [areaList, auditPages, retentionList]],
];

/** seen are the sections that somebody has the right to. */
const seen = (desk: Desk): [string, Section[]][] => groups
  .map(([name, sections]): [string, Section[]] => [name, sections.filter((s) => s.needs.some(s.everywhere ? desk.everywhere : desk.may))])
  .filter(([, sections]) => sections.length > 0);

/** address reads #section/thing?filter, and the address that a label's code names, /d/x. */
function address(): { name: string } & Place {
  const code = /^\/d\/([^/]+)$/.exec(location.pathname);
  if (code && !location.hash) return { name: "devices", thing: decodeURIComponent(code[1]!), query: new URLSearchParams() };
  const [path = "", query = ""] = location.hash.slice(1).split("?"), [name = "", ...thing] = path.split("/");
  return { name, thing: decodeURIComponent(thing.join("/")), query: new URLSearchParams(query) };
}

/** menu is the navigation; on a narrow screen it opens by a button. */
function menu(mine: [string, Section[]][]): { el: HTMLElement; mark: (name: string) => void } {
  const nav = h("nav", { class: "tabs", id: "menu", "aria-label": t("console.sections") }, ...mine.map(([name, sections]) =>
    h("div", { class: "tabgroup" }, h("h2", {}, t("group." + name)), ...sections.map((s) => h("a", { href: "#" + s.name }, t("tab." + s.name))))));
  const toggle = h("button", { class: "menu", type: "button", "aria-expanded": "false", "aria-controls": "menu", onclick: () => open(!nav.classList.contains("open")) });
  const open = (on: boolean) => { nav.classList.toggle("open", on); toggle.setAttribute("aria-expanded", String(on)); };
  return { el: h("div", { class: "side" }, toggle, nav), mark: (name) => {
    open(false);
    show(toggle, "☰ " + t("tab." + name));
    for (const a of nav.querySelectorAll("a")) a.getAttribute("href") === "#" + name ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
  } };
}

async function main(): Promise<void> {
  document.title = t("console.title") + " – Hải Đăng";
  const me: Session = await signedIn();
  const desk: Desk = { me, may: (a) => me.actions.includes(a), everywhere: (a) => me.everywhere.includes(a) };
  const mine = seen(desk), sections = mine.flatMap(([, s]) => s), nav = menu(mine);
  const place = h("section", { class: "place-of-work", tabindex: -1 });
  document.body.append(h("a", { class: "skip", href: "#main", onclick: (ev: Event) => { ev.preventDefault(); place.focus(); } }, t("console.skip")),
    h("main", { class: "page desk" }, h("header", { class: "bar" }, h("h1", {}, t("console.title")), h("a", { href: "/suc-khoe" }, t("health.title")), userbar(me), switcher()), h("div", { class: "split" }, nav.el, place)));
  if (!sections.length) { show(place, h("p", { class: "empty" }, t("console.nothing"))); return; }

  let again: Redraw | void, turn = 0, stands = location.href;
  const enter = async () => {
    const at = address(), section = sections.find((s) => s.name === at.name) ?? sections[0]!;
    const now = ++turn, el = h("div", {}, h("p", { class: "empty" }, t("loading")));
    stands = location.href;
    again = undefined;
    nav.mark(section.name);
    document.title = `${t("tab." + section.name)} – ${t("console.title")} – Hải Đăng`;
    show(place, h("h2", { class: "title" }, t("tab." + section.name)), h("p", { class: "hint" }, t("help." + section.name)), el);
    try {
      const redraw = await section.page(el, section.name === at.name ? at : { thing: "", query: new URLSearchParams() }, desk);
      if (now === turn) again = redraw;
    } catch (e) { if (now === turn) show(el, fault(e, enter)); }
  };
  addEventListener("hashchange", async () => {
    if (location.href === stands) return;
    if (unsaved()) {
      const to = location.href;
      history.replaceState(null, "", stands);
      if (isAsking() || !(await ask(t("unsaved.title"), t("unsaved.text"), t("unsaved.leave")))) return;
      forget();
      history.pushState(null, "", to);
    }
    await enter();
    if (innerWidth < 900) scrollTo(0, 0);
  });
  await enter();
  // Nothing is drawn anew under somebody's hands.
  setInterval(() => { if (!unsaved() && !isAsking()) again?.()?.catch(() => {}); }, 10000);
}
main().catch((e) => document.body.append(h("p", { class: "page error", role: "alert" }, t("error.start") + " " + (e as Error).message)));
