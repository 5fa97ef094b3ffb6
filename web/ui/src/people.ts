// Accounts and their roles, for who may manage people; and the audit log.
import { call, get, post } from "./api";
import { h, show } from "./dom";
import { ago, pick, t, when } from "./i18n";
import { field, form } from "./signin";

interface Grant { role: string; area?: string; categories?: string[] }
interface Account { name: string; full_name: string; grants: Grant[]; crew?: string; disabled: boolean; must_change: boolean; second_factor: boolean; signed_in_at?: string }
interface Role { id: string; name: { vi: string; en: string } }
type Button = (label: string, fn: () => Promise<unknown>) => HTMLElement;

/** once shows a password that is shown only now. */
const once = (name: string, password: string) => h("p", { role: "status" }, t("people.once", { name }), " ", h("code", {}, password));

/** grant edits one role within its limits. */
function grantRow(roles: Role[], areas: any[], g: Grant): [HTMLElement, () => Grant | null] {
  const role = h("select", { "aria-label": t("people.role") }, h("option", { value: "" }, t("people.norole")), ...roles.map((r) => h("option", { value: r.id, selected: r.id === g.role }, pick(r.name))));
  const area = h("select", { "aria-label": t("people.area") }, h("option", { value: "" }, t("people.everywhere")), ...areas.map((a) => h("option", { value: a.code, selected: a.code === g.area }, pick({ vi: a.name, en: a.name_en }))));
  const categories = h("input", { value: (g.categories ?? []).join(", "), placeholder: t("people.allcategories"), "aria-label": t("people.categories") });
  return [h("div", { class: "row" }, role, area, categories), () => role.value ? { role: role.value, area: area.value || undefined, categories: categories.value.split(",").map((x) => x.trim()).filter(Boolean) } : null];
}

function editor(roles: Role[], areas: any[], a: Account | null, done: (answer: any) => void): HTMLElement {
  const [nameRow, name] = field(t("people.name"), { maxlength: 64, autocapitalize: "none" });
  const full = h("input", { value: a?.full_name ?? "", maxlength: 200 });
  const crew = h("input", { value: a?.crew ?? "", maxlength: 100 });
  const rows = [...(a?.grants ?? []), { role: "" }].map((g) => grantRow(roles, areas, g));
  return form(a ? a.name : t("people.new"), [a ? null : nameRow, h("label", {}, t("people.full"), full), h("fieldset", {}, h("legend", {}, t("people.roles")), ...rows.map((r) => r[0])), h("label", {}, t("people.crew"), crew)], t("people.keep"), async () => {
    const body = { full_name: full.value, crew: crew.value, grants: rows.map((r) => r[1]()).filter(Boolean), disabled: a?.disabled ?? false };
    done(a ? await call("PUT", "/accounts/" + a.name, body) : await post("/accounts", { name: name.value, ...body }));
  });
}

const choices = () => Promise.all([get<{ items: Role[] }>("/roles"), get<{ items: any[] }>("/areas")]);

/** accountTools is the way to make an account. */
export function accountTools(redraw: () => Promise<void>): HTMLElement {
  const told = h("div", {}), place = h("div", { class: "narrow" });
  const open = h("details", { ontoggle: async () => {
    if (!open.open || place.firstChild) return;
    const [roles, areas] = await choices();
    const draw = () => show(place, editor(roles.items, areas.items, null, async (r) => { show(told, once(r.account.name, r.password)); draw(); await redraw(); }));
    draw();
  } }, h("summary", {}, t("people.new")), place);
  return h("div", {}, open, told);
}

