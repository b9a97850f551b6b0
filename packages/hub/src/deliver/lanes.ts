import { MINUTE_MS, SECOND_MS } from "@lunas/domain";
import { type Breaker, newBreaker, onFailure, onSuccess, permit } from "./breaker.ts";
import type { DeliveryRow, EndpointRow } from "./claim.ts";

/** Tries of one endpoint at once. */
const LANE_CONCURRENCY = 16;
/** With so many held, an endpoint is left out of the next claim. */
const LANE_HELD_MAX = 48;
/** A delivery that has waited in its lane for this long is given back, well before its lease ends. */
const LANE_PATIENCE_MS = 1 * MINUTE_MS;

interface Held {
  readonly delivery: DeliveryRow;
  readonly endpoint: EndpointRow;
  readonly body: string;
  readonly since: number;
}

interface Lane {
  readonly queue: Held[];
  running: number;
  breaker: Breaker;
}

interface LanesOptions {
  now(): number;
  attempt(delivery: DeliveryRow, endpoint: EndpointRow, body: string): Promise<boolean>;
  release(deliveries: readonly DeliveryRow[], wait_ms: number): Promise<void>;
  lost(error: unknown, delivery: DeliveryRow): void;
  settled(): void;
}

/** One lane per endpoint: its own queue, its own limit, its own breaker. */
export class Lanes {
  #lanes = new Map<string, Lane>();
  #options: LanesOptions;
  #running = new Set<Promise<void>>();
  #stopping = false;
  held = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /** Endpoints that should get no more for now. */
  busy(): string[] {
    const now = this.#options.now();
    return [...this.#lanes].filter(([, lane]) => lane.queue.length + lane.running >= LANE_HELD_MAX || permit(lane.breaker, now).open).map(([id]) => id);
  }

  add(delivery: DeliveryRow, endpoint: EndpointRow, body: string): void {
    let lane = this.#lanes.get(endpoint.id);
    if (!lane) this.#lanes.set(endpoint.id, (lane = { queue: [], running: 0, breaker: newBreaker() }));
    lane.queue.push({ delivery, endpoint, body, since: this.#options.now() });
    this.held += 1;
    this.#run(lane);
  }

  #run(lane: Lane): void {
    while (lane.queue.length > 0 && lane.running < LANE_CONCURRENCY && !this.#stopping) {
      const now = this.#options.now();
      const { open, wait_ms, breaker, probe } = permit(lane.breaker, now);
      lane.breaker = breaker;
      if (open) return this.#giveBack(lane, wait_ms);
      const held = lane.queue.shift()!;
      if (now - held.since > LANE_PATIENCE_MS) {
        lane.queue.unshift(held);
        return this.#giveBack(lane, 0);
      }
      this.#start(lane, held);
      // Half open: one probe decides about the rest.
      if (probe) return this.#giveBack(lane, 1 * SECOND_MS);
    }
  }

  #start(lane: Lane, held: Held): void {
    lane.running += 1;
    const done = this.#options
      .attempt(held.delivery, held.endpoint, held.body)
      .then((delivered) => {
        const now = this.#options.now();
        lane.breaker = delivered ? onSuccess(lane.breaker, now) : onFailure(lane.breaker, now);
      })
      .catch((error: unknown) => this.#options.lost(error, held.delivery))
      .finally(() => {
        lane.running -= 1;
        this.held -= 1;
        this.#running.delete(done);
        this.#run(lane);
        if (lane.queue.length < LANE_CONCURRENCY) this.#options.settled();
      });
    this.#running.add(done);
  }

  #giveBack(lane: Lane, wait_ms: number): void {
    const rest = lane.queue.splice(0);
    if (rest.length === 0) return;
    const done = this.#options
      .release(rest.map((held) => held.delivery), wait_ms)
      .catch((error: unknown) => this.#options.lost(error, rest[0]!.delivery))
      .finally(() => {
        this.held -= rest.length;
        this.#running.delete(done);
        this.#options.settled();
      });
    this.#running.add(done);
  }

  /** Gives back what has not begun and waits for what has. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const lane of this.#lanes.values()) this.#giveBack(lane, 0);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
