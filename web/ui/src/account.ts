// Everybody's own page: password, second factor, where one is signed in, tokens
// of programs.
import "./fonts.css";
import "./base.css";
import { call, get, post } from "./api";
import { ask, secret } from "./dialog";
import { h, show } from "./dom";
import { ago, switcher, t, told, when } from "./i18n";
import { field, form, passwordForm, Session, signedIn, userbar } from "./signin";

const main = h("main", { class: "page narrow" });
document.body.append(main);
document.title = t("account.title") + " – Hải Đăng";

const section = (title: string, ...parts: (Node | null)[]) => h("section", { class: "chapter" }, h("h2", {}, title), ...parts);

/** confirmed asks for the password, and then does what is asked. */
const confirmed = (title: string, label: string, send: (password: string) => Promise<void>) => {
  const [row, password] = field(t("signin.password"), { type: "password", autocomplete: "current-password" });
  return form(title, [row], label, () => send(password.value));
};

function factor(me: Session): HTMLElement {
  const body = h("div", {});
  if (me.second_factor) {
    show(body, h("p", {}, t("factor.on")), h("details", {}, h("summary", {}, t("factor.drop")), confirmed(t("factor.drop"), t("factor.drop"), async (password) => {
      await call("DELETE", "/account/factor", { password });
      await draw();
    })));
    return section(t("factor.title"), body);
  }
  show(body, h("p", {}, t("factor.what")), h("button", { onclick: async () => {
    const o = await post<{ secret: string; qr_png: string }>("/account/factor");
    const [codeRow, code] = field(t("signin.code"), { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 7, id: "code" });
    const [passwordRow, password] = field(t("signin.password"), { type: "password", autocomplete: "current-password", id: "factor-password" });
    show(body, form(t("factor.scan"), [h("img", { class: "qr", src: "data:image/png;base64," + o.qr_png, alt: t("factor.qr") }), h("p", {}, t("factor.type"), " ", h("code", { id: "secret" }, o.secret)), codeRow, passwordRow], t("factor.take"), async () => {
      const r = await call<{ recovery_codes: string[] }>("PUT", "/account/factor", { password: password.value, secret: o.secret, code: code.value });
      show(body, h("p", {}, t("factor.recovery")), h("ul", { class: "codes" }, ...r.recovery_codes.map((c) => h("li", {}, h("code", {}, c)))), h("button", { onclick: draw }, t("factor.kept")));
    }));
  } }, t("factor.begin")));
  return section(t("factor.title"), body);
}

async function sessions(): Promise<HTMLElement> {
  const { items } = await get<{ items: any[] }>("/account/sessions");
  return section(t("sessions.title"), h("ul", { class: "cardlist" }, ...items.map((s) => h("li", {}, h("b", {}, s.agent || "?"), s.current ? h("span", { class: "state gap" }, t("sessions.this")) : null,
    h("p", {}, h("small", {}, t("sessions.line", { address: s.address, began: when(s.created_at), seen: ago(s.seen_at) }))),
    s.current ? null : h("button", { onclick: async () => { if (!(await ask(t("sessions.end"), t("sessions.endhere"), t("sessions.end")))) return; await call("DELETE", "/account/sessions/" + s.id); await draw(); } }, t("sessions.end"))))));
}

async function tokens(me: Session): Promise<HTMLElement> {
  const { items } = await get<{ items: any[] }>("/account/tokens");
  const [nameRow, name] = field(t("tokens.name"), { maxlength: 100, id: "token-name" });
  const [daysRow, days] = field(t("tokens.days"), { type: "number", min: 1, max: 365, value: 90 });
  const boxes = me.actions.map((a) => h("input", { type: "checkbox", class: "tick", value: a }));
  const made = h("div", { role: "status" });
  return section(t("tokens.title"), h("p", { class: "hint" }, t("tokens.what")),
    items.length ? h("ul", { class: "cardlist" }, ...items.map((x) => h("li", {}, h("b", {}, x.name), h("p", {}, x.actions.map((a: string) => told("action." + a, a)).join(", ")), h("p", {}, h("small", {}, t("tokens.line", { until: when(x.expires_at), used: x.used_at ? ago(x.used_at) : t("tokens.unused") }))),
      h("button", { onclick: async () => { if (!(await ask(t("sessions.end"), t("tokens.endask", { name: x.name }), t("sessions.end")))) return; await call("DELETE", "/account/tokens/" + x.id); await draw(); } }, t("sessions.end"))))) : h("p", { class: "empty" }, t("tokens.none")),
    h("details", {}, h("summary", {}, t("tokens.new")), form(t("tokens.new"), [nameRow, daysRow, h("fieldset", { class: "checks" }, h("legend", {}, t("tokens.may")), ...boxes.map((b) => h("label", { class: "ticked" }, b, " ", told("action." + b.value, b.value))))], t("tokens.make"), async () => {
      const r = await post<{ secret: string }>("/account/tokens", { name: name.value, actions: boxes.filter((b) => b.checked).map((b) => b.value), expires_at: new Date(Date.now() + Number(days.value) * 86400000).toISOString() });
      show(made, secret(t("tokens.made", { name: name.value }), [[t("tokens.word"), r.secret]]));
    })), made);
}

async function draw(): Promise<void> {
  const me = await signedIn();
  const head = h("header", { class: "bar" }, h("h1", {}, t("account.title")), userbar(me), switcher());
  if (me.mode !== "account") {
    show(main, head, h("p", { class: "empty" }, t("account.none")));
    return;
  }
  const said = h("p", { class: "hint", role: "status" });
  const password = passwordForm(t("account.change"), () => { said.textContent = t("account.changed"); password.reset(); });
  show(main, head, h("p", {}, h("b", {}, me.full_name || me.name), " ", h("small", {}, me.role.split(/,\s*/).map((r) => told("rolename." + r, r)).join(", "))), h("nav", {}, h("a", { href: "/bang" }, t("console.title")), " · ", h("a", { href: "/wall" }, t("wall.title"))),
    section(t("account.password"), h("details", {}, h("summary", {}, t("account.change")), password), said), factor(me), await sessions(), await tokens(me));
}
draw().catch((e) => show(main, h("p", { class: "error", role: "alert" }, (e as Error).message)));
