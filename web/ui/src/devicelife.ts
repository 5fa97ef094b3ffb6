// A device's way from entered to scrapped, and the approval of one that only
// speaks.
import { post } from "./api";
import { chooseOne } from "./choose";
import { ask } from "./dialog";
import { h } from "./dom";
import { Part, readAll, text } from "./form";
import { ago, num, t, when } from "./i18n";
import { agencyChoices, areaChoices, typeChoices } from "./lookups";
import { Button } from "./section";

const steps: Record<string, string[]> = { pending: ["active", "retired"], active: ["suspended", "retired"], suspended: ["active", "retired"], retired: ["active"] };

/** because is an act that the record needs a reason for. */
function because(label: string, button: Button, fn: (reason: string) => Promise<unknown>, ...more: HTMLElement[]): HTMLElement {
  const why = h("input", { "aria-label": t("devices.reason"), placeholder: t("devices.reason"), maxlength: 500 });
  return h("details", {}, h("summary", {}, label), ...more, why, button(label, () => fn(why.value)));
}

/** lifeActs are the steps that a device can take from where it is. */
export function lifeActs(d: { id: string; name?: string; life: string }, button: Button): HTMLElement[] {
  return (steps[d.life] ?? []).map((to) => {
    const replay = h("input", { type: "checkbox", id: `device-${d.id}-replay`, checked: true, class: "tick" });
    return because(t("devices.to." + to), button, async (reason) => {
      if (to === "retired" && !(await ask(t("devices.to.retired"), t("devices.retireask", { name: d.name || d.id }), t("devices.to.retired")))) return;
      await post(`/devices/${encodeURIComponent(d.id)}/life`, { life: to, reason, replay: to === "active" && replay.checked });
    }, ...(to === "active" ? [h("label", { class: "ticked", for: replay.id }, replay, " ", t("devices.replay"))] : []));
  });
}

/** approval asks what a device is that speaks and that nobody entered. */
async function approval(x: any): Promise<Part[]> {
  const [types, areas, agencies] = await Promise.all([typeChoices(), areaChoices(), agencyChoices()]);
  const id = (n: string) => `device-${x.id}-${n}`, f = (n: string) => t("devices.field." + n);
  return [chooseOne("type", f("type"), types, "", { required: true, id: id("type") }), text("name", f("name"), x.id, { id: id("name") }), chooseOne("area", f("area"), areas, "", { id: id("area") }),
    chooseOne("agency", f("agency"), agencies, "", { id: id("agency") }), text("vendor", f("vendor"), "", { id: id("vendor"), max: 100 })];
}

/** stranger is the card of a device that speaks and that nobody entered. */
export async function stranger(x: any, button: Button, manage: boolean): Promise<HTMLElement> {
  const parts = manage ? await approval(x) : [];
  return h("li", { "data-device": x.id }, h("span", { class: "state s-received" }, t("devices.life.discovered")), " ", h("b", {}, x.id),
    h("p", {}, t("devices.heard", { n: num(x.messages, 0), first: when(x.first_seen), last: ago(x.last_seen) })), h("small", {}, [x.source, x.sender, x.topic, x.format].filter(Boolean).join(" · ")),
    manage ? h("div", { class: "acts" }, because(t("devices.approve"), button, async (reason) => {
      const body = readAll(parts);
      if (!body) throw new Error(t("form.look"));
      for (const k of Object.keys(body)) if (body[k] === "") delete body[k];
      await post(`/devices/${encodeURIComponent(x.id)}/approve`, { ...body, name: body.name ?? x.id, reason: reason || t("devices.approved") });
    }, h("div", { class: "row filter" }, ...parts.map((p) => p.el))),
    button(t("devices.ignore"), () => post("/dead-letters/discard?" + new URLSearchParams({ device: x.id, code: "device_unknown" }))),
    h("a", { href: "#dead?device=" + encodeURIComponent(x.id) }, t("devices.letters"))) : null);
}
