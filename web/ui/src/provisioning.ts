// Provisioning keys: with one a lot of devices registers itself.
import { call, get, post } from "./api";
import { chooseOne } from "./choose";
import { ask, secret } from "./dialog";
import { h, show } from "./dom";
import { Part, number, sheet, text, tick, time } from "./form";
import { num, pick, t, when } from "./i18n";
import { agencies, agencyChoices, areaChoices, areas, named, typeChoices, types } from "./lookups";
import { Redraw, cards } from "./section";

interface Key { key: string; label: string; type?: string; area: string; agency?: string; pending: boolean; existing: boolean; limit: number; used: number; created_at: string; not_after?: string; disabled_at?: string }

/** tools is the form that makes a key, and shows its secret once. */
function tools(redraw: Redraw): HTMLElement {
  const told = h("div", { "aria-live": "polite" }), inside = h("div", {});
  const fill = async () => {
    const [kinds, places, offices] = await Promise.all([typeChoices(), areaChoices(), agencyChoices()]);
    const kind = chooseOne("type", t("devices.type"), kinds, "", { help: t("key.typehelp") }), existing = tick("existing", t("key.existing"), false, { help: t("key.existinghelp") });
    const parts: Part[] = [text("label", t("key.label"), "", { required: true, max: 100, help: t("key.labelhelp") }), existing, kind, chooseOne("area", t("devices.area"), places, ""), chooseOne("agency", t("devices.agency"), offices, ""), tick("pending", t("key.pending"), false, { help: t("key.pendinghelp") }),
      number("limit", t("key.limit"), null, { least: 1, whole: true, required: true, help: t("key.limithelp") }), time("not_after", t("credential.notafter"), "", { help: t("key.notafterhelp") })];
    const read = kind.read;
    kind.read = () => { const v = read(); if (!v && !existing.read()) throw new Error(t("form.missing")); return v; };
    show(inside, sheet(parts, () => parts, t("key.make"), async (v) => {
      const r = await post<{ provisioning_key: Key; secret: string }>("/provisioning-keys", v);
      show(told, secret(t("key.new"), [["provisionDeviceKey", r.provisioning_key.key], ["provisionDeviceSecret", r.secret]]));
      el.open = false;
      show(inside);
      await redraw();
    }));
  };
  const el: HTMLDetailsElement = h("details", { class: "wide", ontoggle: () => { if (el.open && !inside.firstChild) fill().catch((e) => show(inside, h("p", { class: "error" }, (e as Error).message))); } }, h("summary", {}, t("key.make")), inside);
  return h("div", {}, el, told);
}

export const keyPages = cards("keys", ["device.manage"], {
  tools,
  async items(button) {
    const [got, kinds, places, offices] = await Promise.all([get<{ items: Key[] }>("/provisioning-keys"), types(), areas(), agencies()]);
    return got.items.map((k) => {
      const over = k.disabled_at ? "revoked" : k.not_after && Date.parse(k.not_after) < Date.now() ? "expired" : k.limit && k.used >= k.limit ? "spent" : "active";
      const kind = kinds.find((x) => x.id === k.type), place = places.find((x) => x.code === k.area), office = offices.find((x) => x.id === k.agency);
      return h("li", { "data-key": k.key }, h("span", { class: "state k-" + over }, t("credential." + over)), " ", h("b", {}, k.label || k.key), " ", h("code", {}, k.key),
        h("p", {}, [k.existing ? t("key.existing") : kind ? pick(kind.name) : k.type, place ? named(place) : k.area, office && named(office), k.pending && t("key.pending"), t(k.limit ? "key.used" : "key.usedfree", { used: num(k.used, 0), limit: num(k.limit, 0) })].filter(Boolean).join(" · ")),
        h("p", {}, h("small", {}, [t("credential.made", { at: when(k.created_at) }), k.not_after && t("credential.until", { at: when(k.not_after) }), k.disabled_at && t("credential.revokedat", { at: when(k.disabled_at) })].filter(Boolean).join(" · "))),
        over === "revoked" ? null : h("div", { class: "acts" }, button(t("credential.revoke"), async () => {
          if (await ask(t("credential.revoke"), t("key.disableask", { name: k.label || k.key }), t("credential.revoke"))) await call("DELETE", "/provisioning-keys/" + encodeURIComponent(k.key));
        })));
    });
  },
}, true);
