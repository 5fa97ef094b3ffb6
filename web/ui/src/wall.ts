import "./fonts.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "uplot/dist/uPlot.min.css";
import "./base.css";
import "./wall.css";
import { get } from "./api";
import { signedIn } from "./signin";
import { h, show } from "./dom";
import { switcher, t, when } from "./i18n";
import { Live } from "./live";
import { Board } from "./board";
import { WallMap } from "./wallmap";
import { Siren } from "./siren";
import { blank, tiles } from "./tiles";
import { openDevice } from "./devicepanel";

async function main(): Promise<void> {
  document.title = t("wall.title") + " – Hải Đăng";
  const me = await signedIn();
  const state = h("span", { class: "link", role: "status" }, t("live.connecting"));
  const clock = h("time", { class: "clock" });
  const sound = h("div", { class: "sound" });
  const tileBar = h("section", { class: "tiles", "aria-label": t("wall.tiles") }, ...blank());
  const panel = h("aside", { class: "panel", hidden: true, "aria-label": t("device.panel") });
  const mapEl = h("div", { class: "map" });
  const boardEl = h("section", { class: "board", "aria-label": t("board.title") });
  document.body.append(
    h("header", { class: "top" }, h("a", { class: "brand", href: "/" }, "Hải Đăng"), h("span", { class: "where" }, "Quảng Bình"), state, sound, clock, switcher()),
    tileBar, h("main", { class: "stage" }, mapEl, boardEl, panel));
  setInterval(() => { clock.textContent = when(new Date(), true) + " UTC+7"; }, 1000);

  const types = (await get<{ items: any[] }>("/device-types")).items;
  const crews = (await get<{ items: any[] }>("/crews")).items;
  const live = new Live();
  live.onstate = (up) => {
    state.className = up ? "link up" : "link down";
    state.textContent = up ? t("live.up") : t("live.down");
  };
  const siren = new Siren(sound);
  const map = new WallMap(mapEl, live, types, (id) => openDevice(panel, id, types));
  const board = new Board(boardEl, crews, me.actions.includes("alert.ack"), siren, (a) => map.fly(a.lon, a.lat));
  live.subscribe("alerts", (f) => { board.alerts(f); map.alerts(f); });
  live.subscribe("work-orders", (f) => board.orders(f));
  live.subscribe("reports", (f) => { board.reports(f); map.reports(f); });
  live.subscribe("stats", (f) => show(tileBar, ...tiles(f.items[0])));
  const refreshCrews = async () => { try { map.crews((await get<{ items: any[] }>("/crews")).items); } catch { /* the next time */ } };
  refreshCrews();
  setInterval(refreshCrews, 5000);
}
main().catch((e) => document.body.append(h("p", { class: "fatal", role: "alert" }, t("error.start") + " " + e.message)));
