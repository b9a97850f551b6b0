import type { Context } from "./context.ts";
import { digits } from "./context.ts";
import type { Bank } from "./transaction.ts";

/** Head of each bank's numbers in this sandbox, and how many digits a merchant may choose after it (midtrans.md §2). */
const SHAPES: Readonly<Record<Bank, { readonly head: string; readonly min: number; readonly max: number }>> = {
  bca: { head: "91019", min: 6, max: 11 },
  bni: { head: "98810101", min: 8, max: 8 },
  bri: { head: "26215", min: 13, max: 13 },
  cimb: { head: "1899", min: 12, max: 12 },
  permata: { head: "877800", min: 10, max: 10 },
};

/** A number of this bank that no transaction has. A wish that is too long is cut, too short is filled with zeros, taken is silently not granted. */
export function newVaNumber(context: Context, bank: Bank, wish: unknown): string {
  const { head, min, max } = SHAPES[bank];
  const wished = typeof wish === "string" || typeof wish === "number" ? String(wish).replace(/\D/g, "").slice(0, max) : "";
  const taken = (number: string): boolean => context.world.store.withKey("transaction", `any ${number}`).length > 0;
  if (wished !== "") {
    const number = head + wished.padStart(min, "0");
    if (!taken(number)) return number;
  }
  for (;;) {
    const number = head + digits(context, min);
    if (!taken(number)) return number;
  }
}
