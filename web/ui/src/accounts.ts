// Accounts: who may enter, with which roles, where and for what.
import { call, get, post } from "./api";
import { Choice, chooseMany, chooseOne } from "./choose";
import { ask, secret } from "./dialog";
import { h, show } from "./dom";
import { Part, forget, group, select, sheet, text } from "./form";
import { ago, pick, t } from "./i18n";
import { areaChoices, all, categoryChoices, typeChoices } from "./lookups";
import { Button, Redraw, cards } from "./section";

export interface Grant { role: string; area?: string; categories?: string[] }
export interface Account { name: string; full_name: string; grants: Grant[]; crew?: string; disabled: boolean; must_change: boolean; second_factor: boolean; external?: boolean; signed_in_at?: string }
export interface Role { id: string; name: { vi: string; en: string }; actions: string[]; shipped: boolean }

interface Among { roles: Role[]; areas: Choice[]; categories: Choice[] }
const among = async (): Promise<Among> => {
  const [roles, areas, categories, kinds] = await Promise.all([get<{ items: Role[] }>("/roles"), areaChoices(), categoryChoices(), typeChoices()]);
  return { roles: roles.items, areas, categories: [...categories, ...kinds] };
};

/** grantRows are the roles of an account, each within its limits. */
function grantRows(a: Among, grants: Grant[], key: string): { el: HTMLElement; parts: () => Part[]; read: () => Grant[] } {
  const rows: { el: HTMLElement; parts: Part[] }[] = [], box = h("div", {});
  const add = (g: Grant): HTMLElement => {
    const n = rows.length, parts = [select("role", t("people.role"), a.roles.map((r) => [r.id, pick(r.name)]), g.role, { none: t("devices.choose"), required: true, id: `${key}-role-${n}` }),
      chooseOne("area", t("people.area"), a.areas, g.area ?? "", { none: t("people.everywhere"), id: `${key}-area-${n}` }), chooseMany("categories", t("people.categories"), a.categories, g.categories ?? [], { none: t("people.allcategories"), id: `${key}-categories-${n}` })];
    const el = h("div", { class: "group grant" }, ...parts.map((p) => p.el), h("button", { type: "button", "aria-label": t("people.droprole"), onclick: () => { rows.splice(rows.findIndex((r) => r.el === el), 1); el.remove(); box.dispatchEvent(new Event("input", { bubbles: true })); } }, t("people.droprole")));
    rows.push({ el, parts });
    box.append(el);
    return el;
  };
  for (const g of grants.length ? grants : [{ role: "" }]) add(g);
  return {
    el: h("div", {}, box, h("button", { type: "button", onclick: () => { add({ role: "" }).querySelector("select")!.focus(); } }, t("people.addrole"))),
    parts: () => rows.flatMap((r, i) => r.parts.map((p) => ({ ...p, name: `grants[${i}].${p.name}` }))),
    read: () => rows.map((r) => {
      const [role, area, categories] = r.parts.map((p) => p.read()) as [string, string, string[]];
      return { role, ...(area && { area }), ...(categories.length && { categories }) };
    }),
  };
}

/** editor is the form of an account; null is a new one. */
function editor(x: Among, a: Account | null, done: (answer: any) => void): HTMLElement {
  const key = a?.name ?? "new";
  const name = text("name", t("people.name"), "", { required: true, max: 64, help: t("people.namehelp"), id: "account-new-name", check: (v) => (/^[A-Za-z0-9._@-]{2,64}$/.test(v) ? "" : t("people.badname")) });
  const who = [...(a ? [] : [name]), text("full_name", t("people.full"), a?.full_name ?? "", { id: `${key}-full` }), text("crew", t("people.crew"), a?.crew ?? "", { max: 100, help: t("people.crewhelp"), id: `${key}-crew` })];
  const grants = grantRows(x, a?.grants ?? [], key), roles = grants.el;
  return sheet([group(t("people.who"), ...who), group(t("people.roles"), roles)], () => [...who, ...grants.parts()], t("people.keep"), async (v) => {
    const body = { full_name: v.full_name, crew: v.crew, grants: grants.read(), disabled: a?.disabled ?? false };
    const answer = a ? await call("PUT", "/accounts/" + encodeURIComponent(a.name), body) : await post("/accounts", { name: v.name, ...body });
    forget();
    done(answer);
  });
}

