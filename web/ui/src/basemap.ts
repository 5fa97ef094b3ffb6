// The base map works with no network: land and province outlines are bundled,
// names are drawn by the page. Land has no country; the archipelagos' names
// are labels of the page, on every zoom, never culled.
import maplibregl from "maplibre-gl/dist/maplibre-gl-csp";
import { h } from "./dom";

export const islands: [string, number, number][] = [
  ["Quần đảo Hoàng Sa (Đà Nẵng)", 112.0, 16.5],
  ["Quần đảo Trường Sa (Khánh Hòa)", 114.0, 10.0],
];

declare const BASEMAP: { land: string; provinces: string };
declare const MAPWORKER: string;

// The pages' policy lets a script be named by this policy alone (Trusted Types),
// and this one names the map's worker alone.
const trusted = (window as any).trustedTypes?.createPolicy("haidang", { createScriptURL: () => MAPWORKER });
maplibregl.setWorkerUrl(trusted ? trusted.createScriptURL(MAPWORKER) : MAPWORKER);

export function label(map: maplibregl.Map, text: string, lon: number, lat: number, cls: string): void {
  const el = document.createElement("div");
  el.className = "maplabel " + cls;
  el.textContent = text;
  new maplibregl.Marker({ element: el, anchor: "center" }).setLngLat([lon, lat]).addTo(map);
}

/** textImage draws what follows "text:" or "name:", a line for each part between bars. */
function textImage(map: maplibregl.Map, id: string, dark: boolean): void {
  const lines = id.slice(5).split("|");
  const c = document.createElement("canvas"), name = id.startsWith("name:"), font = (name ? "400" : "600") + ' 26px "Be Vietnam Pro", sans-serif';
  let g = c.getContext("2d")!;
  g.font = font;
  c.width = Math.ceil(Math.max(...lines.map((x) => g.measureText(x).width))) + 12;
  c.height = lines.length * 30 + 8;
  g = c.getContext("2d")!; // sizing has emptied it
  Object.assign(g, { font, textAlign: "center", textBaseline: "middle", lineWidth: 6, lineJoin: "round", strokeStyle: dark ? "#0b161d" : "#fff" });
  lines.forEach((x, i) => {
    g.fillStyle = x.startsWith("✕") ? "#ff8a80" : name ? (dark ? "#9db3c0" : "#4c5c66") : dark ? "#eaf1f5" : "#16242e";
    g.strokeText(x, c.width / 2, 19 + i * 30);
    g.fillText(x, c.width / 2, 19 + i * 30);
  });
  if (!map.hasImage(id)) map.addImage(id, g.getImageData(0, 0, c.width, c.height));
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
        { id: "names", type: "symbol", source: "provinces", minzoom: 6, filter: ["has", "name"], layout: { "icon-image": ["concat", "name:", ["get", "name"]], "icon-size": Math.max(0.45, innerHeight / 2400) } },
      ],
    },
  });
  // The library's own control parses markup, which the pages' policy forbids.
  map.addControl({ onAdd: () => h("div", { class: "maplibregl-ctrl credit" }, "Natural Earth"), onRemove: () => {} }, "bottom-left");
  // There are no glyphs without a network: short texts become images.
  map.on("styleimagemissing", (e) => { if (/^(text|name):/.test(e.id)) textImage(map, e.id, opts.dark); });
  const corner = document.createElement("div");
  corner.className = "inset";
  container.append(corner);
  inset(corner).catch(() => corner.remove());
  map.touchZoomRotate.disableRotation();
  for (const [text, lon, lat] of islands) label(map, text, lon, lat, "island");
  label(map, "Biển Đông", 110.6, 13.5, "sea");
  return map;
}

/** inset draws the whole coast small, in a corner, so that both archipelagos
 * are in every view, however far in the map is. */
async function inset(el: HTMLElement): Promise<void> {
  const [w, s, e, n] = [102, 6.5, 119.5, 23.5], k = 9;
  const x = (lon: number) => ((lon - w) * k).toFixed(1), y = (lat: number) => ((n - lat) * k).toFixed(1);
  const land = await (await fetch(BASEMAP.land)).json();
  const d = land.geometry.coordinates
    .filter((p: number[][][]) => p[0]!.some((c) => c[0]! > w && c[0]! < e && c[1]! > s && c[1]! < n))
    .map((p: number[][][]) => "M" + p[0]!.filter((c, i) => i % 8 === 0 || c[0] === 97 || c[0] === 124 || c[1] === 2 || c[1] === 26) // the corners of the cut stay
      .map((c) => x(c[0]!) + " " + y(c[1]!)).join("L") + "Z").join("");
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", `0 0 ${(e - w) * k} ${(n - s) * k}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", islands.map((i) => i[0]).join(", "));
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", d);
  svg.append(path);
  for (const [text, lon, lat] of islands) {
    text.split(" (").forEach((part, i) => {
      const el = document.createElementNS(ns, "text");
      el.setAttribute("x", x(lon));
      el.setAttribute("y", String(+y(lat) + i * 8));
      el.textContent = i ? "(" + part : part;
      svg.append(el);
    });
  }
  el.append(svg);
}
