import type { EngineProfile } from "../engine.ts";

export const name = "0006_delivery_generations";
export const breaking = false;

/** A resend while an attempt is under way is told from the claim that the attempt was made under, so that its result does not close what came later. */
export function statements({ type }: EngineProfile): string[] {
  return [`ALTER TABLE deliveries ADD COLUMN generation ${type.int} NOT NULL DEFAULT 0`];
}
