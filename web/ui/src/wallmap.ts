// The live map: devices by type and freshness, tails, reports, crews, and rings
// where an alert is open: a beacon in the sea is on no other list.
import type maplibregl from "maplibre-gl";
import { createMap, hasWebGL } from "./basemap";
import { h, show } from "./dom";
import { num, pick, t } from "./i18n";
import type { Frame, Live } from "./live";

const none = { type: "FeatureCollection", features: [] } as any;
const colours: Record<string, string> = { live: "#4fd1a5", late: "#e9c46a", silent: "#8795a1", never: "#8795a1" };

export class WallMap {
  private map?: maplibregl.Map;
  private devices = new Map<string, any>();
  private pins = new Map<string, any>();
  private rings = new Map<string, any>();
  private crewList: any[] = [];
  private dirty = true;

  constructor(private el: HTMLElement, private live: Live, private types: any[], private onpick: (id: string) => void) {
    if (!hasWebGL()) {
      el.append(h("p", { class: "nogl", role: "status" }, t("map.nogl")), h("ul", { class: "maplist" }));
      this.subscribe();
      setInterval(() => this.list(), 2000);
      return;
    }
    const map = createMap(el, { center: [109.3, 14.6], zoom: innerWidth < 700 ? 4.2 : 5, dark: true });
    this.map = map;
    (window as any).haidangMap = map;
    map.on("load", () => {
      this.icons(map);
      const size = Math.max(0.5, innerHeight / 2000);
      for (const s of ["tails", "alerts", "devices", "reports", "crews"]) map.addSource(s, { type: "geojson", data: none });
      map.addLayer({ id: "tails", type: "line", source: "tails", paint: { "line-color": "#7fb3d5", "line-width": 1.5, "line-opacity": 0.7 } });
      map.addLayer({ id: "alerts", type: "circle", source: "alerts", paint: { "circle-radius": 20 * size, "circle-color": "#ff8a80", "circle-opacity": ["case", ["get", "acked"], 0, 0.25], "circle-stroke-width": 3 * size, "circle-stroke-color": ["match", ["get", "severity"], "critical", "#ff8a80", "major", "#ffb74d", "#e9c46a"] } });
      map.addLayer({ id: "clusters", type: "circle", source: "devices", filter: ["==", ["get", "k"], "c"], paint: { "circle-radius": ["interpolate", ["linear"], ["get", "n"], 1, 8, 1000, 34], "circle-color": "#1a2e3b", "circle-opacity": 0.9, "circle-stroke-width": 3, "circle-stroke-color": ["case", [">", ["get", "silent"], 0], "#ff8a80", [">", ["get", "late"], 0], colours.late!, colours.live!] } });
      map.addLayer({ id: "counts", type: "symbol", source: "devices", filter: ["==", ["get", "k"], "c"], layout: { "icon-image": ["concat", "text:", ["get", "n"], ["case", [">", ["get", "silent"], 0], ["concat", "|✕", ["get", "silent"]], ""]], "icon-allow-overlap": true, "icon-size": size } });
      map.addLayer({ id: "devices", type: "symbol", source: "devices", filter: ["==", ["get", "k"], "d"], layout: { "icon-image": ["get", "icon"], "icon-rotate": ["coalesce", ["get", "course"], 0], "icon-allow-overlap": true, "icon-size": Math.max(0.5, innerHeight / 2000) } });
      map.addLayer({ id: "reports", type: "symbol", source: "reports", layout: { "icon-image": "report", "icon-allow-overlap": true, "icon-anchor": "bottom", "icon-size": Math.max(0.55, innerHeight / 1800) } });
      map.addLayer({ id: "crews", type: "symbol", source: "crews", layout: { "icon-image": ["get", "icon"], "icon-allow-overlap": true, "icon-size": size } });
      map.addLayer({ id: "calls", type: "symbol", source: "crews", minzoom: 7, layout: { "icon-image": ["concat", "text:", ["get", "call"]], "icon-allow-overlap": true, "icon-offset": [0, 34], "icon-size": size } });
      map.on("click", "devices", (e) => this.onpick(e.features![0]!.properties!.id));
      map.on("click", "clusters", (e) => map.easeTo({ center: e.lngLat, zoom: Math.max(8.1, map.getZoom() + 2) }));
      map.on("click", "reports", (e) => { open("/phan-anh/" + encodeURIComponent(e.features![0]!.properties!.code), "_blank", "noopener"); });
      for (const layer of ["devices", "clusters", "reports"]) {
        map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
        map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
      }
      this.home();
      this.subscribe();
      map.on("moveend", () => this.subscribe());
      setInterval(() => this.draw(), 250);
    });
    el.append(h("div", { class: "mapacts" }, h("button", { onclick: () => this.home() }, "Quảng Bình"), h("button", { onclick: () => map.flyTo({ center: [109.8, 13.8], zoom: 4.6 }) }, t("map.country"))));
  }

  private home(): void { this.map?.fitBounds([[105.6, 16.9], [107.9, 18.15]], { animate: false, padding: 10 }); }

  private subscribe(): void {
    const m = this.map;
    const b = m?.getBounds();
    const box = b ? [b.getWest() - 0.5, b.getSouth() - 0.5, b.getEast() + 0.5, b.getNorth() + 0.5] : [-180, -90, 180, 90];
    this.live.subscribe("map", (f) => this.take(f), { bbox: box, zoom: m ? m.getZoom() : 12 });
  }

  private take(f: Frame): void {
    if (f.type === "snapshot") this.devices.clear();
    for (const d of f.items) {
      if (d.k === "x") this.devices.delete(d.id);
      else this.devices.set(d.id, d);
    }
    this.dirty = true;
  }

