import { MINUTE_MS, SECOND_MS } from "@lunas/domain";
import { type Breaker, newBreaker, onFailure, onSuccess, permit } from "./breaker.ts";
import type { ClaimedDelivery, Target } from "./claim.ts";

/** Tries of one endpoint at once. */
const CONCURRENCY = 16;
/** How many an endpoint may hold, waiting, under way and not yet written: few while nothing is known of it, more the better it answers. */
const WINDOW_MIN = CONCURRENCY;
const WINDOW_MAX = 32 * CONCURRENCY;
/** By so much more for each that it takes: three times as many with every window. */
const WINDOW_STEP = 2;
/** A delivery that has waited in its lane for this long is given back, well before its lease ends. */
const PATIENCE_MS = 1 * MINUTE_MS;
/** While a probe decides, the others are given back for this long. */
const PROBE_WAIT_MS = 1 * SECOND_MS;
/** Lanes without work are forgotten when there are more than this. */
const LANES_KEPT = 1_000;

interface Held {
  readonly delivery: ClaimedDelivery;
  readonly target: Target;
  readonly body: string;
  readonly since: number;
  /** Over: tried or given back, which the database is being told. */
  at: "waiting" | "under way" | "over";
}

interface Lane {
  queue: Held[];
  /** By id, what was wished for anew while it was under way, or claimed anew before it was let go: its turn comes when that has happened. */
  again: Map<string, Held>;
  /** Of the endpoint as it was last seen: what is queued is to be sent by this one. */
  version: number;
  /** Held at all: in the queue, under way, or not yet written. */
  held: number;
  running: number;
  window: number;
  breaker: Breaker;
}

export interface LanesOptions<Result> {
  /** The clock of the breakers. */
  now(): number;
  send(delivery: ClaimedDelivery, target: Target, body: string): Promise<Result>;
  /** Whether the endpoint took it. */
  delivered(result: Result): boolean;
  /** Resolves when the result is in the database. */
  save(result: Result): Promise<void>;
  /** Gives deliveries back that were not tried. */
  release(deliveries: readonly ClaimedDelivery[], wait_ms: number): Promise<void>;
  /** A result or a release could not be written: the lease will end. */
  lost(error: unknown, delivery: ClaimedDelivery): void;
  /** Something of this endpoint was finished; there may be room again. */
  settled(endpoint_id: string): void;
}

/** One lane per endpoint: its own queue, its own limit, its own breaker. What hangs in one keeps nobody else waiting. */
export class Lanes<Result> {
  readonly #options: LanesOptions<Result>;
  readonly #lanes = new Map<string, Lane>();
  readonly #held = new Map<string, Held>();
  #count = 0;
  #running = 0;
  #stopped: (() => void) | undefined;
  #stopping = false;

  constructor(options: LanesOptions<Result>) {
    this.#options = options;
  }

  /** Deliveries that are held, over all lanes. */
  get held(): number {
    return this.#count;
  }

  /** Tries that are under way, over all lanes. */
  get running(): number {
    return this.#running;
  }

  /** Endpoints that something is remembered of. */
  get known(): number {
    return this.#lanes.size;
  }

