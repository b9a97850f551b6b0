import { afterEach, expect, test, vi } from "vitest";
import { preferredLanguage, rememberedLanguage, rememberLanguage } from "./language.ts";
import { en } from "./texts/en.ts";
import { id } from "./texts/id.ts";

test.each([
  [["id-ID", "en"], "id"],
  [["in"], "id"],
  [["jv-ID", "en-US"], "id"],
  [["en-GB", "id"], "en"],
  [["de", "id-ID"], "id"],
  [["de-DE"], "en"],
  [[], "en"],
] as const)("a browser that wants %j gets %s", (languages, language) => {
  expect(preferredLanguage(languages)).toBe(language);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the choice is remembered, and a stranger's word in the storage is not taken for one", () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  });
  expect(rememberedLanguage()).toBeUndefined();
  rememberLanguage("en");
  expect(rememberedLanguage()).toBe("en");
  for (const key of kept.keys()) kept.set(key, "fr");
  expect(rememberedLanguage()).toBeUndefined();
});

test("where the browser forbids storage nothing is remembered and nothing breaks", () => {
  const forbidden = (): never => {
    throw new DOMException("denied", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: forbidden, setItem: forbidden });
  expect(() => rememberLanguage("id")).not.toThrow();
  expect(rememberedLanguage()).toBeUndefined();
});

/** Every text with its path; functions are called with samples. */
function spoken(texts: object, path = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(texts) as [string, unknown][]) {
    const here = `${path}${key}`;
    if (typeof value === "string") all.set(here, value);
    else if (typeof value === "function") all.set(here, String((value as (...samples: unknown[]) => unknown)("7", "8")));
    else for (const [inner, text] of spoken(value as object, `${here}.`)) all.set(inner, text);
  }
  return all;
}

test("both languages say everything, and say it differently", () => {
  const english = spoken(en);
  const indonesian = spoken(id);
  expect([...indonesian.keys()]).toEqual([...english.keys()]);
  expect([...english.values(), ...indonesian.values()].filter((text) => text.trim() === "" || text.includes("undefined"))).toEqual([]);
  const same = [...english].filter(([key, text]) => indonesian.get(key) === text).map(([key]) => key);
  expect(same.sort()).toEqual(["choose.groups.qris", "choose.groups.virtual_account", "page.total", "va_paths.bri"]);
});
