// What devices say happened, in words.
import { told } from "./i18n";

/** Event is something that a device says happened; data hides what tells a person. */
export interface Event { ts: string; type: string; lateness: string; severity?: string; data?: Record<string, unknown> }

/** eventName is an event's type in words, or as the device sent it. */
export const eventName = (e: Event): string => told("event." + e.type + (e.type === "connection" ? "." + e.data?.state : ""), e.type);

/** leaves are the members of data by their path: vehicle.owner_name. */
const leaves = (v: unknown, path: string): string[] =>
  v !== null && typeof v === "object" ? Object.entries(v).flatMap(([k, x]) => leaves(x, path ? `${path}.${k}` : k)) : [`${path}: ${v}`];

/** dataText is what an event tells beside its type, on one line. */
export const dataText = (e: Event): string => leaves(e.data ?? {}, "").join(" · ");

/** hides says whether something of an event is hidden: what hides it are dots. */
export const hides = (e: Event): boolean => dataText(e).includes("•");
