// Photos: made small before they travel, and never fetched as data: addresses,
// which the pages' policy (connect-src 'self') forbids.
import { h } from "./dom";
import { t } from "./i18n";

/** shrink makes a photo small enough for a bad line; it rejects what is no picture. */
export async function shrink(f: Blob, side = 1280): Promise<string> {
  const img = await createImageBitmap(f);
  const k = Math.min(1, side / Math.max(img.width, img.height));
  const c = h("canvas", { width: Math.round(img.width * k), height: Math.round(img.height * k) });
  c.getContext("2d")!.drawImage(img, 0, 0, c.width, c.height);
  return c.toDataURL("image/jpeg", 0.8);
}

/** blobOf gives the bytes that a data: address holds. */
export function blobOf(url: string): Blob {
  const [head, body] = url.split(",", 2);
  return new Blob([Uint8Array.from(atob(body ?? ""), (c) => c.charCodeAt(0))], { type: /^data:([^;]+)/.exec(head!)?.[1] ?? "image/jpeg" });
}

/** picker is a file input under words of ours: the browser's own are in its language, not the page's. */
export function picker(input: HTMLInputElement, id: string, words: string, none = t("photo.none")): HTMLElement {
  input.id = id;
  input.classList.add("unseen");
  const chosen = h("span", { class: "hint", role: "status" }, none);
  input.addEventListener("change", () => {
    const n = input.files?.length ?? 0;
    chosen.textContent = !n ? none : input.multiple ? t("photo.chosen", { n }) : input.files![0]!.name;
  });
  return h("div", { class: "picker" }, input, h("label", { for: id, class: "pick" }, words), chosen);
}
