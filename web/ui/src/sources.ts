// The list of data sources: how fresh each is, how much comes, how much is late,
// missing or could not be read.
import { get } from "./api";
import { h } from "./dom";
import { ago, num, t } from "./i18n";
import { cards } from "./section";

interface Source {
  name: string; via: string; state: string; last_received?: string; per_minute: number; stored: number; duplicates: number; late: number; backfill: number;
  dead_letters: number; devices: Record<string, number>; completeness?: number; seq_missing: number;
  problems?: { code: string; files: number; file: string; cause: string }[];
}

const share = (part: number, whole: number): string => whole ? num(100 * part / whole, 1) + " %" : "–";

function figure(key: string, value: string, worry = false, href?: string): HTMLElement {
  const text = h("b", worry ? { class: "error" } : {}, value);
  return h("span", { class: "figure", title: t("source.help." + key) }, h("small", {}, t("source." + key)), " ", href && worry ? h("a", { href }, text) : text);
}

/** items draws one card a source. */
async function items(): Promise<HTMLElement[]> {
  return (await get<{ items: Source[] }>("/sources")).items.map((s) => {
    const d = s.devices, spoke = Object.values(d).reduce((a, b) => a + b, 0);
    const format = s.name === "native" ? "" : s.name;
    return h("li", { "data-source": s.name }, h("span", { class: "fresh " + s.state }, t("fresh." + s.state)), " ", h("b", {}, format || t("source.native")), " ", h("span", { class: "state" }, t("via." + s.via)),
      h("p", {}, s.last_received ? t("source.last", { ago: ago(s.last_received) }) : t("source.nothing")),
      ...(s.problems ?? []).map((p) => h("p", { class: "error" }, t("source.problem." + p.code, { n: num(p.files, 0), file: p.file, cause: p.cause }))),
      h("div", { class: "figures" }, figure("rate", num(s.per_minute, 0)),
        figure("complete", s.completeness === undefined ? "–" : num(100 * s.completeness, 0) + " %", s.completeness !== undefined && s.completeness < 0.75),
        figure("late", share(s.late + s.backfill, s.stored)), figure("dead", num(s.dead_letters, 0), s.dead_letters > 0, "#dead?format=" + encodeURIComponent(s.name)),
        figure("devices", t("source.of", { live: num(d.live ?? 0, 0), all: num(spoke, 0) }), spoke > 0 && !d.live), figure("missing", num(s.seq_missing, 0), s.seq_missing > 0),
        figure("stored", num(s.stored, 0)), figure("duplicates", num(s.duplicates, 0))));
  });
}

export const sourceList = cards("sources", ["source.read"], { items }, true);
