// What forms choose from: types, areas, agencies, categories, asked for once a
// page and anew after a change.
import { get } from "./api";
import { Choice } from "./choose";
import { lang, pick } from "./i18n";

export interface Label { vi: string; en: string }
export interface Metric { name: string; label: Label; unit: string; min: number; max: number; decimals: number; kind: string; headline: boolean }
export interface DeviceType { id: string; name: Label; interval_s: number; contract: string; decoder: string; mobile: boolean; open: boolean; dashboard: { metrics: string[]; window_s: number }; metrics: Metric[]; shipped: boolean; edited: boolean; version: number }
/** AtWork says whether people work now, and until when that stays so. */
export interface AtWork { working: boolean; until?: string }
export interface Agency { id: string; name: string; name_en: string; phone?: string; email?: string; zalo?: string; areas: string[]; categories: string[]; calendar?: string; retired: boolean; now?: AtWork }
export interface Area { code: string; name: string; name_en: string; type_name: Label; parent_name?: string }
export interface Category { id: string; name: Label }

const asked = new Map<string, Promise<any[]>>();

/** all gives every item of a list, page by page. */
export async function all<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  for (let cursor = ""; ;) {
    const page = await get<{ items: T[]; next?: string }>(path + (cursor && (path.includes("?") ? "&" : "?") + "cursor=" + encodeURIComponent(cursor)));
    items.push(...page.items);
    if (!(cursor = page.next ?? "")) return items;
  }
}

function once<T>(path: string): Promise<T[]> {
  const known = asked.get(path);
  if (known) return known;
  const now = all<T>(path);
  now.catch(() => asked.delete(path)); // what failed is asked again
  asked.set(path, now);
  return now;
}

/** changed has what forms choose from asked anew. */
export const changed = (): void => asked.clear();

export const types = () => once<DeviceType>("/device-types");
export const areas = () => once<Area>("/areas?limit=1000");
export const agencies = () => once<Agency>("/agencies?retired=true");
export const calendars = () => once<{ id: string; name: string; name_en: string }>("/calendars");
export const categories = () => once<Category>("/report-categories");

/** named is a thing's name in the reader's language. */
export const named = (x: { name: string; name_en?: string }): string => (lang === "vi" ? x.name : x.name_en) || x.name;

export const typeChoices = async (): Promise<Choice[]> => (await types()).map((x) => ({ value: x.id, label: pick(x.name), hint: x.id }));
export const areaChoices = async (): Promise<Choice[]> => (await areas()).map((x) => ({ value: x.code, label: named(x), hint: [pick(x.type_name), x.parent_name].filter(Boolean).join(", ") }));
export const categoryChoices = async (): Promise<Choice[]> => (await categories()).map((x) => ({ value: x.id, label: pick(x.name), hint: x.id }));

/** agencyChoices are those that can be given something new, and the one that a thing has. */
export const agencyChoices = async (has = ""): Promise<Choice[]> => (await agencies()).filter((x) => !x.retired || x.id === has).map((x) => ({ value: x.id, label: named(x), hint: x.id }));
