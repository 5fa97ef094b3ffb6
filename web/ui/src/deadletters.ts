// The list of messages that could not be taken: to look through, to send again
// once what was wrong is mended, to set aside and back, to take away.
import { get, post } from "./api";
import { h, show } from "./dom";
import { readTime, wrongTime } from "./dates";
import { num, t, when } from "./i18n";
import { Button, Desk, cards } from "./section";
import { unmask } from "./unmask";

interface Letter {
  id: number; received_at: string; topic: string; sender?: string; format?: string; version?: string; device: string; stage: string; code: string; message: string; masked: boolean;
  payload: string; cut: boolean; kept: number; size: number; status: string;
}

/** Characters of a payload that a card shows, and that it shows when opened. */
const glance = 400, most = 200_000;

/** visible shows bytes as text in which nothing hides or turns the direction of reading. */
const visible = (base64: string, chars: number): string => new TextDecoder().decode(Uint8Array.from(atob(base64 ?? ""), (c) => c.charCodeAt(0))).slice(0, chars)
  .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

/** reason says a code in the reader's language; the message beside it, for whoever mends it, is in English. */
const reason = (code: string): string => { const key = "dead.code." + code, text = t(key); return text === key ? code : text; };

const choices: Record<string, string[]> = { status: ["new", "replayed", "discarded"], stage: ["topic", "identify", "decode", "validate", "report"] };
const texts = ["format", "code", "device"], times = ["from", "to"];
const filter: Record<string, string> = { status: "new" };

/** readFilter takes a filter from the address: #dead?format=lorawan. */
function readFilter(q: URLSearchParams): void {
  for (const f of [...Object.keys(choices), ...texts, ...times]) if (q.has(f)) filter[f] = q.get(f)!;
}

/** query is the filter as the API wants it: what is typed as a time is Vietnam's. */
function query(more: Record<string, string> = {}): string {
  const all = Object.entries({ ...filter, ...more }).filter(([, v]) => v);
  return new URLSearchParams(all.map(([k, v]) => [k, times.includes(k) ? readTime(v) ?? "" : v])).toString();
}

/** deadTools are the filter and what can be done with all that match it; redraw draws the list anew. */
function deadTools(redraw: () => Promise<void>): HTMLElement {
  const told = h("p", { class: "hint", role: "status" }), acts = h("div", { class: "acts" });
  const set = (name: string) => async (e: Event) => { filter[name] = (e.target as HTMLInputElement).value.trim(); firstPage(); showActs(); await redraw(); };
  const label = (name: string, field: HTMLElement) => h("label", { for: "dead-" + name, class: times.includes(name) && "time" }, t("dead." + name), field);
  const choice = (name: string) => label(name, h("select", { id: "dead-" + name, onchange: set(name) },
    ...["", ...choices[name]!].map((v) => h("option", { value: v, selected: (filter[name] ?? "") === v }, t(`dead.${name}.${v || "any"}`)))));
  const text = (name: string) => label(name, h("input", { id: "dead-" + name, value: filter[name] ?? "", maxlength: 80, spellcheck: "false", onchange: set(name) }));
  const time = (name: string) => {
    const says = h("small", { class: "error", role: "alert" }), taken = set(name);
    return label(name, h("span", {}, h("input", { id: "dead-" + name, value: filter[name] ?? "", maxlength: 16, placeholder: t("form.timeform"), onchange: (e: Event) => {
      says.textContent = wrongTime((e.target as HTMLInputElement).value); // what is no time narrows nothing
      if (!says.textContent) taken(e);
    } }), says));
  };
  /** act does something to what of() names, says what came of it, and offers what undoes it. */
  const act = (name: string, path: string, of: () => string, say: (r: any) => string, undo?: (r: any) => HTMLElement): HTMLElement => h("button", { onclick: async (ev: Event) => {
    const b = ev.currentTarget as HTMLButtonElement;
    b.disabled = true;
    told.className = "hint";
    told.textContent = t("dead.working");
    try {
      const r = await post<any>(`/dead-letters/${path}?${of()}`);
      await redraw();
      show(told, say(r), " ", undo && r.letters > 0 && undo(r));
    } catch (e) { told.className = "error"; told.textContent = (e as Error).message; } finally { b.disabled = false; }
  } }, t("dead." + name));
  const all = (status: string) => () => query({ status });
  const restored = (r: any) => t("dead.restored", { n: num(r.letters, 0) });
  // Undone is what was discarded then, whatever the filter says by now.
  const undo = (r: any) => act("undo", "restore", () => new URLSearchParams({ discarded_at: r.discarded_at }).toString(), restored);
  const showActs = () => show(acts, ...["", "new"].includes(filter.status!) ? [
    act("replay", "replay", all("new"), (r) => t("dead.replayed", { letters: num(r.letters, 0), stored: num(r.stored, 0), duplicates: num(r.duplicates, 0), dead: num(r.dead_letters, 0) })),
    act("discard", "discard", all("new"), (r) => t("dead.discarded", { n: num(r.letters, 0) }), undo),
  ] : [], ["", "discarded"].includes(filter.status!) && act("restore", "restore", all("discarded"), restored),
    h("a", { href: `/api/v1/dead-letters?${query({ export: "ndjson" })}`, download: "dead-letters.ndjson" }, t("dead.export")));
  showActs();
  return h("div", {}, h("div", { class: "row filter" }, ...Object.keys(choices).map(choice), ...texts.map(text), ...times.map(time)), acts, told);
}

