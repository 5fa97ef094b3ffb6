// A device's values with age and quality, and the course of one over 24 hours.
import uPlot from "uplot";
import { get } from "./api";
import { h, released, show } from "./dom";
import { eventName } from "./events";
import { ago, num, pick, t, when } from "./i18n";

let timer = 0;

export function openDevice(panel: HTMLElement, id: string, types: any[]): void {
  clearInterval(timer);
  panel.hidden = false;
  let metric = "";
  const chart = h("div", { class: "chart" });
  const said = h("div", {});
  const head = h("div", {});
  const close = () => { clearInterval(timer); panel.hidden = true; };
  panel.onkeydown = (ev) => { if (ev.key === "Escape") close(); };
  show(panel, h("button", { class: "close", "aria-label": t("close"), onclick: close }, "×"), head, chart, said);
  panel.querySelector("button")!.focus({ preventScroll: true });

  const draw = async () => {
    let d: any;
    try { d = await get<any>("/devices/" + encodeURIComponent(id)); } catch (e) { show(head, h("p", { class: "error" }, (e as Error).message)); return; }
    await released();
    const type = types.find((x) => x.id === d.type);
    const metrics = Object.keys(d.values).sort();
    const def = (m: string) => type?.metrics.find((x: any) => x.name === m);
    metric ||= metrics.find((m) => def(m)?.headline) ?? metrics[0] ?? "";
    const held = head.contains(document.activeElement);
    show(head, h("h2", {}, d.name || d.id),
      h("p", {}, `${type ? pick(type.name) : d.type} · ${d.area_name || ""}`),
      h("p", {}, h("span", { class: "fresh " + d.state }, t("fresh." + d.state)), " ", d.last_seen ? `${t("device.seen")} ${ago(d.last_seen)}` : t("device.never")),
      metrics.length ? h("table", {}, h("tbody", {}, ...metrics.map((m) => {
        const v = d.values[m], dm = def(m);
        return h("tr", { class: v.quality === "good" ? "" : "dim" },
          h("th", { scope: "row" }, h("button", { "aria-pressed": m === metric, onclick: () => { metric = m; series(); draw(); } }, dm ? pick(dm.label) : m)),
          h("td", { class: "n" }, `${num(v.value, dm?.decimals ?? 2)} ${v.unit ?? ""}`),
          h("td", {}, ago(v.ts)), h("td", {}, t("quality." + v.quality)));
      }))) : h("p", { class: "empty" }, t("device.nodata")));
    if (held) head.querySelector<HTMLElement>(`[aria-pressed="true"]`)?.focus({ preventScroll: true });
  };

  const series = async () => {
    if (!metric) return;
    const to = new Date(), from = new Date(+to - 86400e3);
    try {
      const s = await get<any>(`/devices/${encodeURIComponent(id)}/series?metric=${encodeURIComponent(metric)}&from=${from.toISOString()}&to=${to.toISOString()}&window=5m`);
      const xs: number[] = [], mean: (number | null)[] = [];
      let last = 0;
      for (const p of s.items) {
        const x = Date.parse(p.ts) / 1000;
        if (last && x - last > 3600) { xs.push(x - 1); mean.push(null); } // a gap stays a gap
        xs.push(x); mean.push(p.mean); last = x;
      }
      const type = types.find((x) => x.metrics.some((m: any) => m.name === metric));
      const dm = type?.metrics.find((m: any) => m.name === metric);
      chart.replaceChildren();
      const css = getComputedStyle(document.documentElement), ink = css.getPropertyValue("--ink");
      const axis = { stroke: ink, grid: { stroke: "#ffffff22" } };
      new uPlot({ width: chart.clientWidth || 360, height: 200, title: `${dm ? pick(dm.label) : metric} (${dm?.unit ?? ""}) – 24 h`,
        scales: { x: { range: [+from / 1000, +to / 1000] } },
        series: [{ label: t("chart.time"), value: (_, v) => (v ? when(new Date(v * 1000).toISOString()) : "") }, { label: dm ? pick(dm.label) : metric, stroke: "#4fd1a5", width: 2, points: { show: xs.length < 60 } }],
        // Hours of the place, not of the browser; midnight says its day.
        tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "Asia/Ho_Chi_Minh"),
        axes: [{ ...axis, values: (_, at) => at.map((s) => { const [day, hour] = when(new Date(s * 1000)).split(" "); return hour === "00:00" ? day!.slice(0, 5) : hour!; }) }, axis] }, [xs, mean] as any, chart);
      chart.append(h("small", {}, t("chart.source", { source: s.source, n: s.items.length })));
    } catch (e) { show(chart, h("p", { class: "error" }, (e as Error).message)); }
  };
  // What it said happened: the last day at first, then what is new.
  let heard: any[] = [], since = new Date(Date.now() - 86400e3);
  const events = async () => {
    try {
      const fresh = (await get<any>(`/devices/${encodeURIComponent(id)}/events?limit=10000&from=${since.toISOString()}`)).items;
      if (fresh.length) since = new Date(Date.parse(fresh.at(-1).ts) + 1);
      heard = [...heard, ...fresh].slice(-8);
      show(said, ...(heard.length ? [h("h3", {}, t("device.events")), h("ul", { class: "events" }, ...[...heard].reverse().map((e) =>
        h("li", {}, h("b", {}, eventName(e)), ` ${when(e.ts)}`, e.lateness === "live" ? "" : ` · ${t("lateness." + e.lateness)}`)))] : []));
    } catch (e) { show(said, h("p", { class: "error" }, (e as Error).message)); }
  };
  let round = 0;
  draw().then(series);
  events();
  timer = setInterval(() => { draw(); if (++round % 5 === 0) events(); }, 3000) as unknown as number;
}
