// The crew's page: one hand, sunlight, one bar of signal. What is done off line
// waits in an outbox and goes by itself, once.
import "./fonts.css";
import "./base.css";
import "./crew.css";
import { call, get, post, Problem, uuid } from "./api";
import { signedIn } from "./signin";
import { h, released, show } from "./dom";
import { blobOf, picker, shrink } from "./photo";
import { ago, switcher, t } from "./i18n";
import { Live } from "./live";

const crew = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const next: Record<string, string[]> = { offered: ["accept", "decline"], accepted: ["en-route"], en_route: ["on-scene"], on_scene: ["resolve"] };
const orders = new Map<string, any>();
const main = h("main", { class: "page narrow" });
const link = h("p", { class: "link", role: "status" });
interface Waiting { id: string; step: string; text: string; at: string; lat?: number; lon?: number; event: string; photo?: string }
const outbox: Waiting[] = JSON.parse(localStorage.getItem("outbox") ?? "[]");
let unkept = false; // the phone's storage is full or closed: the page must stay open
const save = () => {
  try {
    localStorage.setItem("outbox", JSON.stringify(outbox));
    unkept = false;
  } catch { unkept = true; }
};
let sending = false;
let trouble = ""; // why what waits is not taken

async function flush(): Promise<void> {
  if (sending) return;
  sending = true;
  try {
    while (outbox.length) {
      const w = outbox[0]!;
      const body = new FormData();
      for (const [k, v] of Object.entries({ text: w.text, at: w.at, lat: w.lat, lon: w.lon, client_event_id: w.event })) if (v !== undefined && v !== "") body.append(k, String(v));
      if (w.photo) body.append("photos", blobOf(w.photo), "photo.jpg");
      try {
        const o = await call<any>("POST", `/work-orders/${w.id}/${w.step}`, body);
        orders.set(o.id, o);
      } catch (e) {
        // What was done in the field is dropped only when the server has
        // judged it; a bad line, a busy server or an ended session is not that.
        if (!(e instanceof Problem) || e.status === 0 || e.status >= 500 || e.status === 408 || e.status === 429) break;
        if (e.status === 401) { await signedIn(); break; }
        if (e.status === 403) { trouble = e.message; break; }
        alert(e.message);
      }
      trouble = "";
      outbox.shift();
      save();
    }
  } finally { sending = false; draw(); }
}

let here: GeolocationCoordinates | undefined;

function act(w: any, step: string, text = "", photo?: string): void {
  outbox.push({ id: w.id, step, text, photo, at: new Date().toISOString(), lat: here?.latitude, lon: here?.longitude, event: uuid() });
  save();
  draw();
  flush();
}

function card(w: any): HTMLElement {
  const waiting = outbox.some((x) => x.id === w.id);
  const li = h("li", { class: "order", "data-id": w.id }, h("span", { class: "state s-" + w.state }, t("order." + w.state)), h("h2", {}, w.title), w.instructions ? h("p", {}, w.instructions) : null,
    w.lat !== undefined ? h("p", {}, h("a", { href: `geo:${w.lat},${w.lon}` }, `${w.lat.toFixed(5)}, ${w.lon.toFixed(5)}`)) : null, h("small", {}, ago(w.created_at)));
  if (waiting) li.append(h("p", { class: "hint" }, t("crew.waiting")));
  else for (const step of next[w.state] ?? []) {
    if (step !== "resolve" && step !== "decline") {
      li.append(h("button", { class: "big", "data-step": step, onclick: () => act(w, step) }, t("step." + step)));
      continue;
    }
    const text = h("textarea", { rows: 3, required: true, "aria-label": t("crew.words"), placeholder: t(step === "resolve" ? "crew.words" : "crew.why") });
    const photo = h("input", { type: "file", accept: "image/*" });
    const form = h("form", { class: step }, text, step === "resolve" ? picker(photo, "photo-" + w.id, t("photo.take")) : null, h("button", { class: "big", "data-step": step }, t("step." + step)));
    form.addEventListener("submit", async (ev) => {
      ev.preventDefault();
      let data: string | undefined;
      try { if (photo.files?.[0]) data = await shrink(photo.files[0]); } catch { alert(t("crew.badphoto")); return; }
      act(w, step, text.value, data);
    });
    li.append(step === "decline" ? h("details", {}, h("summary", {}, t("step.decline")), form) : form);
  }
  return li;
}

async function draw(): Promise<void> {
  await released();
  if (main.contains(document.activeElement) && /TEXTAREA|INPUT/.test(document.activeElement!.tagName)) return; // nothing jumps while typing
  const mine = [...orders.values()].filter((w) => w.crew === crew && next[w.state]).sort((a, b) => a.created_at.localeCompare(b.created_at));
  show(main, h("header", { class: "bar" }, h("h1", {}, t("crew.title")), switcher()), link,
    outbox.length ? h("p", { class: "hint" }, t("crew.outbox", { n: outbox.length })) : null,
    trouble && outbox.length ? h("p", { class: "error", role: "alert" }, trouble) : null,
    unkept ? h("p", { class: "error", role: "alert" }, t("crew.unkept")) : null,
    mine.length ? h("ul", { class: "cardlist" }, ...mine.map(card)) : h("p", { class: "empty" }, t("crew.empty")));
}

async function start(): Promise<void> {
  document.title = t("crew.title") + " – Hải Đăng";
  document.body.append(main);
  await signedIn();
  if (!crew) {
    const cs = (await get<{ items: any[] }>("/crews")).items;
    show(main, h("header", { class: "bar" }, h("h1", {}, t("crew.which")), switcher()), h("nav", { class: "cards" }, ...cs.map((c) => h("a", { class: "card", href: "/to/" + c.id }, h("b", {}, c.name), h("span", {}, c.call_sign)))));
    return;
  }
  const live = new Live();
  live.onstate = (up) => { link.textContent = up ? t("live.up") : t("live.down"); link.className = up ? "link up" : "link down"; if (up) flush(); };
  live.subscribe("work-orders", (f) => {
    if (f.type === "snapshot") orders.clear();
    for (const w of f.items) {
      if (w.crew === crew && w.state === "offered" && !orders.has(w.id) && f.type === "delta") navigator.vibrate?.([200, 100, 200]);
      orders.set(w.id, w);
    }
    draw();
  });
  setInterval(flush, 5000);
  navigator.geolocation?.watchPosition((p) => {
    here = p.coords;
    post(`/crews/${crew}/position`, { lat: p.coords.latitude, lon: p.coords.longitude, at: new Date(p.timestamp).toISOString() }).catch(() => {});
  }, () => {}, { enableHighAccuracy: true, maximumAge: 15000 });
  draw();
}
start().catch((e) => main.append(h("p", { class: "error", role: "alert" }, (e as Error).message)));
