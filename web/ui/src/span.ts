import { num, t } from "./i18n";

/** span says a length of time, in seconds, in its largest unit. */
export function span(seconds: number): string {
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60]] as const) if (seconds >= 2 * length) return t("span." + unit, { n: num(seconds / length, seconds % length ? 1 : 0) });
  return t("span.s", { n: num(seconds, 0) });
}
