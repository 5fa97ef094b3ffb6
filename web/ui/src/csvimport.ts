// A file that is imported after a look at what it would change: sent twice, the
// second time with the token of what was seen.
import { post } from "./api";
import { h, show } from "./dom";
import { num, t } from "./i18n";
import { picker } from "./photo";

export interface Fault { row: number; field: string; reason: string }
export interface Preview { token?: string; encoding: string; ignored?: string[]; errors: Fault[]; error_count?: number; unchanged: number }

/** Reader is how a kind of import shows what it would change: lists under headings, of which only what is not empty is shown. */
export interface Reader<P extends Preview> { path: string; accept: string; title: string; help: string; id: string; changes: (p: P) => [string, string[]][] }

/** importer is where a file is taken in. */
export function importer<P extends Preview>(r: Reader<P>, redraw: () => Promise<void>): HTMLElement {
  const result = h("div", { "aria-live": "polite" });
  const fail = (e: unknown) => show(result, h("p", { class: "error", role: "alert" }, (e as Error).message));
  const apply = async (chosen: File, token: string) => {
    try {
      await post<P>(r.path + "?preview=" + encodeURIComponent(token), chosen);
      file.value = "";
      show(result, h("p", { role: "status" }, t("area.applied")));
      await redraw();
    } catch (e) { fail(e); }
  };
  const file = h("input", { type: "file", id: r.id, accept: r.accept, onchange: async () => {
    const chosen = file.files?.[0];
    if (!chosen) return show(result);
    show(result, h("p", { class: "hint" }, t("loading")));
    try { show(result, ...said(await post<P>(r.path, chosen), r, (token) => apply(chosen, token))); } catch (e) { fail(e); }
  } });
  return h("details", { class: "wide" }, h("summary", {}, r.title), h("p", { class: "hint" }, r.help), picker(file, r.id, t("area.file"), t("file.none")), result);
}

/** said is a preview in words, with the button that applies it. */
function said<P extends Preview>(p: P, r: Reader<P>, apply: (token: string) => Promise<void>): HTMLElement[] {
  const notes = [p.encoding === "windows-1258" && t("area.codepage"), (p.ignored?.length ?? 0) > 0 && t("area.ignored", { names: p.ignored!.join(", ") })];
  const lines = notes.filter(Boolean).map((n) => h("p", { class: "hint" }, n as string)), wrong = p.error_count ?? p.errors.length;
  if (wrong > 0) {
    return [...lines, h("p", { class: "error", role: "alert" }, t("area.errors", { n: num(wrong, 0) })), h("ul", {}, ...p.errors.slice(0, 50).map((e) => h("li", {}, t("area.error", { row: num(e.row, 0), field: e.field, reason: e.reason }))))];
  }
  const changes = r.changes(p).filter(([, list]) => list.length > 0);
  const go = h("button", { class: "primary", type: "button", onclick: () => { go.disabled = true; apply(p.token!); } }, t("area.apply"));
  return [...lines, ...changes.map(([key, list]) => h("details", { open: list.length <= 20 }, h("summary", {}, t("area." + key, { n: num(list.length, 0) })), h("ul", {}, ...list.slice(0, 200).map((x) => h("li", {}, x))))),
    h("p", { class: "hint" }, t(changes.length ? "area.unchanged" : "area.nothing", { n: num(p.unchanged, 0) })), ...(changes.length ? [go] : [])];
}
