import type { EngineProfile } from "../engine.ts";

export const name = "0003_payment_transactions";
/** An older program asks about one transaction of a payment only, as it always did. */
export const breaking = false;

/**
 * One reference may own several transactions at its gateway. Here is every one that was seen under a payment beside the one that the payment
 * is known by, and what verified notifications claim while no answer has confirmed it. Notifications that name no transaction have the id ''.
 */
export function statements({ type: { int, text } }: EngineProfile): string[] {
  return [
    `CREATE TABLE payment_transactions (
      payment_id ${text} NOT NULL REFERENCES payments (id), provider_id ${text} NOT NULL, status ${text}, absent ${int} NOT NULL, claim ${text},
      seen_at ${int} NOT NULL, asked_at ${int}, PRIMARY KEY (payment_id, provider_id))`,
  ];
}
