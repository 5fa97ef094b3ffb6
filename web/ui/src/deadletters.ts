// The list of messages that could not be taken: to look through, to send again
// once what was wrong is mended, to set aside and back, to take away.
import { get, post } from "./api";
import { h } from "./dom";
import { num, t, when } from "./i18n";

interface Letter { id: number; received_at: string; topic: string; sender?: string; format?: string; version?: string; device: string; code: string; message: string; payload: string; size: number; status: string }

/** visible shows bytes as text in which nothing hides or turns the direction of reading. */
const visible = (base64: string): string => new TextDecoder().decode(Uint8Array.from(atob(base64 ?? ""), (c) => c.charCodeAt(0))).slice(0, 400)
  .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

/** reason says a code in the reader's language; the message beside it, for whoever mends it, is in English. */
const reason = (code: string): string => { const key = "dead.code." + code, text = t(key); return text === key ? code : text; };

const fields = ["status", "format", "code", "device"] as const;
const filter: Record<string, string> = { status: "new" };

/** readFilter takes a filter from the address: #dead?format=lorawan. */
export function readFilter(query: string): void {
  const q = new URLSearchParams(query);
  for (const f of fields) if (q.has(f)) filter[f] = q.get(f)!;
}

const query = (more: Record<string, string> = {}): string => new URLSearchParams(Object.entries({ ...filter, ...more }).filter(([, v]) => v)).toString();

/** deadTools are the filter and what can be done with all that match it; reload
 * draws these anew too. */
export function deadTools(reload: () => Promise<void>, redraw: () => Promise<void>): HTMLElement {
  const told = h("p", { class: "hint", role: "status" });
  const set = async (name: string, value: string) => { filter[name] = value.trim(); await reload(); };
  const status = h("select", { id: "dead-status", onchange: (e: Event) => set("status", (e.target as HTMLSelectElement).value) },
    ...["new", "replayed", "discarded", ""].map((s) => h("option", { value: s, selected: filter.status === s }, t("dead.status." + (s || "any")))));
  const text = (name: string) => h("input", { id: "dead-" + name, value: filter[name] ?? "", maxlength: 80, spellcheck: "false", onchange: (e: Event) => set(name, (e.target as HTMLInputElement).value) });
  const act = (what: string, from: string, say: (r: any) => string) => filter.status && filter.status !== from ? null : h("button", { onclick: async (ev: Event) => {
    const b = ev.currentTarget as HTMLButtonElement;
    b.disabled = true;
    told.textContent = t("dead.working");
    try { const r = await post<any>(`/dead-letters/${what}?${query({ status: from })}`); await redraw(); told.textContent = say(r); } catch (e) { told.textContent = (e as Error).message; told.className = "error"; } finally { b.disabled = false; }
  } }, t("dead." + what));
  return h("div", {}, h("div", { class: "row filter" }, h("label", { for: "dead-status" }, t("dead.status"), status), ...["format", "code", "device"].map((f) => h("label", { for: "dead-" + f }, t("dead." + f), text(f)))),
    h("div", { class: "acts" }, act("replay", "new", (r) => t("dead.replayed", { letters: num(r.letters, 0), stored: num(r.stored, 0), duplicates: num(r.duplicates, 0), dead: num(r.dead_letters, 0) })),
      act("discard", "new", (r) => t("dead.discarded", { n: num(r.letters, 0) })), act("restore", "discarded", (r) => t("dead.restored", { n: num(r.letters, 0) })),
      h("a", { href: `/api/v1/dead-letters?${query({ export: "ndjson" })}`, download: "dead-letters.ndjson" }, t("dead.export"))), told);
}

/** deadLetters draws one card a letter that matches the filter. */
export async function deadLetters(button: (label: string, fn: () => Promise<unknown>) => HTMLElement): Promise<HTMLElement[]> {
  return (await get<{ items: Letter[] }>(`/dead-letters?${query({ limit: "200" })}`)).items.map((d) => h("li", {}, h("span", { class: "state", title: d.code }, reason(d.code)), " ", h("b", {}, d.device || d.topic), h("p", {}, d.message), h("pre", {}, visible(d.payload)),
    h("small", {}, [when(d.received_at), d.topic, d.sender, d.code, [d.format || t("source.native"), d.version].filter(Boolean).join(" "), num(d.size, 0) + " B", t("dead.status." + d.status)].filter(Boolean).join(" · ")), " ",
    d.status === "new" ? button(t("dead.one"), () => post(`/dead-letters/${d.id}/replay`)) : null));
}