/** tools is the way to make an account. */
function tools(redraw: Redraw): HTMLElement {
  const told = h("div", { "aria-live": "polite" }), place = h("div", {});
  const open: HTMLDetailsElement = h("details", { class: "wide", ontoggle: async () => {
    if (!open.open || place.firstChild) return;
    try {
      const x = await among();
      show(place, editor(x, null, async (r) => { show(told, once(r.account.name, r.password)); open.open = false; show(place); await redraw(); }));
    } catch (e) { show(place, h("p", { class: "error", role: "alert" }, (e as Error).message)); }
  } }, h("summary", {}, t("people.new")), place);
  return h("div", {}, open, told);
}

/** once shows a password that is shown only now. */
const once = (name: string, password: string) => secret(t("people.once", { name }), [[t("people.name"), name], [t("signin.password"), password]]);

function card(a: Account, x: Among, button: Button, redraw: Redraw): HTMLElement {
  const said = h("div", { "aria-live": "polite" }), place = h("div", {}), at = "/accounts/" + encodeURIComponent(a.name);
  const role = (id: string) => { const r = x.roles.find((r) => r.id === id); return r ? pick(r.name) : id; };
  const name = (list: Choice[], v: string) => list.find((c) => c.value === v)?.label ?? v;
  const edit: HTMLDetailsElement = h("details", { class: "wide", ontoggle: () => { if (edit.open && !place.firstChild) show(place, editor(x, a, () => redraw())); } }, h("summary", {}, t("people.edit")), place);
  return h("li", { "data-account": a.name }, h("b", {}, a.full_name || a.name), " ", h("code", {}, a.name), " ", a.disabled ? h("span", { class: "state s-refused" }, t("people.disabled")) : null, a.must_change ? h("span", { class: "state" }, t("people.mustchange")) : null,
    a.second_factor ? h("span", { class: "state s-answered" }, t("people.factor")) : null, a.external ? h("span", { class: "state" }, t("people.external")) : null,
    h("ul", { class: "plainlist" }, ...a.grants.map((g) => h("li", {}, [role(g.role), g.area ? name(x.areas, g.area) : t("people.everywhere"), g.categories?.map((c) => name(x.categories, c)).join(", ")].filter(Boolean).join(" · ")))),
    h("small", {}, [a.signed_in_at ? t("people.seen", { ago: ago(a.signed_in_at) }) : t("people.never"), a.crew && t("crew.title") + ": " + a.crew].filter(Boolean).join(" · ")),
    h("div", { class: "acts" }, edit,
      button(t(a.disabled ? "people.enable" : "people.disable"), async () => {
        if (!a.disabled && !(await ask(t("people.disable"), t("people.disableask", { name: a.full_name || a.name }), t("people.disable")))) return;
        await call("PUT", at, { full_name: a.full_name, crew: a.crew ?? "", grants: a.grants, disabled: !a.disabled });
      }),
      h("button", { type: "button", onclick: async (ev: Event) => {
        const b = ev.currentTarget as HTMLButtonElement;
        if (!(await ask(t("people.reset"), t("people.resetwhat"), t("people.reset")))) return;
        b.disabled = true;
        try { show(said, once(a.name, (await post<{ password: string }>(at + "/reset")).password)); } catch (e) { show(said, h("p", { class: "error", role: "alert" }, (e as Error).message)); } finally { b.disabled = false; }
      } }, t("people.reset")), h("a", { href: "#sessions?account=" + encodeURIComponent(a.name) }, t("tab.sessions"))), said);
}

export const accountList = cards("people", ["person.manage"], {
  tools,
  async items(button, redraw) {
    const [items, x] = await Promise.all([all<Account>("/accounts?limit=1000"), among()]);
    return items.map((a) => card(a, x, button, redraw));
  },
}, true);
