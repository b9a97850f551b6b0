import type { Random } from "@lunas/domain";
import { seededRandom } from "@lunas/domain";
import { z } from "zod";

/**
 * What each fault does, and to what it can be done. On `api` it meets a merchant's request to the provider, never a payer's page;
 * on `notification` one attempt of one notification. `ms` defaults to the number beside it.
 */
export const FAULTS = {
  duplicate: { on: ["notification"], ms: 0, help: "The same bytes are sent twice at the same time." },
  delay: { on: ["notification"], ms: 5_000, help: "The attempt waits `ms` of business time." },
  reorder: {
    on: ["notification"],
    ms: 5_000,
    help: "The notification is held until a later one has been sent, or `ms` of business time have passed.",
  },
  drop: { on: ["notification"], ms: 0, help: "It is never sent, and the provider believes that it was: no retry." },
  "forge-signature": { on: ["notification"], ms: 0, help: "This attempt goes out with a wrong signature; a retry is genuine again." },
  "forge-status": { on: ["notification"], ms: 0, help: "This attempt goes out with another status and a signature that fits it." },
  "wrong-amount": { on: ["notification"], ms: 0, help: "This attempt goes out with another amount and a signature that fits it." },
  "foreign-merchant": { on: ["notification"], ms: 0, help: "This attempt names another merchant; its signature fits." },
  slow: { on: ["api", "notification"], ms: 3_000, help: "The network holds the request for `ms` of real time before it arrives." },
  "http-5xx": { on: ["api"], ms: 0, help: "HTTP 503 with a page of HTML; nothing was done." },
  reset: { on: ["api", "notification"], ms: 0, help: "The connection is cut before anything was done; a notification counts as not delivered." },
  garbage: { on: ["api", "notification"], ms: 0, help: "api: it is done, but the answer is not readable. notification: the body is cut in half." },
  "timeout-after-success": {
    on: ["api", "notification"],
    ms: 20_000,
    help: "api: it is done, no answer comes, and after `ms` of real time the connection is cut. notification: it arrives, but its answer is lost.",
  },
  "lagging-status": {
    on: ["api"],
    ms: 0,
    help: "Status answers tell the state before the last change; with `ms` only for so long (business time) after it.",
  },
} as const satisfies Record<string, { on: readonly ("api" | "notification")[]; ms: number; help: string }>;

export type FaultName = keyof typeof FAULTS;
export type FaultPlace = "api" | "notification";

const names = Object.keys(FAULTS) as [FaultName, ...FaultName[]];

export const faultSchema = z
  .strictObject({
    provider: z.string().min(1).max(40),
    fault: z.enum(names),
    on: z.enum(["api", "notification"]),
    /** How often it strikes; null or absent: without end. */
    times: z.int().min(0).nullish(),
    /** Of each opportunity; 1 when absent. */
    probability: z.number().min(0).max(1).nullish(),
    ms: z.number().min(0).max(86_400_000).nullish(),
    seed: z.int().nullish(),
    /** Only where this text occurs: in "METHOD /path" of a request, or in "status order_id transaction_id" of a notification. */
    match: z.string().max(200).nullish(),
  })
  .refine((rule) => (FAULTS[rule.fault].on as readonly FaultPlace[]).includes(rule.on), {
    message: "this fault does not exist on this place",
    path: ["on"],
  });

export const faultListSchema = z.array(faultSchema).max(100);
export type FaultRule = z.infer<typeof faultSchema>;

export interface StruckFault {
  readonly fault: FaultName;
  readonly ms: number;
}

interface ArmedRule {
  readonly rule: FaultRule;
  readonly random: Random;
  struck: number;
}

/** The faults that are armed. Each rule draws from its own seeded source, so that adding one does not change the others. */
export class Faults {
  #armed: ArmedRule[] = [];
  #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  set(rules: readonly FaultRule[]): void {
    this.#armed = rules.map((rule, index) => ({ rule, random: seededRandom(rule.seed ?? this.#seed + index), struck: 0 }));
  }

  list(): readonly (FaultRule & { struck: number })[] {
    return this.#armed.map(({ rule, struck }) => ({ ...rule, struck }));
  }

  /** Whether any rule of this name could still strike, without drawing. */
  armed(provider: string, fault: FaultName): boolean {
    return this.#armed.some(({ rule, struck }) => rule.provider === provider && rule.fault === fault && (rule.times ?? Infinity) > struck);
  }

  /**
   * Draws for one opportunity: every fitting rule that has strikes left decides by its probability.
   * @param only draws for this fault alone; without it, for all but `lagging-status`, which is drawn where a state is told.
   * @param age_ms for `lagging-status`: a rule with `ms` fits only below it.
   */
  draw(provider: string, place: FaultPlace, subject: string, only?: FaultName, age_ms = 0): StruckFault[] {
    const struck: StruckFault[] = [];
    for (const armed of this.#armed) {
      const { rule } = armed;
      if (rule.provider !== provider || rule.on !== place) continue;
      if (only ? rule.fault !== only : rule.fault === "lagging-status") continue;
      if (rule.match && !subject.includes(rule.match)) continue;
      if ((rule.times ?? Infinity) <= armed.struck) continue;
      if (rule.fault === "lagging-status" && rule.ms && age_ms >= rule.ms) continue;
      if (armed.random.float() >= (rule.probability ?? 1)) continue;
      armed.struck += 1;
      struck.push({ fault: rule.fault, ms: rule.ms ?? FAULTS[rule.fault].ms });
    }
    return struck;
  }
}
