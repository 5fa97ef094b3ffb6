import "./fonts.css";
import "./base.css";
import { get, Problem } from "./api";
import { h, show } from "./dom";
import { pick, switcher, t, when } from "./i18n";

const code = decodeURIComponent(location.pathname.split("/").pop()!);
const main = h("main", { class: "page narrow" });
document.body.append(main);
document.title = code + " – Hải Đăng";

let shown = false;

async function draw(): Promise<void> {
  const head = h("header", { class: "bar" }, h("h1", {}, t("track.title")), switcher());
  try {
    const r = await get<any>("/reports/" + encodeURIComponent(code));
    show(main, head, h("p", { class: "code" }, r.code), h("p", {}, h("span", { class: "state s-" + r.state }, t("report." + r.state)), " ", pick(r.category_name)),
      h("p", {}, r.description), ...r.photos.map((p: any) => h("img", { src: p.url, alt: t("report.photo"), loading: "lazy" })),
      h("ol", { class: "steps" }, ...r.timeline.map((s: any) => h("li", {}, h("b", {}, t("report." + s.state)), h("time", {}, " " + when(s.at)), s.text ? h("p", {}, s.text) : null))),
      r.anonymised_at ? h("p", { class: "hint" }, t("track.anonymised", { at: when(r.anonymised_at) })) : null, h("p", { class: "hint" }, t("track.refresh")), h("p", {}, h("a", { href: "/phan-anh" }, t("track.another"))));
    shown = true;
  } catch (e) {
    if (shown) return; // what was read stays; the line may come back
    show(main, head, h("p", { class: "error", role: "alert" }, e instanceof Problem && e.status === 404 ? t("track.unknown", { code }) : (e as Error).message), h("p", {}, h("a", { href: "/phan-anh" }, t("report.title"))));
  }
}
draw();
setInterval(draw, 10000);