  reports(f: Frame): void {
    if (f.type === "snapshot") this.pins.clear();
    for (const r of f.items) {
      if (r.lat === undefined || r.state === "answered" || r.state === "refused") this.pins.delete(r.code);
      else this.pins.set(r.code, r);
    }
    this.dirty = true;
  }

  alerts(f: Frame): void {
    if (f.type === "snapshot") this.rings.clear();
    for (const a of f.items) {
      if (a.lat === undefined || a.state !== "open") this.rings.delete(a.id);
      else this.rings.set(a.id, a);
    }
    this.dirty = true;
  }

  crews(cs: any[]): void { this.crewList = cs; this.dirty = true; }

  fly(lon?: number, lat?: number): void {
    if (lon !== undefined && lat !== undefined) this.map?.flyTo({ center: [lon, lat], zoom: Math.max(10, this.map.getZoom()) });
  }

  private draw(): void {
    const m = this.map;
    if (!m || !this.dirty) return;
    this.dirty = false;
    const point = (lon: number, lat: number, properties: object) => ({ type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties });
    const all = [...this.devices.values()];
    const set = (id: string, features: any[]) => (m.getSource(id) as maplibregl.GeoJSONSource).setData({ type: "FeatureCollection", features } as any);
    set("devices", all.map((d) => point(d.lon, d.lat, { ...d, values: undefined, q: undefined, tail: undefined, icon: `${this.shape(d.type)}-${d.state}` })));
    set("tails", all.filter((d) => d.tail?.length).map((d) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: [...d.tail, [d.lon, d.lat]] } })));
    set("reports", [...this.pins.values()].map((r) => point(r.lon, r.lat, { code: r.code })));
    set("alerts", [...this.rings.values()].map((a) => point(a.lon, a.lat, { severity: a.severity, acked: !!a.acked_at })));
    set("crews", this.crewList.map((c) => point(c.lon, c.lat, { icon: "crew-" + c.state, call: c.call_sign })));
  }

  private shape(type: string): string {
    return ["air_station", "water_level", "traffic_camera", "fishing_vessel"].includes(type) ? type : "generic";
  }

  /** icons draws our own symbols: solid is live, hollow late, crossed silent. */
  private icons(map: maplibregl.Map): void {
    const draw = (name: string, fn: (g: CanvasRenderingContext2D) => void) => {
      const c = document.createElement("canvas");
      c.width = c.height = 48;
      const g = c.getContext("2d")!;
      g.translate(24, 24);
      g.lineWidth = 4;
      g.lineJoin = "round";
      fn(g);
      map.addImage(name, g.getImageData(0, 0, 48, 48), { pixelRatio: 1 });
    };
    const paths: Record<string, (g: CanvasRenderingContext2D) => void> = {
      air_station: (g) => g.arc(0, 0, 13, 0, 7),
      water_level: (g) => g.rect(-8, -15, 16, 30),
      traffic_camera: (g) => { g.moveTo(-14, -11); g.lineTo(14, 0); g.lineTo(-14, 11); g.closePath(); },
      fishing_vessel: (g) => { g.moveTo(0, -18); g.lineTo(11, 14); g.lineTo(0, 8); g.lineTo(-11, 14); g.closePath(); },
      generic: (g) => { g.moveTo(0, -13); g.lineTo(13, 0); g.lineTo(0, 13); g.lineTo(-13, 0); g.closePath(); },
    };
    for (const [shape, path] of Object.entries(paths)) {
      for (const state of ["live", "late", "silent", "never"]) {
        draw(`${shape}-${state}`, (g) => {
          g.beginPath();
          path(g);
          g.fillStyle = state === "live" ? colours.live! : "#12222e";
          g.strokeStyle = state === "live" ? "#0b161d" : colours[state]!;
          g.fill();
          g.stroke();
          if (state === "silent") { g.beginPath(); g.moveTo(-15, -15); g.lineTo(15, 15); g.moveTo(15, -15); g.lineTo(-15, 15); g.strokeStyle = "#ff8a80"; g.stroke(); }
        });
      }
    }
    draw("report", (g) => { g.beginPath(); g.moveTo(0, 22); g.lineTo(-12, 0); g.arc(0, -6, 13.5, 2.7, 0.45); g.closePath(); g.fillStyle = "#ffb74d"; g.strokeStyle = "#0b161d"; g.fill(); g.stroke(); g.beginPath(); g.arc(0, -6, 5, 0, 7); g.fillStyle = "#0b161d"; g.fill(); });
    for (const [s, c] of [["available", "#64b5f6"], ["busy", "#ba68c8"]] as const) draw("crew-" + s, (g) => { g.beginPath(); g.roundRect(-14, -14, 28, 28, 7); g.fillStyle = c; g.strokeStyle = "#0b161d"; g.fill(); g.stroke(); });
  }

  /** list stands in for the map where there is no WebGL. */
  private list(): void {
    const ul = this.el.querySelector(".maplist")!;
    show(ul, ...[...this.devices.values()].filter((d) => d.k === "d").slice(0, 300).map((d) => {
      const m = this.types.find((x) => x.id === d.type)?.metrics.find((x: any) => x.headline);
      const v = m && d.values?.[m.name];
      return h("li", {}, h("button", { onclick: () => this.onpick(d.id) }, d.name || d.id), " ", t("fresh." + d.state), v !== undefined ? ` · ${pick(m.label)} ${num(v, m.decimals)} ${m.unit}` : "");
    }));
  }
}
