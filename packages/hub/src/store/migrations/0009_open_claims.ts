import type { EngineProfile } from "../engine.ts";

export const name = "0009_open_claims";
export const breaking = false;

/** What verified notifications claim and no answer has confirmed: the sweep looks for those that lost their question. */
export function statements(_engine: EngineProfile): string[] {
  return [`CREATE INDEX payment_transactions_claimed ON payment_transactions (payment_id) WHERE claim IS NOT NULL`];
}
