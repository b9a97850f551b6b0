import type { FaultRule, LogEntry, Sandbox } from "../../packages/sandbox/src/index.ts";

/** What goes wrong while the load lasts: at every place where something can. */
export const FAULTS: readonly Omit<FaultRule, "provider">[] = [
  { fault: "duplicate", on: "notification", probability: 0.3 },
  { fault: "drop", on: "notification", probability: 0.15 },
  { fault: "reorder", on: "notification", probability: 0.15, ms: 1_000 },
  { fault: "forge-signature", on: "notification", probability: 0.1 },
  { fault: "forge-status", on: "notification", probability: 0.1 },
  { fault: "wrong-amount", on: "notification", probability: 0.07 },
  { fault: "foreign-merchant", on: "notification", probability: 0.07 },
  { fault: "http-5xx", on: "api", probability: 0.05 },
  { fault: "reset", on: "api", probability: 0.04 },
  { fault: "garbage", on: "api", probability: 0.04 },
  { fault: "timeout-after-success", on: "api", probability: 0.05, ms: 400 },
  { fault: "slow", on: "api", probability: 0.08, ms: 500 },
  { fault: "lagging-status", on: "api", probability: 0.2 },
];

export function faultName(rule: Pick<FaultRule, "fault" | "on">): string {
  return `${rule.on} ${rule.fault}`;
}

/** The faults of an entry that had their effect: the first of these keeps the others from theirs, and what met a dead hub met nobody. */
function effective(entry: LogEntry): readonly string[] {
  const { kind, faults, outcome, http_status } = entry;
  if (kind === "request") {
    const barred = faults.find((fault) => fault === "reset" || fault === "http-5xx");
    return barred ? [barred] : faults;
  }
  if (outcome === "dropped") return ["drop"];
  if (outcome === "held") return ["reorder"];
  return http_status === null ? [] : faults;
}

/** Counts from the sandbox's own log how often each fault has struck. */
export class Strikes {
  readonly #sandbox: Sandbox;
  readonly #counts = new Map<string, number>(FAULTS.map((rule) => [faultName(rule), 0]));
  #seen = 0;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** By `place fault`, with a zero for one that has not struck yet. */
  count(): Readonly<Record<string, number>> {
    for (const entry of this.#sandbox.log(this.#seen)) {
      this.#seen = entry.seq;
      const place = entry.kind === "request" ? "api" : "notification";
      for (const fault of effective(entry)) this.#counts.set(`${place} ${fault}`, (this.#counts.get(`${place} ${fault}`) ?? 0) + 1);
    }
    return Object.fromEntries(this.#counts);
  }

  /** Faults that have not struck. */
  missing(): string[] {
    return Object.entries(this.count()).flatMap(([name, times]) => (times === 0 ? [name] : []));
  }
}
