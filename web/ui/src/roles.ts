// Roles: those that ship, and the province's own. A role is a set of acts; where
// and for what it holds is said with the account that has it.
import { call, get } from "./api";
import { Role } from "./accounts";
import { ask } from "./dialog";
import { h, show } from "./dom";
import { Part, forget, group, sheet, text } from "./form";
import { num, pick, t, told } from "./i18n";
import { Section, back, cards } from "./section";

const idForm = /^[a-z][a-z0-9_]{1,39}$/;
const word = (of: "action" | "kind", name: string): string => told(`${of}.${name}`, name);

/** known are all acts that a role may have, by what they are done to. */
function known(roles: Role[]): [string, string[]][] {
  const kinds = new Map<string, string[]>();
  for (const a of new Set(roles.flatMap((r) => r.actions))) kinds.set(a.split(".")[0]!, [...(kinds.get(a.split(".")[0]!) ?? []), a]);
  return [...kinds];
}

/** form edits a role of the province's own; an empty id is a new one. */
function form(r: Role, roles: Role[], done: () => void): HTMLElement {
  const id = text("id", t("role.id"), r.id, { required: true, max: 40, help: t("role.idhelp"), id: "role-id", check: (v) => (!idForm.test(v) ? t("role.badid") : roles.some((x) => x.id === v) ? t("role.taken") : "") });
  const who: Part[] = [...(r.id ? [] : [id]), text("name.vi", t("type.name.vi"), r.name.vi, { required: true, id: "role-name-vi" }), text("name.en", t("type.name.en"), r.name.en, { required: true, id: "role-name-en" })];
  const boxes = known(roles).map(([kind, actions]) => ({ kind, inputs: actions.map((a) => h("input", { type: "checkbox", class: "tick", value: a, id: "may-" + a, checked: r.actions.includes(a) })) }));
  const chosen = () => boxes.flatMap((b) => b.inputs.filter((i) => i.checked).map((i) => i.value)), says = h("small", { class: "error", role: "alert" });
  const actions: Part = { name: "actions", el: says, focus: () => boxes[0]?.inputs[0]?.focus(), fault: (x) => { says.textContent = x; }, read: () => { if (!chosen().length) throw new Error(t("role.noactions")); return chosen(); } };
  return sheet([group(t("role.who"), ...who), group(t("role.may"), ...boxes.map((b) => h("div", { class: "acting" }, h("b", {}, word("kind", b.kind)), ...b.inputs.map((i) => h("label", { class: "ticked", for: i.id }, i, " ", word("action", i.value))))), says)], () => [...who, actions], t("people.keep"), async (v) => {
    await call("PUT", "/roles/" + encodeURIComponent(r.id || String(v.id)), { name: { vi: v["name.vi"], en: v["name.en"] }, actions: v.actions });
    forget();
    done();
  }, h("a", { href: "#roles" }, t("cancel")));
}

async function page(el: HTMLElement, id: string): Promise<void> {
  const roles = (await get<{ items: Role[] }>("/roles")).items, home = () => { location.hash = "#roles"; };
  const from = /^\+from:(.*)$/.exec(id)?.[1], model = roles.find((r) => r.id === from);
  const r = id.startsWith("+") ? { id: "", name: { vi: "", en: "" }, actions: model?.actions ?? [], shipped: false } : roles.find((x) => x.id === id);
  if (!r) throw new Error(t("role.unknown", { id }));
  show(el, back("roles"), h("h3", {}, r.id ? pick(r.name) : t("role.new")), r.id ? h("p", { class: "hint" }, t("role.changes")) : null, form(r, roles, home));
}

const list = cards("roles", ["person.manage"], {
  tools: () => h("div", { class: "acts" }, h("a", { class: "primary", href: "#roles/+new" }, t("role.new"))),
  async items(button) {
    return (await get<{ items: Role[] }>("/roles")).items.map((r) => h("li", { "data-role": r.id }, h("b", {}, pick(r.name)), " ", h("code", {}, r.id), " ", h("span", { class: "state" }, t(r.shipped ? "role.shipped" : "role.own")),
      h("details", {}, h("summary", {}, t("role.count", { n: num(r.actions.length, 0) })), h("ul", {}, ...r.actions.map((a) => h("li", {}, word("action", a))))),
      h("div", { class: "acts" }, r.shipped ? null : h("a", { href: "#roles/" + encodeURIComponent(r.id) }, t("people.edit")), h("a", { href: "#roles/+from:" + encodeURIComponent(r.id) }, t("role.copy")),
        r.shipped ? null : button(t("role.delete"), async () => { if (await ask(t("role.delete"), t("role.deleteask", { name: pick(r.name) }), t("role.delete"))) await call("DELETE", "/roles/" + encodeURIComponent(r.id)); }))));
  },
}, true);

/** rolePages are the list and the form of a role. */
export const rolePages: Section = { ...list, page: async (el, place, desk) => (place.thing ? page(el, place.thing) : list.page(el, place, desk)) };