  /** Endpoints with something that has not begun. */
  waiting(): string[] {
    return [...this.#lanes].filter(([, lane]) => lane.queue.length > 0 || lane.again.size > 0).map(([id]) => id);
  }

  /**
   * Takes over the new lease of a delivery whose old one ended while its try is under way. A try that somebody wished for since it began is
   * another one: its delivery is to be added.
   * @returns false when there is none that goes on.
   */
  renew({ id, generation, lease_until, step }: ClaimedDelivery): boolean {
    const held = this.#held.get(id);
    if (held?.at !== "under way" || held.delivery.generation !== generation) return false;
    Object.assign(held.delivery, { lease_until, step });
    return true;
  }

  /** How many more an endpoint should be given now. Not few at a time: a claim costs the same for one as for many. */
  room(endpoint_id: string): number {
    const lane = this.#lanes.get(endpoint_id);
    if (!lane) return WINDOW_MIN;
    const { go } = permit(lane.breaker, this.#options.now());
    if (go === false) return 0;
    if (go === "probe") return lane.held === 0 ? 1 : 0;
    const room = lane.window - lane.held;
    return room * 2 >= lane.window ? room : 0;
  }

  /** Queues a delivery. One that is here already takes the place of what has not begun, or comes after what has. */
  add(delivery: ClaimedDelivery, target: Target, body: string): void {
    let lane = this.#lanes.get(target.id);
    if (!lane) {
      this.#forgetIdleLanes();
      lane = { queue: [], again: new Map(), version: target.version, held: 0, running: 0, window: WINDOW_MIN, breaker: newBreaker() };
      this.#lanes.set(target.id, lane);
    }
    lane.version = target.version;
    const next: Held = { delivery, target, body, since: this.#options.now(), at: "waiting" };
    const held = this.#held.get(delivery.id);
    if (held?.at === "waiting") return void Object.assign(held.delivery, delivery);
    if (!held || !lane.again.has(delivery.id)) {
      lane.held += 1;
      this.#count += 1;
    }
    if (held) return void lane.again.set(delivery.id, next);
    this.#enqueue(lane, next);
    this.#run(lane);
  }

  #enqueue(lane: Lane, held: Held): void {
    this.#held.set(held.delivery.id, held);
    lane.queue.push(held);
  }

  /** Gives back what an endpoint was to get and has not: it has been stopped, or is another one now. */
  clear(endpoint_id: string): void {
    const lane = this.#lanes.get(endpoint_id);
    if (lane) this.#giveBack(lane, 0);
  }

  /** Clears the lane of an endpoint that is not any more what is queued there was claimed for. */
  notice({ id, status, version }: Pick<Target, "id" | "status" | "version">): void {
    if (status !== "active" || this.#lanes.get(id)?.version !== version) this.clear(id);
  }

  #run(lane: Lane): void {
    while (lane.queue.length > 0 && lane.running < CONCURRENCY && !this.#stopping) {
      const now = this.#options.now();
      const may = permit(lane.breaker, now);
      if (may.go === false) return this.#giveBack(lane, may.wait_ms);
      if (now - lane.queue[0]!.since > PATIENCE_MS) return this.#giveBack(lane, 0);
      const held = lane.queue.shift()!;
      if (may.go === "probe") lane.breaker = may.begin;
      held.at = "under way";
      void this.#attempt(lane, held);
      // Half open: one probe decides about the rest.
      if (may.go === "probe") return this.#giveBack(lane, PROBE_WAIT_MS);
    }
  }

  async #attempt(lane: Lane, held: Held): Promise<void> {
    const { delivery, target, body } = held;
    lane.running += 1;
    this.#running += 1;
    let result: Result | undefined;
    try {
      result = await this.#options.send(delivery, target, body);
      this.#judge(lane, this.#options.delivered(result));
    } catch (error) {
      // Ours, not the endpoint's. A probe that was never made must not keep its lane closed.
      lane.breaker = { ...lane.breaker, probing: false };
      this.#options.lost(error, delivery);
    }
    held.at = "over";
    lane.running -= 1;
    this.#running -= 1;
    // The next try need not wait until this one's result is written.
    this.#run(lane);
    if (result !== undefined) await this.#options.save(result).catch((error: unknown) => this.#options.lost(error, delivery));
    this.#letGo(lane, [held]);
  }

  #judge(lane: Lane, delivered: boolean): void {
    const now = this.#options.now();
    lane.breaker = delivered ? onSuccess(lane.breaker, now) : onFailure(lane.breaker, now);
    lane.window = delivered ? Math.min(lane.window + WINDOW_STEP, WINDOW_MAX) : Math.max(Math.floor(lane.window / 2), WINDOW_MIN);
  }

  #giveBack(lane: Lane, wait_ms: number): void {
    const rest = [...lane.queue, ...lane.again.values()];
    lane.queue = [];
    lane.again.clear();
    if (rest.length === 0) return;
    for (const held of rest) held.at = "over";
    const deliveries = rest.map((held) => held.delivery);
    void this.#options
      .release(deliveries, wait_ms)
      .catch((error: unknown) => this.#options.lost(error, deliveries[0]!))
      .then(() => this.#letGo(lane, rest));
  }

  #letGo(lane: Lane, gone: readonly Held[]): void {
    lane.held -= gone.length;
    this.#count -= gone.length;
    for (const held of gone) {
      const { id } = held.delivery;
      // What came after another try of the same delivery was never in its place.
      if (this.#held.get(id) !== held) continue;
      this.#held.delete(id);
      const next = lane.again.get(id);
      if (lane.again.delete(id)) this.#enqueue(lane, next!);
    }
    if (this.#stopping) this.#giveBack(lane, 0);
    else this.#run(lane);
    if (this.#count === 0) this.#stopped?.();
    this.#options.settled(gone[0]!.delivery.endpoint_id);
  }

  /** A lane without work and without an open breaker is as good as a new one. */
  #forgetIdleLanes(): void {
    if (this.#lanes.size < LANES_KEPT) return;
    for (const [id, lane] of this.#lanes) if (lane.held === 0 && lane.breaker.open_until === undefined) this.#lanes.delete(id);
  }

  /** Gives back what has not begun and waits for what has. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const lane of this.#lanes.values()) this.#giveBack(lane, 0);
    if (this.#count > 0) await new Promise<void>((resolve) => (this.#stopped = resolve));
  }
}