/** payload shows the start of a letter's bytes; what is longer is fetched when somebody opens it. */
function payload(d: Letter): HTMLElement[] {
  const start = visible(d.payload, glance), pre = h("pre", {}, start);
  if (!d.cut && start === visible(d.payload, most)) return [pre];
  const all = h("pre", { class: "whole" }), note = h("small", {});
  const file = h("a", { href: `/api/v1/dead-letters/${d.id}/payload`, download: `dead-letter-${d.id}.bin` }, t("dead.file"));
  const more = h("details", { ontoggle: async () => {
    if (!more.open || all.textContent) return;
    note.textContent = t("loading");
    try {
      all.textContent = visible(d.cut ? (await get<Letter>("/dead-letters/" + d.id)).payload : d.payload, most);
      note.textContent = d.kept > most ? t("dead.most", { n: num(most, 0) }) : "";
    } catch (e) { note.textContent = (e as Error).message; }
  } }, h("summary", {}, t("dead.whole", { n: num(d.kept, 0) })), all, h("p", {}, file, " ", note));
  return [pre, more];
}

const onPage = 100;
let pages = 1, next = "";

/** firstPage goes back to the newest letters. */
function firstPage(): void { pages = 1; }

/** deadMore is the way to the next page, while there is one. */
const deadMore = (redraw: () => Promise<void>): HTMLElement | null => next ? h("button", { class: "more", onclick: async (ev: Event) => {
  (ev.currentTarget as HTMLButtonElement).disabled = true;
  const shown = document.querySelectorAll(".cardlist > li").length;
  pages++;
  await redraw();
  const after = document.querySelectorAll<HTMLElement>(".cardlist > li")[shown]; // reading goes on where it was
  if (after) { after.tabIndex = -1; after.focus(); }
} }, t("dead.more")) : null;

/** deadLetters draws one card a letter that matches the filter. */
async function deadLetters(button: Button, desk: Desk): Promise<HTMLElement[]> {
  const items: Letter[] = [];
  let cursor = "";
  for (let page = 0; page < pages && (page === 0 || cursor); page++) {
    const got = await get<{ items: Letter[]; next?: string }>(`/dead-letters?${query({ limit: String(onPage), cursor })}`);
    items.push(...got.items);
    cursor = got.next ?? "";
  }
  next = cursor;
  return items.map((d) => h("li", { "data-letter": d.id }, h("span", { class: "state", title: d.code }, reason(d.code)), " ", h("b", {}, d.device || d.topic), h("p", {}, d.message), ...payload(d),
    h("small", {}, [when(d.received_at), d.topic, d.sender, t("dead.stage." + d.stage), d.code, [d.format || t("source.native"), d.version].filter(Boolean).join(" "), num(d.size, 0) + " B",
      d.kept < d.size && t("dead.kept", { n: num(d.kept, 0) }), t("dead.status." + d.status)].filter(Boolean).join(" · ")), " ",
    d.status === "new" && d.kept === d.size ? button(t("dead.one"), () => post(`/dead-letters/${d.id}/replay`)) : null,
    d.masked && desk.everywhere("personal.unmask") ? unmask<Letter>(`/dead-letters/${d.id}/unmask`, {}, t("unmask.whole"), (x) => [h("p", {}, x.message), h("pre", { class: "whole" }, visible(x.payload, most)), x.kept > most ? h("p", { class: "hint" }, t("dead.most", { n: num(most, 0) })) : null]) : null));
}

export const deadLetterList = cards("dead", ["deadletter.manage"], {
  enter: (place) => { readFilter(place.query); firstPage(); },
  tools: deadTools, items: (button, _, desk) => deadLetters(button, desk), more: deadMore, paged: () => pages > 1,
}, true);
