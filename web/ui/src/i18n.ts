// Words of both languages; the test in ui_test.go holds their keys equal.
import vi from "./vi.json";
import en from "./en.json";

export type Lang = "vi" | "en";
const words: Record<Lang, Record<string, string>> = { vi, en };

function chosen(): Lang {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked === "en" || asked === "vi") {
    document.cookie = `lang=${asked};path=/;max-age=31536000;samesite=lax`;
    return asked;
  }
  return /(?:^|; )lang=en/.test(document.cookie) ? "en" : "vi";
}

export const lang: Lang = chosen();
document.documentElement.lang = lang;

/** t gives a text, with {name} replaced by the given values. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = words[lang][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, k) => String(values[k] ?? ""));
}

/** told gives a text, or what is called so when there are no words for it yet. */
export const told = (key: string, name: string): string => words[lang][key] ?? name;

/** pick takes the language's part of a label. */
export const pick = (l: { vi: string; en: string }): string => l[lang] || l.vi;

const locale = lang === "vi" ? "vi-VN" : "en-GB";

/** num groups by thin spaces in Vietnamese, where a point would be read as a decimal. */
export const num = (x: number, decimals = 1): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: decimals }).formatToParts(x)
    .map((p) => (p.type === "group" && lang === "vi" ? "\u202f" : p.value)).join("");

/** when says a time in the zone in which people here live: 22/11/2026 14:05. */
export function when(iso: string | Date, seconds = false): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Asia/Ho_Chi_Minh", day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  }).formatToParts(new Date(iso));
  const p = (type: string) => parts.find((x) => x.type === type)!.value;
  return `${p("day")}/${p("month")}/${p("year")} ${p("hour")}:${p("minute")}` + (seconds ? ":" + p("second") : "");
}

/** ago says how long since. */
export function ago(iso: string): string {
  const s = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
  if (s < 60) return t("ago.s", { n: Math.floor(s) });
  if (s < 3600) return t("ago.m", { n: Math.floor(s / 60) });
  if (s < 86400) return t("ago.h", { n: Math.floor(s / 3600) });
  return t("ago.d", { n: Math.floor(s / 86400) });
}

/** switcher is the link to the other language. */
export function switcher(): HTMLAnchorElement {
  const a = document.createElement("a");
  const to = lang === "vi" ? "en" : "vi";
  const u = new URL(location.href);
  u.searchParams.set("lang", to);
  a.href = u.toString();
  a.lang = to;
  a.className = "lang";
  a.textContent = to === "en" ? "English" : "Tiếng Việt";
  return a;
}
