// Citizens' reports, as those who handle them see them.
import { get, post } from "./api";
import { h } from "./dom";
import { ago, pick, t, when } from "./i18n";
import { agencies, named } from "./lookups";
import { Button, cards, withText } from "./section";
import { unmask } from "./unmask";

/** choice is an act that asks for one of a few. */
function choice(button: Button, label: string, options: [string, string][], fn: (v: string) => Promise<unknown>): HTMLElement {
  const sel = h("select", { "aria-label": label }, ...options.map(([v, n]) => h("option", { value: v }, n)));
  return h("details", {}, h("summary", {}, label), sel, button(label, () => fn(sel.value)));
}

/** person is what was hidden of a report. */
const person = (p: any): HTMLElement[] => [h("dl", {}, ...[["unmask.name", p.name], ["unmask.phone", p.phone], ["unmask.address", p.address], ["unmask.place", p.lat === undefined ? "" : `${p.lat}, ${p.lon}`], ["unmask.text", p.description]].filter((x) => x[1]).flatMap(([k, v]) => [h("dt", {}, t(k)), h("dd", {}, v)]))];

export const reportList = cards("reports", ["report.read"], {
  async items(button, _, { may }) {
    const [offices, crews, got] = await Promise.all([may("device.read") ? agencies() : [], may("workorder.read") ? get<any>("/crews").then((x) => x.items) : [], get<any>("/reports?limit=200")]);
    return got.items.map((r: any) => {
      const step = (s: string, b: object) => post(`/reports/${r.code}/${s}`, b);
      const acts = h("div", { class: "acts" }), handle = may("report.handle"), fresh = ["received", "accepted", "assigned"].includes(r.state);
      if (may("personal.unmask") && !r.anonymised_at) acts.append(unmask<any>(`/reports/${r.code}/unmask`, {}, t("unmask.title"), person));
      if (handle && r.state === "received") acts.append(button(t("report.accept"), () => step("accept", {})));
      if (handle && (r.state === "received" || r.state === "accepted")) acts.append(withText(button, t("report.refuse"), t("report.why"), (text) => step("refuse", { text })));
      if (handle && fresh) acts.append(choice(button, t("report.assign"), offices.filter((a) => !a.retired).map((a) => [a.id, named(a)]), (agency) => step("assign", { agency })));
      if (may("workorder.send") && fresh) acts.append(choice(button, t("order.new"), crews.map((c: any) => [c.id, c.name]), (crew) => post("/work-orders", { crew, report: r.code })));
      if (handle && ["accepted", "assigned"].includes(r.state)) acts.append(withText(button, t("report.answer"), t("report.answerwords"), (text) => step("answer", { text })));
      return h("li", { "data-code": r.code }, h("span", { class: "state s-" + r.state }, t("report." + r.state)), " ", h("b", {}, pick(r.category_name)), " ", h("a", { href: "/phan-anh/" + r.code }, r.code), h("p", {}, r.description),
        ...r.photos.map((p: any) => h("img", { class: "thumb", src: p.url, alt: t("report.photo"), loading: "lazy" })), h("small", {}, [when(r.created_at), ago(r.created_at), r.agency_name, r.reporter_masked, r.phone_masked, r.approximate && t("report.approximate")].filter(Boolean).join(" · ")), acts);
    });
  },
});
