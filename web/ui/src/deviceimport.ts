// Devices from a table: first what would change and what is wrong, then all of
// it or nothing.
import { Problem, get, post, spoken } from "./api";
import { h, show } from "./dom";
import { num, t } from "./i18n";
import { picker } from "./photo";

interface Import {
  id: string; state: string; phase: string; dry_run: boolean; done: number; total: number; created: number; updated: number; unchanged: number; error_count: number;
  errors: { row: number; column: string; value: string; reason: string }[]; changes: { row: number; id: string; column: string; before: string; after: string }[];
  encoding?: string; separator?: string; message?: string; secrets: number;
}

/** send gives the server the file as it is: it tells encodings apart. */
async function send(file: File, params: Record<string, string>): Promise<Import> {
  const res = await fetch("/api/v1/devices/import?" + new URLSearchParams(params), { method: "POST", headers: { ...spoken, "Content-Type": "text/csv" }, body: file });
  const data = await res.json().catch(() => ({}));
  if (!res.ok) throw new Problem(res.status, data.detail || data.title || String(res.status));
  return data as Import;
}

function table(head: string[], rows: (string | number)[][]): HTMLElement {
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...head.map((x) => h("th", { scope: "col" }, t("import." + x))))),
    h("tbody", {}, ...rows.slice(0, 200).map((r) => h("tr", {}, ...r.map((c) => h("td", {}, String(c))))))));
}

/** imports is where a table is taken in; redraw draws the list of devices anew. */
export function imports(redraw: () => Promise<void>): HTMLElement {
  const file = h("input", { type: "file", accept: ".csv,.tsv,.txt,text/csv", id: "import-file" });
  const comma = h("input", { type: "checkbox", id: "import-comma", class: "tick" }), keys = h("input", { type: "checkbox", id: "import-secrets", class: "tick" });
  const told = h("div", { role: "status" });
  const params = (): Record<string, string> => ({ decimal: comma.checked ? "comma" : "point" });
  const fault = (e: unknown) => show(told, h("p", { class: "error" }, (e as Error).message));

  const result = (i: Import, chosen?: File) => {
    const figures = { created: num(i.created, 0), updated: num(i.updated, 0), unchanged: num(i.unchanged, 0), errors: num(i.error_count, 0) };
    const sound = i.state === "done";
    show(told, h("p", { class: sound ? "hint" : "error" }, t(`import.${sound ? (i.dry_run ? "would" : "done") : i.state}`, figures)), i.message ? h("p", { class: "hint" }, i.message) : null,
      i.errors.length ? table(["row", "column", "value", "reason"], i.errors.map((e) => [e.row, e.column, e.value, e.reason])) : null,
      i.changes.length ? table(["row", "id", "column", "before", "after"], i.changes.map((c) => [c.row, c.id, c.column, c.before, c.after])) : null,
      i.dry_run && sound && chosen && i.created + i.updated > 0 ? h("button", { class: "primary", onclick: () => run(chosen) }, t("import.go")) : null,
      i.secrets > 0 ? h("button", { onclick: () => secrets(i.id) }, t("import.secrets", { n: num(i.secrets, 0) })) : null);
  };

  const secrets = async (id: string) => {
    try {
      const res = await fetch(`/api/v1/imports/${id}/secrets`, { method: "POST", headers: spoken });
      if (!res.ok) throw new Error((await res.json()).detail);
      const url = URL.createObjectURL(await res.blob());
      h("a", { href: url, download: "secrets.csv" }).click();
      URL.revokeObjectURL(url);
      show(told, h("p", { class: "hint" }, t("import.secretsonce")));
    } catch (e) { fault(e); }
  };

  const run = async (chosen: File) => {
    try {
      await follow(await send(chosen, { ...params(), async: "true", secrets: String(keys.checked) }));
    } catch (e) { fault(e); }
  };

  /** follow shows how far an import is until it ends. */
  const follow = async (i: Import) => {
    try {
      const bar = h("progress", { "aria-label": t("import.title") }), words = h("span", {});
      show(told, bar, " ", words, " ", h("button", { onclick: () => post(`/imports/${i.id}/stop`).catch(fault) }, t("import.stop")));
      while (i.state === "running") {
        bar.max = Math.max(1, i.total); bar.value = i.done;
        words.textContent = t("import.phase." + i.phase, { done: num(i.done, 0), total: num(i.total, 0) });
        await new Promise((go) => setTimeout(go, 300));
        i = await get<Import>("/imports/" + i.id);
      }
      result(i);
      await redraw();
    } catch (e) { fault(e); }
  };

  const check = async () => {
    const chosen = file.files?.[0];
    if (!chosen) { show(told, h("p", { class: "error" }, t("import.choose"))); return; }
    show(told, t("import.checking"));
    try { result(await send(chosen, { ...params(), dry_run: "true" }), chosen); } catch (e) { fault(e); }
  };

  // One that somebody began and left is found again.
  const el: HTMLDetailsElement = h("details", { class: "wide", ontoggle: async () => {
    if (!el.open || told.firstChild) return;
    const running = await get<{ items: Import[] }>("/imports").then((x) => x.items.find((i) => i.state === "running"), () => undefined);
    if (running && !told.firstChild) await follow(running);
  } }, h("summary", {}, t("import.title")), h("p", { class: "hint" }, t("import.help")),
    picker(file, "import-file", t("import.file"), t("file.none")), h("label", { class: "ticked", for: comma.id }, comma, " ", t("import.comma")), h("label", { class: "ticked", for: keys.id }, keys, " ", t("import.withsecrets")),
    h("button", { onclick: check }, t("import.check")), told);
  return el;
}
