import type { EngineProfile } from "../engine.ts";

export const name = "0004_payment_closing";
/** An older program opens and closes payments as it did, without what these columns guard against. */
export const breaking = false;

/** Who is at a payment's opening, so that no second call makes void what the first one gets; and whether its closing is known for certain. */
export function statements({ type: { int } }: EngineProfile): string[] {
  return [`ALTER TABLE payments ADD COLUMN opening_until ${int}`, `ALTER TABLE payments ADD COLUMN closed_at ${int}`];
}
