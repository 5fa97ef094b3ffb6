// Writes answers.json: what the npm package ggencoder (1.0.10) reads from
// sentences.txt. In a folder of its own, with a copy of sentences.txt:
//   npm install ggencoder@1.0.10 && node make.mjs
// What a decoder gives for "not available" is left out by the values of ITU-R
// M.1371-5. So is the position of message 27, whose sign ggencoder does not
// read; and its texts end where the padding begins, which it reads as well.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const { AisDecode } = createRequire(join(process.cwd(), "node_modules", "x"))("ggencoder");
const answers = [];
const session = {};
for (const line of readFileSync("sentences.txt", "utf8").trim().split("\n")) {
  const d = new AisDecode(line, session);
  if (!d.aistype) continue; // it waits for the rest
  const a = { type: d.aistype, mmsi: d.immsi };
  const long = d.aistype === 27;
  const give = (name, x, available) => {
    if (x !== undefined && x !== "" && available) a[name] = x;
  };
  const placed = d.valid && Math.abs(d.lat) <= 90 && Math.abs(d.lon) <= 180 && !long;
  give("lat", d.lat, placed);
  give("lon", d.lon, placed);
  give("sog", d.sog, d.sog !== (long ? 63 : d.aistype === 9 ? 1023 : 102.3));
  give("cog", d.cog, d.cog < 360);
  give("heading", d.hdg, d.hdg < 360);
  give("nav_status", d.navstatus, d.navstatus !== 15);
  if (d.aistype !== 21) give("name", d.shipname, true);
  give("call_sign", d.callsign, true);
  give("ship_type", d.cargo, d.cargo !== 0);
  if (d.aistype === 14) {
    const bits = d.msglen * 6 - Number(line.split(",")[6][0]);
    give("text", d.txt.slice(0, Math.floor((bits - 40) / 6)).trim(), true);
  }
  answers.push(JSON.stringify(a));
}
writeFileSync("answers.json", "[\n" + answers.join(",\n") + "\n]\n");
