// Who looks at this page: the session, and the forms to get one.
import { call, get, post, Problem } from "./api";
import { h } from "./dom";
import { t } from "./i18n";

export interface Session { name: string; full_name?: string; role: string; mode: "open" | "token" | "account"; actions: string[]; everywhere: string[]; must_change?: boolean; second_factor?: boolean }

const codeNeeded = "urn:haidang:code-needed";

/** field is a labelled input. */
export function field(label: string, props: Record<string, unknown>): [HTMLElement, HTMLInputElement] {
  const input = h("input", { required: true, ...props });
  return [h("label", {}, label, input), input];
}

/** form runs send when it is submitted, and says what was wrong. */
export function form(title: string, parts: (HTMLElement | null)[], label: string, send: () => Promise<void>): HTMLFormElement {
  const says = h("p", { class: "error", role: "alert" });
  const go = h("button", { class: "primary" }, label);
  const el = h("form", {}, h("h2", {}, title), ...parts, says, go);
  el.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    says.textContent = "";
    go.disabled = true;
    try { await send(); } catch (e) { says.textContent = (e as Error).message; } finally { go.disabled = false; }
  });
  return el;
}

/** overlay shows a form over the page until its work is done. */
function overlay(make: (done: () => void) => HTMLFormElement): Promise<void> {
  return new Promise((done) => {
    const el = make(() => { el.remove(); done(); });
    el.classList.add("signin");
    document.body.append(el);
    el.querySelector("input")!.focus();
  });
}

function signIn(): Promise<void> {
  return overlay((done) => {
    const [accountRow, account] = field(t("signin.account"), { autocomplete: "username", autocapitalize: "none", spellcheck: "false", id: "account" });
    const [passwordRow, password] = field(t("signin.password"), { type: "password", autocomplete: "current-password", id: "password" });
    const [codeRow, code] = field(t("signin.code"), { autocomplete: "one-time-code", inputmode: "text", id: "code" });
    const [tokenRow, token] = field(t("signin.token"), { type: "password", autocomplete: "off", id: "token" });
    // What is hidden must not be asked for by the browser.
    const show = (row: HTMLElement, input: HTMLInputElement, on: boolean) => { row.hidden = !on; input.required = on; };
    let byToken = false, withCode = false;
    const draw = () => {
      show(accountRow, account, !byToken);
      show(passwordRow, password, !byToken);
      show(codeRow, code, !byToken && withCode);
      show(tokenRow, token, byToken);
      other.textContent = t(byToken ? "signin.byaccount" : "signin.bytoken");
    };
    const other = h("button", { type: "button", class: "plain", onclick: () => { byToken = !byToken; draw(); (byToken ? token : account).focus(); } });
    const el = form("Hải Đăng", [accountRow, passwordRow, codeRow, tokenRow], t("signin.go"), async () => {
      try {
        await post("/session", byToken ? { token: token.value } : { account: account.value, password: password.value, ...(withCode && { code: code.value }) });
      } catch (e) {
        if (!(e instanceof Problem)) throw e;
        if (e.type === codeNeeded && !withCode) {
          withCode = true;
          draw();
          code.focus();
          return;
        }
        throw e.status === 401 ? new Error(t("signin.wrong")) : e.status === 429 ? new Error(t("signin.wait")) : e;
      }
      done();
    });
    el.append(other);
    // The identity provider, when there is one, and why it did not let somebody in.
    get<{ oidc?: string }>("/sign-in").then(({ oidc }) => {
      if (oidc) el.append(h("a", { class: "primary", href: "/api/v1/session/oidc?next=" + encodeURIComponent(location.pathname + location.hash) }, oidc));
    }).catch(() => {}); // the form itself does without
    const why = new URLSearchParams(location.search).get("signin");
    if (why && ["failed", "norole", "taken"].includes(why)) el.querySelector(".error")!.textContent = t("signin.oidc." + why);
    draw();
    return el;
  });
}

/** passwordForm changes one's own password. */
export function passwordForm(title: string, done: () => void): HTMLFormElement {
  const [oldRow, old] = field(t("account.old"), { type: "password", autocomplete: "current-password", id: "old" });
  const [freshRow, fresh] = field(t("account.new"), { type: "password", autocomplete: "new-password", minlength: 12, maxlength: 128, id: "new" });
  const [againRow, again] = field(t("account.again"), { type: "password", autocomplete: "new-password", id: "again" });
  return form(title, [h("p", { class: "hint" }, t("account.rule")), oldRow, freshRow, againRow], t("account.change"), async () => {
    if (fresh.value !== again.value) throw new Error(t("account.differ"));
    await call("POST", "/account/password", { password: old.value, new_password: fresh.value });
    done();
  });
}

/** signedIn makes sure of a session, asking for what it needs. */
export async function signedIn(): Promise<Session> {
  for (;;) {
    try {
      const me = await get<Session>("/session");
      if (!me.must_change) return me;
      await overlay((done) => passwordForm(t("account.first"), done));
      continue;
    } catch (e) {
      if (!(e instanceof Problem) || e.status !== 401) throw e;
    }
    await signIn();
  }
}

/** userbar says who is signed in, and leads to their account and out. */
export function userbar(me: Session): HTMLElement | null {
  if (me.mode === "open") return null;
  const name = me.full_name || me.name;
  return h("span", { class: "user" }, me.mode === "account" ? h("a", { href: "/tai-khoan" }, name) : name, " ",
    h("button", { class: "plain", onclick: async () => { await call("DELETE", "/session"); location.reload(); } }, t("signin.out")));
}
