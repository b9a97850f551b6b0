export type Language = "id" | "en";

const KEY = "lunas.checkout.language";

/** The first of the browser's languages that we speak; neighbours of Indonesian read Indonesian, everyone else English. */
export function preferredLanguage(languages: readonly string[]): Language {
  for (const tag of languages) {
    const base = tag.toLowerCase().split("-")[0] ?? "";
    // "in" is the old code of Indonesian, which Android's WebView still sends.
    if (["id", "in", "jv", "su", "ms", "min", "ban"].includes(base)) return "id";
    if (base === "en") return "en";
  }
  return "en";
}

/** What the buyer chose earlier. Reading storage throws where the browser forbids it; then nothing is remembered. */
export function rememberedLanguage(): Language | undefined {
  try {
    const word = localStorage.getItem(KEY);
    return word === "id" || word === "en" ? word : undefined;
  } catch {
    return undefined;
  }
}

export function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // The choice then holds for this page only.
  }
}
