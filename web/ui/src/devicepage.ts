// One device: what it says, what is known of it, with what it signs in, what it
// was told.
import { get } from "./api";
import { commands } from "./commands";
import { credentials } from "./credentials";
import { deviceEvents } from "./deviceevents";
import { editDevice, newDevice } from "./deviceform";
import { lifeActs } from "./devicelife";
import { secret } from "./dialog";
import { h, show } from "./dom";
import { forget } from "./form";
import { ago, lang, num, pick, t, when } from "./i18n";
import { Label, types } from "./lookups";
import { Desk, back, press } from "./section";

const labels = (id: string) => h("a", { href: "/api/v1/devices/labels?" + new URLSearchParams({ id, lang }), target: "_blank", rel: "noopener" }, t("devices.label"));

/** freshDevice is the page that registers a device, and shows its secret once. */
export async function freshDevice(el: HTMLElement): Promise<void> {
  const form = await newDevice((d, word) => {
    forget();
    show(el, back("devices"), h("p", { role: "status" }, h("b", {}, t("devices.made", { name: d.name || d.id }))), d.nophoto ? h("p", { class: "warning" }, t("devices.photolater")) : null,
      secret(t("devices.secret"), [[t("credential.username"), d.id], [t("credential.word"), word]]),
      h("div", { class: "acts" }, h("a", { class: "primary", href: "#devices/" + encodeURIComponent(d.id) }, t("devices.open")), h("a", { href: "#devices/+new", onclick: () => { freshDevice(el); } }, t("devices.another")), labels(d.id)));
  });
  show(el, back("devices"), h("h3", {}, t("devices.new")), form);
}

/** values is what a device said last, by metric. */
function values(d: any, metrics: { name: string; label: Label; decimals: number }[]): HTMLElement {
  const all = Object.entries<any>(d.values);
  if (!all.length) return h("p", { class: "empty" }, t("device.nodata"));
  return h("dl", { class: "facts" }, ...all.flatMap(([m, v]) => {
    const def = metrics.find((x) => x.name === m);
    return [h("dt", {}, def ? pick(def.label) : m), h("dd", {}, h("b", {}, `${num(v.value, def?.decimals ?? 2)} ${v.unit ?? ""}`), " ", h("small", {}, ago(v.ts) + (v.quality === "good" ? "" : ", " + t("quality." + v.quality))))];
  }));
}

/** devicePage draws one device. */
export async function devicePage(el: HTMLElement, id: string, desk: Desk): Promise<void> {
  const redraw = async () => { forget(); await devicePage(el, id, desk); };
  const [d, kinds] = await Promise.all([get<any>("/devices/" + encodeURIComponent(id)), types()]);
  const kind = kinds.find((x) => x.id === d.type), manage = desk.may("device.manage");
  const acts = desk.may("device.life") ? lifeActs(d, press(redraw)) : [];
  show(el, back("devices"), h("h3", { "data-device": d.id }, d.name || d.id, " ", h("code", {}, d.id)),
    h("p", {}, h("span", { class: "fresh " + d.state }, t("fresh." + d.state)), " ", h("span", { class: "state" }, t("devices.life." + d.life)), " ", h("small", {}, [kind && pick(kind.name), d.area_name, d.area_ended && t("moves.over"), d.vendor, d.last_seen ? `${t("device.seen")} ${ago(d.last_seen)}` : t("device.never"), d.life_reason].filter(Boolean).join(" · "))),
    values(d, kind?.metrics ?? []), h("div", { class: "acts" }, labels(d.id), h("a", { href: "/suc-khoe#q=" + encodeURIComponent(d.id) }, t("health.title")), ...acts),
    await deviceEvents(d.id, desk), manage ? h("section", { class: "chapter" }, h("h3", {}, t("devices.known")), await editDevice(d.id, redraw)) : h("section", { class: "chapter" }, h("h3", {}, t("devices.known")), facts(d)),
    manage ? credentials(d.id) : null, h("section", { class: "chapter" }, await commands(d.id, desk.may("device.command"), manage)));
}

/** facts is what is known of a device, for who may not change it. */
function facts(d: any): HTMLElement {
  const known = ["agency", "vendor", "network", "cohort", "gateway", "serial", "model", "firmware", "installed_at", "notes"].filter((n) => d[n]);
  return h("div", {}, h("dl", { class: "facts" }, ...known.flatMap((n) => [h("dt", {}, t("devices.field." + n)), h("dd", {}, n === "installed_at" ? d[n].split("-").reverse().join("/") : d[n])])), d.photo ? h("img", { class: "thumb", src: d.photo, alt: t("devices.photo") }) : null, d.updated_at ? h("p", { class: "hint" }, t("devices.changed", { when: when(d.updated_at) })) : null);
}
