# Writes libais.json: what libais reads from sentences.txt, a decoder in C++
# (Debian's package python3-ais, 0.17). Run it next to sentences.txt. What stands
# for "not available" is left out, as in make.mjs; a message that libais refuses
# for its length is null.
import json

import _ais as ais

answers = []
lines = open("sentences.txt").read().split()
while lines:
    n = int(lines[0].split(",")[1])
    group, lines = [l.split(",") for l in lines[:n]], lines[n:]
    try:
        d = ais.decode("".join(f[5] for f in group), int(group[-1][6][0]))
    except ais.DecodeError:
        answers.append("null")
        continue
    a = {"type": d["id"], "mmsi": d["mmsi"]}

    def give(name, key, available=lambda x: True):
        x = d.get(key)
        if isinstance(x, str):
            x = x.split("@")[0].strip()
        if x is not None and x != "" and available(x):
            a[name] = round(x, 6 if key in "xy" else 1) if isinstance(x, float) else x

    if abs(d.get("x", 181)) <= 180 and abs(d.get("y", 91)) <= 90:
        give("lat", "y")
        give("lon", "x")
    give("sog", "sog", lambda x: x < {27: 63, 9: 1023}.get(d["id"], 102.25))
    give("cog", "cog", lambda x: x < 360)
    give("heading", "true_heading", lambda x: x < 360)
    give("nav_status", "nav_status", lambda x: x != 15)
    if d["id"] != 21:
        give("name", "name")
    give("call_sign", "callsign")
    give("ship_type", "type_and_cargo", lambda x: x != 0)
    if d["id"] == 14:
        give("text", "text")
    answers.append(json.dumps(a))
open("libais.json", "w").write("[\n" + ",\n".join(answers) + "\n]\n")
