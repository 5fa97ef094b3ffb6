// A small map on which a place is pointed at, beside the two fields that hold it.
import type { Marker } from "maplibre-gl";
import { h, show } from "./dom";
import { Part, number, part } from "./form";
import { t } from "./i18n";

const home: [number, number] = [106.62, 17.47];

/** placeParts are latitude and longitude, and the map between them; both empty are no place. */
export function placeParts(lat: number | undefined, lon: number | undefined): Part[] {
  const at = (n: number | undefined) => (n === undefined ? undefined : Math.round(n * 1e6) / 1e6);
  const y = number("lat", t("devices.field.lat"), at(lat), { least: -90, most: 90, help: t("place.example", { value: `17${t("form.mark")}468` }) }), x = number("lon", t("devices.field.lon"), at(lon), { least: -180, most: 180, help: t("place.example", { value: `106${t("form.mark")}622` }) });
  const fields = [y, x].map((p) => p.el.querySelector("input")!);
  const read = x.read;
  x.read = () => {
    const v = read(), both = (fields[0]!.value.trim() === "") === (v === null);
    if (!both) throw new Error(t("place.both"));
    return v;
  };
  const map = h("div", { class: "pinmap", hidden: true }), open = h("button", { type: "button" }, t("place.open"));
  let put = () => {};
  open.addEventListener("click", async () => {
    open.hidden = true;
    map.hidden = false;
    try {
      const [{ createMap, hasWebGL }, gl] = await Promise.all([import("./basemap"), import("maplibre-gl/dist/maplibre-gl-csp")]);
      if (!hasWebGL()) { show(map, h("p", { class: "hint" }, t("place.nomap"))); return; }
      const spot = (): [number, number] | null => {
        const [la, lo] = fields.map((f) => (f.value.trim() ? Number(f.value.replace(",", ".")) : NaN));
        return Math.abs(la!) <= 90 && Math.abs(lo!) <= 180 ? [lo!, la!] : null;
      };
      const m = createMap(map, { center: spot() ?? home, zoom: spot() ? 11 : 8, dark: false });
      const pin: Marker = new gl.default.Marker({ draggable: true, color: "#b3261e" });
      const take = (p: { lat: number; lng: number }) => {
        fields[0]!.value = p.lat.toFixed(5).replace(".", t("form.mark"));
        fields[1]!.value = p.lng.toFixed(5).replace(".", t("form.mark"));
        for (const f of fields) f.dispatchEvent(new Event("input", { bubbles: true }));
      };
      put = () => { const s = spot(); if (s) pin.setLngLat(s).addTo(m); else pin.remove(); };
      pin.on("dragend", () => take(pin.getLngLat()));
      m.on("click", (e) => take(e.lngLat));
      put();
    } catch (e) { show(map, h("p", { class: "error" }, (e as Error).message)); }
  });
  for (const f of fields) f.addEventListener("input", () => put());
  const mapPart = part("", t("place.map"), h("div", {}, open, map), open, () => undefined, { wide: true });
  return [y, x, mapPart];
}
