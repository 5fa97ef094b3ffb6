// The base map works with no network: land and province outlines are bundled,
// names are drawn by the page. Land has no country; the archipelagos' names
// are labels of the page, on every zoom, never culled.
import maplibregl from "maplibre-gl";

export const islands: [string, number, number][] = [
  ["Quần đảo Hoàng Sa (Đà Nẵng)", 112.0, 16.5],
  ["Quần đảo Trường Sa (Khánh Hòa)", 114.0, 10.0],
];

declare const BASEMAP: { land: string; provinces: string };

export function label(map: maplibregl.Map, text: string, lon: number, lat: number, cls: string): void {
  const el = document.createElement("div");
  el.className = "maplabel " + cls;
  el.textContent = text;
  new maplibregl.Marker({ element: el, anchor: "center" }).setLngLat([lon, lat]).addTo(map);
}

export function hasWebGL(): boolean {
  try { return !!document.createElement("canvas").getContext("webgl2"); } catch { return false; }
}

export function createMap(container: HTMLElement, opts: { center: [number, number]; zoom: number; dark: boolean }): maplibregl.Map {
  const c = opts.dark
    ? { sea: "#12222e", land: "#22353f", line: "#3d5563", coast: "#54707f" }
    : { sea: "#cfe0ea", land: "#f4f2ec", line: "#b9b6ab", coast: "#8d9aa3" };
  const map = new maplibregl.Map({
    container, center: opts.center, zoom: opts.zoom, minZoom: 4, maxZoom: 15, attributionControl: false, dragRotate: false,
    maxBounds: [[96, 2], [124, 26]],
    style: {
      version: 8,
      sources: {
        land: { type: "geojson", data: BASEMAP.land },
        provinces: { type: "geojson", data: BASEMAP.provinces },
      },
      layers: [
        { id: "sea", type: "background", paint: { "background-color": c.sea } },
        { id: "land", type: "fill", source: "land", paint: { "fill-color": c.land } },
        { id: "coast", type: "line", source: "land", paint: { "line-color": c.coast, "line-width": 1 } },
        { id: "provinces", type: "line", source: "provinces", paint: { "line-color": c.line, "line-width": 1 } },
      ],
    },
  });
  map.addControl(new maplibregl.AttributionControl({ compact: true, customAttribution: "Natural Earth" }), "bottom-left");
  map.touchZoomRotate.disableRotation();
  for (const [text, lon, lat] of islands) label(map, text, lon, lat, "island");
  label(map, "BIỂN ĐÔNG", 110.6, 13.5, "sea");
  return map;
}
