// With what a device signs in: its secrets and certificates, one beside another
// while it changes from the old to the new.
import { call, get, post } from "./api";
import { ask, secret } from "./dialog";
import { h, show } from "./dom";
import { sheet, text, time } from "./form";
import { ago, t, when } from "./i18n";
import { press } from "./section";

interface Credential { id: number; username: string; label: string; state: string; created_at: string; not_before?: string; not_after?: string; revoked_at?: string; last_used_at?: string }
interface Certificate { fingerprint: string; serial: string; state: string; created_at: string; not_before: string; not_after: string; revoked_at?: string; last_used_at?: string }

const span = (c: { not_before?: string; not_after?: string; revoked_at?: string; last_used_at?: string; created_at: string }): string => [
  t("credential.made", { at: when(c.created_at) }), c.not_before && t("credential.from", { at: when(c.not_before) }), c.not_after && t("credential.until", { at: when(c.not_after) }),
  c.revoked_at && t("credential.revokedat", { at: when(c.revoked_at) }), c.last_used_at ? t("credential.used", { ago: ago(c.last_used_at) }) : t("credential.unused"),
].filter(Boolean).join(" · ");

/** credentials is the part of a device's page that gives and takes away what it signs in with. */
export function credentials(device: string): HTMLElement {
  const at = "/devices/" + encodeURIComponent(device), list = h("div", { class: "list" }, h("p", { class: "empty" }, t("loading"))), told = h("div", { "aria-live": "polite" });
  const draw = async (): Promise<void> => {
    const [keys, certs] = await Promise.all([get<{ items: Credential[] }>(at + "/credentials"), get<{ items: Certificate[] }>(at + "/certificates")]);
    const button = press(draw), valid = keys.items.filter((c) => ["active", "pending"].includes(c.state)).length;
    const revoke = (what: string, path: string) => button(t("credential.revoke"), async () => {
      if (await ask(t("credential.revoke"), t("credential.revokeask", { what }), t("credential.revoke"))) await call("DELETE", at + path);
    });
    const row = (c: Credential | Certificate, name: string, kind: string, path: string) => h("li", { "data-state": c.state }, h("span", { class: "state k-" + c.state }, t("credential." + c.state)), " ", h("b", {}, name), " ", h("small", {}, kind),
      h("p", {}, h("small", {}, span(c))), ["active", "pending"].includes(c.state) ? h("div", { class: "acts" }, revoke(name, path)) : null);
    const all = [...keys.items.map((c) => row(c, c.label || t("credential.secret"), t("credential.as", { name: c.username }), "/credentials/" + c.id)), ...certs.items.map((c) => row(c, c.serial, t("credential.certificate"), "/certificates/" + c.fingerprint))];
    show(list, valid >= 2 ? h("p", { class: "hint" }, t("credential.two")) : null, all.length ? h("ul", { class: "cardlist" }, ...all) : h("p", { class: "empty" }, t("credential.none")));
  };
  const give = (title: string, word: string, name: string) => { show(told, secret(title, [[t("credential.username"), name], [t("credential.word"), word]])); };
  const issue = h("details", { ontoggle: () => { if (!issue.open || inside.firstChild) return; fill(); } }, h("summary", {}, t("credential.issue"))), inside = h("div", {});
  issue.append(inside);
  const fill = () => {
    const parts = [text("label", t("credential.label"), "", { max: 100, help: t("credential.labelhelp") }), time("not_before", t("credential.notbefore"), "", { help: t("credential.notbeforehelp") }), time("not_after", t("credential.notafter"), "", { help: t("credential.notafterhelp") })];
    show(inside, h("p", { class: "hint" }, t("credential.issuehelp")), sheet(parts, () => parts, t("credential.issue"), async (v) => {
      const r = await post<{ credential: Credential; secret: string }>(at + "/credentials", v);
      give(t("credential.new"), r.secret, r.credential.username);
      issue.open = false;
      show(inside);
      await draw();
    }));
  };
  const renew = press(draw)(t("credential.renew"), async () => {
    if (!(await ask(t("credential.renew"), t("credential.renewask"), t("credential.renew")))) return;
    const r = await post<{ secret: string }>(at + "/secret");
    give(t("credential.new"), r.secret, device);
  });
  draw().catch((e) => show(list, h("p", { class: "error", role: "alert" }, (e as Error).message)));
  return h("section", { class: "chapter", id: "credentials" }, h("h3", {}, t("credential.title")), h("p", { class: "hint" }, t("credential.help")), told, list, issue, h("div", { class: "acts" }, renew));
}