/** accounts draws one card an account. */
export async function accounts(button: Button, redraw: () => Promise<void>): Promise<HTMLElement[]> {
  const [items, [roles, areas]] = await Promise.all([get<{ items: Account[] }>("/accounts?limit=1000"), choices()]);
  const label = (id: string) => { const r = roles.items.find((x) => x.id === id); return r ? pick(r.name) : id; };
  return items.items.map((a) => {
    const said = h("div", {});
    return h("li", { "data-account": a.name }, h("b", {}, a.full_name || a.name), " ", h("code", {}, a.name), " ", a.disabled ? h("span", { class: "state s-refused" }, t("people.disabled")) : null, a.must_change ? h("span", { class: "state" }, t("people.mustchange")) : null, a.second_factor ? h("span", { class: "state s-answered" }, t("people.factor")) : null,
      h("p", {}, a.grants.map((g) => [label(g.role), g.area, g.categories?.join(", ")].filter(Boolean).join(" · ")).join("; ")), h("small", {}, a.signed_in_at ? t("people.seen", { ago: ago(a.signed_in_at) }) : t("people.never")),
      h("div", { class: "acts" }, h("details", {}, h("summary", {}, t("people.edit")), editor(roles.items, areas.items, a, () => redraw())),
        button(t(a.disabled ? "people.enable" : "people.disable"), () => call("PUT", "/accounts/" + a.name, { full_name: a.full_name, crew: a.crew ?? "", grants: a.grants, disabled: !a.disabled })),
        h("details", {}, h("summary", {}, t("people.reset")), h("p", {}, t("people.resetwhat")), h("button", { onclick: async () => { const r = await post<{ password: string }>(`/accounts/${a.name}/reset`); show(said, once(a.name, r.password)); } }, t("people.reset")), said)));
  });
}

const wanted: Record<string, string> = { who: "", action: "", id: "" };
let shown = 1;

/** auditTools are the filters of the log, and the way to take it away. */
export function auditTools(redraw: () => Promise<void>): HTMLElement {
  const take = (form: string) => h("a", { href: "/api/v1/audit?" + new URLSearchParams({ ...narrowed(), export: form }), download: "audit." + form }, form.toUpperCase());
  const links = h("p", {});
  const draw = () => show(links, t("audit.export"), " ", take("csv"), " · ", take("ndjson"));
  draw();
  return h("div", {}, h("div", { class: "row filter" }, ...Object.keys(wanted).map((k) => h("label", {}, t("audit." + k), h("input", { id: "audit-" + k, value: wanted[k], maxlength: 100, spellcheck: "false", onchange: (ev: Event) => { wanted[k] = (ev.target as HTMLInputElement).value.trim(); shown = 1; draw(); redraw(); } })))), links);
}

const narrowed = () => Object.fromEntries(Object.entries(wanted).filter(([, v]) => v));

/** auditLog draws one card an entry, newest first. */
export async function auditLog(redraw: () => Promise<void>): Promise<HTMLElement[]> {
  const items: any[] = [];
  let cursor = "";
  for (let page = 0; page < shown && (page === 0 || cursor); page++) {
    const got = await get<{ items: any[]; next?: string }>("/audit?" + new URLSearchParams({ ...narrowed(), limit: "100", ...(cursor && { cursor }) }));
    items.push(...got.items);
    cursor = got.next ?? "";
  }
  const cards = items.map((e) => h("li", {}, h("span", { class: "state" }, e.action), " ", h("b", {}, e.who), " ", e.id, e.why ? h("p", {}, e.why) : null,
    e.before || e.after ? h("details", {}, h("summary", {}, t("audit.what")), h("pre", {}, [e.before && "− " + JSON.stringify(e.before), e.after && "+ " + JSON.stringify(e.after)].filter(Boolean).join("\n"))) : null, h("small", {}, [`#${e.seq}`, when(e.at, true), e.role, e.address].filter(Boolean).join(" · "))));
  if (cursor) cards.push(h("li", {}, h("button", { onclick: () => { shown++; redraw(); } }, t("dead.more"))));
  return cards;
}

/** unmask shows what of a report is hidden, to who says why. */
export function unmask(code: string): HTMLElement {
  const why = h("textarea", { rows: 2, "aria-label": t("unmask.why"), placeholder: t("unmask.why") });
  const told = h("div", { role: "status" });
  return h("details", { class: "unmask" }, h("summary", {}, t("unmask.title")), h("p", { class: "hint" }, t("unmask.hint")), why, h("button", { onclick: async () => {
    try {
      const p = await post<any>(`/reports/${code}/unmask`, { reason: why.value });
      show(told, h("dl", {}, ...[["unmask.name", p.name], ["unmask.phone", p.phone], ["unmask.address", p.address], ["unmask.place", p.lat === undefined ? "" : `${p.lat}, ${p.lon}`], ["unmask.text", p.description]].filter((x) => x[1]).flatMap(([k, v]) => [h("dt", {}, t(k)), h("dd", {}, v)])));
    } catch (e) { show(told, h("p", { class: "error", role: "alert" }, (e as Error).message)); }
  } }, t("unmask.go")), told);
}
