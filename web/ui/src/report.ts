// A citizen's report: thirty seconds, by phone, and nothing lost on a bad line.
import "./fonts.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "./base.css";
import { call, get, uuid } from "./api";
import { h, show } from "./dom";
import { blobOf, picker, shrink } from "./photo";
import { pick, switcher, t } from "./i18n";

const key = "report-draft";
const draft: Record<string, string> = JSON.parse(localStorage.getItem(key) ?? "{}");
draft.client_id ||= uuid();
const keep = () => { try { localStorage.setItem(key, JSON.stringify(draft)); } catch { /* it stays on the page */ } };
keep(); // a retry after a reload must carry the same client_id

async function main(): Promise<void> {
  document.title = t("report.title") + " – Hải Đăng";
  const main = h("main", { class: "page narrow" });
  document.body.append(main);
  const says = h("p", { class: "error", role: "alert" });
  const field = (name: string, el: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement) => {
    el.id = name;
    el.name = name;
    el.value = draft[name] ?? el.value;
    el.addEventListener("input", () => { draft[name] = el.value; keep(); });
    return el;
  };
  const category = h("select", { required: true }, h("option", { value: "" }, t("report.choose")));
  try {
    for (const c of (await get<{ items: any[] }>("/report-categories")).items) category.append(h("option", { value: c.id }, pick(c.name)));
  } catch (e) { says.textContent = (e as Error).message; }
  const place = h("output", { class: "place" }, draft.lat ? `${draft.lat}, ${draft.lon}` : t("report.noplace"));
  const setPlace = (lat: number, lon: number) => {
    draft.lat = lat.toFixed(5);
    draft.lon = lon.toFixed(5);
    keep();
    place.textContent = `${draft.lat}, ${draft.lon}`;
  };
  const mapEl = h("div", { class: "pinmap", hidden: true });
  const pin = async () => {
    mapEl.hidden = false;
    const [{ createMap, hasWebGL }, gl] = await Promise.all([import("./basemap"), import("maplibre-gl/dist/maplibre-gl-csp")]);
    if (!hasWebGL()) { show(mapEl, h("p", {}, t("report.nomap"))); return; }
    const at: [number, number] = draft.lon ? [+draft.lon, +draft.lat!] : [106.62, 17.47];
    const map = createMap(mapEl, { center: at, zoom: 9, dark: false });
    const marker = new gl.default.Marker({ draggable: true, color: "#c62828" }).setLngLat(at);
    // Only what the citizen points at is a place: where the map opens is not.
    if (draft.lon) marker.addTo(map);
    else place.textContent = t("report.tap");
    const moved = () => { const p = marker.getLngLat(); setPlace(p.lat, p.lng); };
    marker.on("dragend", moved);
    map.on("click", (e) => { marker.setLngLat(e.lngLat).addTo(map); moved(); });
  };
  const gps = (ev: Event) => {
    const b = ev.currentTarget as HTMLButtonElement;
    if (!navigator.geolocation) { place.textContent = t("report.nogps"); return; }
    b.disabled = true;
    place.textContent = t("report.locating");
    navigator.geolocation.getCurrentPosition((p) => { b.disabled = false; setPlace(p.coords.latitude, p.coords.longitude); },
      () => { b.disabled = false; place.textContent = t("report.nogps"); }, { enableHighAccuracy: true, timeout: 15000 });
  };
  const photos = h("input", { type: "file", accept: "image/*", multiple: true });
  const send = h("button", { class: "primary" }, t("report.send"));
  const form = h("form", {},
    h("p", { class: "name" }, t("report.photos")), picker(photos, "photos", t("photo.take")),
    h("fieldset", {}, h("legend", {}, t("report.where")),
      h("div", { class: "row" }, h("button", { type: "button", onclick: gps }, t("report.gps")), h("button", { type: "button", onclick: pin }, t("report.pin"))), place, mapEl,
      h("label", { for: "address" }, t("report.address")), field("address", h("input", { maxlength: 300 }))),
    h("label", { for: "category" }, t("report.category")), field("category", category),
    h("label", { for: "description" }, t("report.words")), field("description", h("textarea", { required: true, rows: 4, maxlength: 4000 })),
    h("label", { for: "phone" }, t("report.phone")), field("phone", h("input", { type: "tel", inputmode: "tel", autocomplete: "tel" })),
    h("p", { class: "hint" }, t("report.privacy")), says, send);
  form.addEventListener("submit", async (ev) => {
    ev.preventDefault();
    says.textContent = "";
    const body = new FormData();
    for (const k of ["category", "description", "lat", "lon", "address", "phone", "client_id"]) if (draft[k]) body.append(k, draft[k]!);
    send.disabled = true;
    send.textContent = t("report.sending");
    for (const f of [...(photos.files ?? [])].slice(0, 5)) {
      try { body.append("photos", blobOf(await shrink(f, 2048)), "photo.jpg"); } catch { body.append("photos", f); } // the server says what is wrong with it
    }
    try {
      const r = await call<any>("POST", "/reports", body);
      localStorage.removeItem(key);
      show(main, h("h1", {}, t("report.thanks")), h("p", {}, t("report.code")), h("p", { class: "code" }, r.code),
        h("p", {}, h("a", { class: "primary", href: "/phan-anh/" + r.code }, t("report.follow"))));
    } catch (e) {
      says.textContent = (e as Error).message + " " + t("report.kept");
      send.disabled = false;
      send.textContent = t("report.again");
    }
  });
  main.append(h("header", { class: "bar" }, h("h1", {}, t("report.title")), switcher()), h("p", {}, t("report.intro")), form,
    h("form", { class: "track", onsubmit: (ev: Event) => { ev.preventDefault(); location.href = "/phan-anh/" + encodeURIComponent((document.getElementById("code") as HTMLInputElement).value.trim()); } },
      h("label", { for: "code" }, t("report.havecode")), h("div", { class: "row" }, h("input", { id: "code", placeholder: "QB-XXXX-XXXX" }), h("button", {}, t("report.look")))));
}
main();
