// What is known of a device, as a form: to register one, or to change it without
// overwriting what somebody else changed meanwhile.
import { Problem, call, get, post, versioned } from "./api";
import { chooseOne } from "./choose";
import { h, show } from "./dom";
import { Part, day, group, identified, number, part, select, sheet, text } from "./form";
import { t, when } from "./i18n";
import { agencyChoices, areaChoices, typeChoices } from "./lookups";
import { picker } from "./photo";
import { placeParts } from "./placemap";

const idForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** flat is a device as the fields of its form. */
const flat = (d: any): Record<string, any> => ({ ...d, lat: d.installed_position?.lat, lon: d.installed_position?.lon, expected_interval_s: d.own_interval_s });

/** gateway is a device's id, found by what is typed. */
function gateway(value: string): Part {
  const p = text("gateway", t("devices.field.gateway"), value, { max: 64, help: t("devices.help.gateway"), list: ["…"], check: (v) => (idForm.test(v) ? "" : t("devices.badid")) });
  const input = p.el.querySelector("input")!, known = p.el.querySelector("datalist")!;
  let timer = 0;
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(async () => {
    try {
      const got = await get<{ items: any[] }>("/devices?limit=20&q=" + encodeURIComponent(input.value.trim()));
      show(known, ...got.items.map((d) => h("option", { value: d.id }, d.name)));
    } catch { /* typing goes on without */ }
  }, 250); });
  return p;
}

interface Form { groups: HTMLElement[]; parts: Part[]; photo: HTMLInputElement }

/** fields are the parts of a device's form, in groups; d is empty for a new one. */
async function fields(d: Record<string, any>, fresh: boolean): Promise<Form> {
  const [types, areas, agencies] = await Promise.all([typeChoices(), areaChoices(), agencyChoices(d.agency)]);
  const f = (name: string) => t("devices.field." + name), line = (name: string, max = 100, more = {}) => text(name, f(name), d[name] ?? "", { max, ...more });
  const id = `device-${d.id ?? "new"}-`;
  const identity = [fresh && text("id", f("id"), "", { required: true, max: 64, help: t("devices.help.id"), check: (v) => (idForm.test(v) ? "" : t("devices.badid")) }),
    line("name", 200), chooseOne("type", f("type"), types, d.type ?? "", { required: true }), fresh && select("life", t("devices.life"), [["active", t("devices.life.active")], ["pending", t("devices.life.pending")]], "active", { help: t("devices.help.life") }),
    text("labels", f("labels"), (d.labels ?? []).join(", "), { max: 1300, help: t("devices.help.labels") })].filter(Boolean) as Part[];
  const labels = identity[identity.length - 1]!, words = labels.read;
  labels.read = () => (words() as string).split(",").map((x) => x.trim()).filter(Boolean);
  if (d.area && !areas.some((x) => x.value === d.area)) areas.push({ value: d.area, label: d.area_name || d.area, hint: t("moves.over") });
  const area = chooseOne("area", f("area"), areas, d.area ?? "", { help: t("devices.help.area") });
  const place = [area, ...placeParts(d.lat, d.lon)];
  const interval = number("expected_interval_s", f("expected_interval_s"), d.expected_interval_s, { least: 1, most: 31622400, help: t("devices.help.interval") }), seconds = interval.read;
  interval.read = () => seconds() ?? 0;
  const duty = [chooseOne("agency", f("agency"), agencies, d.agency ?? "", { help: t("devices.help.agency") }), line("vendor"), line("network", 100, { help: t("devices.help.network") }), line("cohort", 100, { help: t("devices.help.cohort") }), gateway(d.gateway ?? "")];
  const photo = h("input", { type: "file", accept: "image/jpeg,image/png,image/webp" });
  const picture = part("photo", t("devices.photo"), h("div", {}, picker(photo, id + "photo", t("photo.take")), d.photo ? h("img", { class: "thumb", src: d.photo, alt: t("devices.photo") }) : null), photo, () => undefined, { help: t("devices.help.photo") });
  const kit = [line("serial"), line("model"), line("firmware"), day("installed_at", f("installed_at"), d.installed_at ?? ""), interval, text("notes", f("notes"), d.notes ?? "", { rows: 3, max: 4000, wide: true, help: t("devices.help.notes") }), picture];
  const parts = [...identity, ...place, ...duty, ...kit].map((p) => (p.name && p.name !== "photo" ? identified(p, id + p.name) : p));
  return { parts, photo, groups: [group(t("devices.group.identity"), ...identity), group(t("devices.group.place"), ...place), group(t("devices.group.duty"), ...duty), group(t("devices.group.kit"), ...kit)] };
}

