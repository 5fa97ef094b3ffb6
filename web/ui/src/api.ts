import { lang, t } from "./i18n";

/** Problem is an RFC 9457 answer of the server. */
export class Problem extends Error {
  constructor(public status: number, message: string, public type = "about:blank", public fields: { field: string; detail: string }[] = []) { super(message); }
}

/** told is the problem in an answer, in the reader's words where they say enough. */
export async function told(res: Response): Promise<Problem> {
  const data = await res.json().catch(() => ({}));
  const ours = [403, 412, 413, 500].includes(res.status) && data.type !== "urn:haidang:code-needed";
  return new Problem(res.status, ours ? t("error." + res.status) : data.detail || data.title || String(res.status), data.type, data.errors ?? []);
}

/** spoken are the headers that ask for answers in the language of the page. */
export const spoken = { "Accept-Language": lang };

/** call asks the API; body may be an object (JSON), a form or a file. */
export async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const raw = body instanceof FormData || body instanceof Blob;
  let res: Response;
  try {
    res = await fetch("/api/v1" + path, {
      method,
      headers: body && !raw ? { ...spoken, ...headers, "Content-Type": "application/json" } : { ...spoken, ...headers },
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, t("error.offline"));
  }
  if (res.status === 204) return undefined as T;
  if (!res.ok) throw await told(res);
  return await res.json().catch(() => ({})) as T;
}

/** versioned reads a thing and the version that an edit of it names in If-Match. */
export async function versioned<T>(path: string): Promise<{ thing: T; tag: string }> {
  const res = await fetch("/api/v1" + path, { headers: spoken }).catch(() => { throw new Problem(0, t("error.offline")); });
  if (!res.ok) throw await told(res);
  return { thing: await res.json() as T, tag: res.headers.get("ETag") ?? "*" };
}

export const get = <T>(path: string) => call<T>("GET", path);
export const post = <T>(path: string, body: unknown = {}) => call<T>("POST", path, body);

/** uuid works on plain http too, where crypto.randomUUID is not. */
export function uuid(): string {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6]! & 15) | 64;
  b[8] = (b[8]! & 63) | 128;
  const x = [...b].map((n) => n.toString(16).padStart(2, "0")).join("");
  return `${x.slice(0, 8)}-${x.slice(8, 12)}-${x.slice(12, 16)}-${x.slice(16, 20)}-${x.slice(20)}`;
}
