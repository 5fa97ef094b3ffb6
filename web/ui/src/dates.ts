// Days and times as people here write them: 28/11/2026, 28/11/2026 14:05. The
// browser's own fields follow its language, not the page's.
import { t } from "./i18n";

/** readDay is 2026-11-28 for 28/11/2026; "" for nothing; null for what is no day. */
export function readDay(text: string): string | null {
  const s = text.trim();
  if (!s) return "";
  const m = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(s);
  if (!m) return null;
  const [d, mo, y] = [+m[1]!, +m[2]!, +m[3]!];
  const at = new Date(Date.UTC(y, mo - 1, d));
  if (y < 1000 || at.getUTCMonth() !== mo - 1 || at.getUTCDate() !== d) return null; // 31/02
  return at.toISOString().slice(0, 10);
}

/** readYearly is 09-02 for 02/09, a day of each year, and else as readDay. */
export function readYearly(text: string): string | null {
  const m = /^(\d{1,2})[/.-](\d{1,2})$/.exec(text.trim());
  return m ? readDay(`${m[1]}/${m[2]}/2024`)?.slice(5) ?? null : readDay(text); // 2024 has a 29 February
}

/** sayDay is 28/11/2026 for 2026-11-28, and 02/09 for 09-02. */
export const sayDay = (iso: string): string => iso.split("-").reverse().join("/");

/** dayStart reads 28/11/2026 as the beginning of that day in Vietnam, or of one after it; nothing is undefined. */
export function dayStart(text: string, after = 0): string | undefined {
  const iso = readDay(text);
  if (iso === null) throw new Error(t("form.noday"));
  return iso ? new Date(Date.parse(iso + "T00:00:00+07:00") + after * 864e5).toISOString() : undefined;
}

/** readTime is an RFC 3339 time for 28/11/2026 14:05 in Vietnam; "" for nothing; null for what is none. */
export function readTime(text: string): string | null {
  const s = text.trim();
  if (!s) return "";
  const m = /^(\S+)(?:\s+(\d{1,2}):(\d{2}))?$/.exec(s), day = m && readDay(m[1]!);
  if (!m || !day || +(m[2] ?? 0) > 23 || +(m[3] ?? 0) > 59) return null;
  return `${day}T${(m[2] ?? "0").padStart(2, "0")}:${m[3] ?? "00"}:00+07:00`;
}

/** wrongDay says what is wrong with a day; "" when it is one, or none. */
export const wrongDay = (text: string): string => (readDay(text) === null ? t("form.noday") : "");

/** wrongTime says what is wrong with a time; "" when it is one, or none. */
export const wrongTime = (text: string): string => (readTime(text) === null ? t("form.notime") : "");