async function sendPhoto(id: string, photo: HTMLInputElement): Promise<void> {
  const file = photo.files?.[0];
  if (!file) return;
  const body = new FormData();
  body.append("photo", file);
  try { await call("PUT", `/devices/${encodeURIComponent(id)}/photo`, body); } catch (e) { throw e instanceof Problem ? new Problem(e.status, t("devices.nophoto", { reason: e.message }), e.type, [{ field: "photo", detail: e.message }]) : e; }
  photo.value = "";
}

/** newDevice registers a device; done is told it and its secret, which is shown once. */
export async function newDevice(done: (device: any, secret: string) => void): Promise<HTMLElement> {
  const f = await fields({}, true);
  let made: { device: any; secret: string } | undefined; // a photo that is refused must not register it twice
  return sheet(f.groups, () => f.parts, t("devices.create"), async (values) => {
    delete values[""]; delete values.photo;
    for (const [k, v] of Object.entries(values)) if (v === "" || v === null || v === 0 || (Array.isArray(v) && !v.length)) delete values[k];
    made ??= await post<{ device: any; secret: string }>("/devices", values);
    try { await sendPhoto(made.device.id, f.photo); } catch { made.device.nophoto = true; }
    done(made.device, made.secret);
  });
}

const shown = (v: unknown): string => (v === undefined || v === null || v === "" ? "–" : Array.isArray(v) ? v.join(", ") : String(v));
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? "") === JSON.stringify(b ?? "");

/** editDevice changes what is known of a device. */
export async function editDevice(id: string, done: () => Promise<void>): Promise<HTMLElement> {
  let read = await versioned<any>("/devices/" + encodeURIComponent(id));
  const f = await fields(flat(read.thing), false), told = h("div", { role: "status" });
  const start: Record<string, unknown> = {};
  for (const p of f.parts) start[p.name] = p.read();
  return sheet([...f.groups, told], () => f.parts, t("devices.save"), async (values) => {
    show(told);
    const change = Object.fromEntries(Object.entries(values).filter(([k, v]) => k && k !== "photo" && !same(v, start[k])));
    if ("lat" in change !== "lon" in change) { change.lat = values.lat; change.lon = values.lon; } // they come together
    try {
      if (Object.keys(change).length) await call("PATCH", "/devices/" + encodeURIComponent(id), change, { "If-Match": read.tag });
    } catch (e) {
      if (!(e instanceof Problem) || e.status !== 412) throw e;
      const before = flat(read.thing);
      read = await versioned<any>("/devices/" + encodeURIComponent(id));
      const now = flat(read.thing), others = f.parts.map((p) => p.name).filter((n) => n && !same(before[n], now[n]));
      show(told, h("div", { class: "warning" }, h("p", {}, h("b", {}, t("conflict.title"))), h("ul", {}, ...others.map((n) => h("li", {}, `${t("devices.field." + n)}: ${shown(before[n])} → ${shown(now[n])}`, n in change ? " " + t("conflict.yours", { value: shown(change[n]) }) : ""))),
        h("p", {}, t("conflict.what")), h("button", { type: "button", onclick: done }, t("conflict.reload"))));
      throw new Error(t("conflict.again"));
    }
    await sendPhoto(id, f.photo);
    await done();
  }, h("small", { class: "hint" }, read.thing.updated_at ? t("devices.changed", { when: when(read.thing.updated_at) }) : ""));
}
