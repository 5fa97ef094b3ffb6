import "./fonts.css";
import "./base.css";
import { h } from "./dom";
import { switcher, t } from "./i18n";

document.title = "Hải Đăng";
const card = (href: string, title: string, text: string) => h("a", { class: "card", href }, h("b", {}, title), h("span", {}, text));
document.body.append(h("main", { class: "page" },
  h("header", { class: "bar" }, h("h1", {}, "Hải Đăng"), switcher()),
  h("p", {}, t("home.what")),
  h("nav", { class: "cards" },
    card("/wall", t("wall.title"), t("home.wall")), card("/bang", t("console.title"), t("home.console")), card("/suc-khoe", t("health.title"), t("home.health")),
    card("/phan-anh", t("report.title"), t("home.report")), card("/to", t("crew.title"), t("home.crew")))));
