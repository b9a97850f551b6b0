/** Schemes that run or carry content of their own instead of leading somewhere. */
const NEVER = new Set(["javascript:", "data:", "vbscript:", "blob:", "file:", "about:"]);

/**
 * An address that may stand in a link: absolute and not executable. Schemes of apps (`gojek://…`, `shop://…`) are meant to pass.
 * Undefined where it may not; the caller then shows no link.
 */
export function safeLink(url: string | null | undefined): string | undefined {
  if (!url) return undefined;
  try {
    return NEVER.has(new URL(url).protocol) ? undefined : url;
  } catch {
    return undefined;
  }
}
