// The audit log: who did what, to what, why, and how the thing was before and
// after.
import { get } from "./api";
import { readTime, wrongTime } from "./dates";
import { h, show } from "./dom";
import { t, told, when } from "./i18n";
import { Section, cards } from "./section";

interface Entry { seq: number; at: string; who: string; role?: string; address?: string; action: string; kind: string; id: string; before?: any; after?: any; why?: string; hash: string }

const texts = ["who", "action", "kind", "id"], times = ["from", "to"];
const filter: Record<string, string> = {};
let pages = 1, next = "";

const query = (more: Record<string, string> = {}): string => new URLSearchParams(Object.entries({ ...filter, ...more }).filter(([, v]) => v).map(([k, v]) => [k, times.includes(k) ? readTime(v) ?? "" : v])).toString();

/** short is a value in a row of what changed. */
const short = (v: unknown): string => (v === undefined || v === null || v === "" ? "–" : typeof v === "string" ? v : JSON.stringify(v));

/** differences is a table of the fields that are not as they were. */
function differences(e: Entry): HTMLElement {
  const plain = (v: any) => v !== null && typeof v === "object" && !Array.isArray(v);
  if ((e.before === undefined || plain(e.before)) && (e.after === undefined || plain(e.after))) {
    const keys = [...new Set([...Object.keys(e.before ?? {}), ...Object.keys(e.after ?? {})])].filter((k) => JSON.stringify(e.before?.[k]) !== JSON.stringify(e.after?.[k]));
    if (keys.length) {
      return h("div", { class: "changes" }, ...keys.map((k) => h("dl", {}, h("dt", {}, k), e.before !== undefined ? h("dd", { class: "was" }, h("span", { class: "unseen" }, t("import.before") + ": "), short(e.before?.[k])) : null, e.after !== undefined ? h("dd", { class: "is" }, h("span", { class: "unseen" }, t("import.after") + ": "), short(e.after?.[k])) : null)));
    }
  }
  return h("pre", {}, [e.before !== undefined && "− " + JSON.stringify(e.before), e.after !== undefined && "+ " + JSON.stringify(e.after)].filter(Boolean).join("\n"));
}

const card = (e: Entry) => h("li", { "data-seq": e.seq }, h("span", { class: "state", title: e.action }, told("act." + e.action, e.action)), " ", h("b", {}, e.who), " ", h("code", {}, e.id), e.why ? h("p", {}, t("audit.why"), " ", e.why) : null,
  e.before !== undefined || e.after !== undefined ? h("details", { class: "wide" }, h("summary", {}, t("audit.what")), differences(e)) : null, h("small", {}, [`#${e.seq}`, when(e.at, true), e.role, e.address, e.action].filter(Boolean).join(" · ")), " ", h("small", { title: e.hash }, t("audit.hash", { hash: e.hash.slice(0, 12) })));

export const auditPages: Section = cards("audit", ["audit.read"], {
  enter: (place) => { pages = 1; for (const k of [...texts, ...times]) if (place.query.has(k)) filter[k] = place.query.get(k)!; },
  tools: (redraw) => {
    const links = h("p", {}), says = h("p", { class: "error", role: "alert" });
    const take = (form: string) => h("a", { href: "/api/v1/audit?" + query({ export: form }), download: "audit." + form }, form.toUpperCase());
    const draw = () => show(links, t("audit.export"), " ", take("csv"), " · ", take("ndjson"));
    const set = (k: string) => (ev: Event) => {
      const v = (ev.target as HTMLInputElement).value.trim();
      says.textContent = times.includes(k) ? wrongTime(v) : "";
      if (says.textContent) return;
      filter[k] = v; pages = 1;
      history.replaceState(null, "", "#audit?" + new URLSearchParams(Object.entries(filter).filter(([, x]) => x)));
      draw(); redraw();
    };
    draw();
    return h("div", {}, h("div", { class: "row filter" }, ...[...texts, ...times].map((k) => h("label", { for: "audit-" + k }, t("audit." + k), h("input", { id: "audit-" + k, value: filter[k] ?? "", maxlength: 100, spellcheck: "false", placeholder: times.includes(k) ? t("form.timeform") : undefined, onchange: set(k) })))), says, links);
  },
  async items() {
    const items: Entry[] = [];
    let cursor = "";
    for (let page = 0; page < pages && (page === 0 || cursor); page++) {
      const got = await get<{ items: Entry[]; next?: string }>("/audit?" + query({ limit: "100", cursor }));
      items.push(...got.items);
      cursor = got.next ?? "";
    }
    next = cursor;
    return items.map(card);
  },
  more: (redraw) => next ? h("button", { class: "more", onclick: () => { pages++; redraw(); } }, t("dead.more")) : null,
  paged: () => pages > 1,
}, true);
