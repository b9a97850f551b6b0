import { LunasError } from "@lunas/domain";
import { z } from "zod";

export const PAGE_MAX = 100;
const PAGE_DEFAULT = 20;

/** The query of every list: newest first, `cursor` is the `next_cursor` of the page before. */
export const pageQuery = {
  limit: z.coerce
    .number({ error: `must be a whole number from 1 to ${PAGE_MAX}` })
    .int()
    .min(1)
    .max(PAGE_MAX)
    .default(PAGE_DEFAULT)
    .describe("Rows of one page."),
  cursor: z.string().max(200).optional().describe("`next_cursor` of the page before."),
};

export interface Page<T> {
  readonly data: T[];
  readonly next_cursor: string | null;
}

/** The last id of a page, made opaque: nobody should build one. */
export function encodeCursor(id: string): string {
  return Buffer.from(id).toString("base64url");
}

/** @throws LunasError invalid_request */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, "base64url").toString("utf8");
  if (/^[a-z]{3}_[0-9a-z]{22}$/.test(id) && encodeCursor(id) === cursor) return id;
  throw new LunasError("invalid_request", {
    errors: [{ field: "cursor", message: "is not a cursor of this API; allowed is the `next_cursor` of a page" }],
  });
}

/** @param rows one more than `limit`, where there are more. */
export function pageOf<Row, T>(rows: readonly Row[], limit: number, id: (row: Row) => string, view: (row: Row) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(view), next_cursor: rows.length > limit && last !== undefined ? encodeCursor(id(last)) : null };
}

/** A page of what is shown as it was read. */
export function pageOfViews<T extends { readonly id: string }>(views: readonly T[], limit: number): Page<T> {
  return pageOf(
    views,
    limit,
    (view) => view.id,
    (view) => view,
  );
}
