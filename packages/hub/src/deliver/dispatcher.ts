import { MINUTE_MS, SECOND_MS } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { GroupCommit } from "../store/group-commit.ts";
import { claimDeliveries, type ClaimedDelivery, pauseDeliveries, readStates, releaseDeliveries } from "./claim.ts";
import { Lanes } from "./lanes.ts";
import { type AttemptResult, type SavedResult, saveResults } from "./results.ts";
import type { SendAttempt } from "./send.ts";

/** Longer than a delivery waits in its lane, is tried, and is written: see `Lanes`. */
const LEASE_MS = 2.5 * MINUTE_MS;
/** Deliveries that are held at once, over all endpoints. */
const HELD_MAX = 4_096;
/**
 * Results wait for one another, so that they share a commit: until they are half of all that is held (there is less to send meanwhile), or so many,
 * or for so long, but never when no more are to come.
 */
const RESULTS_PER_COMMIT = 1_024;
const RESULTS_LINGER_MS = 80;
/** Characters of answers that one commit takes: a thousand long error pages would be a statement of 16 MB, which keeps the loop from everything else. */
const ANSWERS_PER_COMMIT_CHARS = 4 * 1024 * 1024;
/** The table is looked at this often even when nothing woke us: another hub may have written. */
const IDLE_LOOK_MS = 1 * SECOND_MS;
/** Another hub may have stopped or changed an endpoint: what waits here is held against the table this often. */
const STATES_LOOK_MS = 0.5 * SECOND_MS;

export interface Dispatcher {
  /**
   * Resolves when nothing can be done at the present business time: nothing is under way, and what is due waits for a breaker. What a
   * breaker holds back does not hold this up.
   */
  idle(): Promise<void>;
  /** Waits for the tries that are under way (15 s at most) and gives the others back. */
  stop(): Promise<void>;
}

/**
 * Sends due deliveries until it is stopped. Each endpoint has a lane of its own, so that one which hangs keeps nobody else waiting.
 * Results are written many to a commit. What was sent but not written is sent again after the lease: at least once, same webhook-id.
 */
export function startDispatcher(hub: Hub, send: SendAttempt): Dispatcher {
  const dispatcher = new RunningDispatcher(hub, send);
  dispatcher.wake();
  return dispatcher;
}

class RunningDispatcher implements Dispatcher {
  readonly #hub: Hub;
  readonly #lanes: Lanes<AttemptResult>;
  readonly #results: GroupCommit<AttemptResult, SavedResult>;
  readonly #offs: readonly (() => void)[];
  /** Endpoints that were stopped or changed since the present claim began: it may have read them as they were. */
  readonly #changed = new Set<string>();
  #states_looked_at = 0;
  #lingering: (() => void)[] = [];
  #linger: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** Somebody woke us since the present look began. */
  #again = false;
  /** There is more to claim as soon as there is room. */
  #more = false;
  #nextDueAt: number | undefined;
  #stopping = false;
  /** Who waits for idleness. They wake us too, so that none of them is told by a look that began before their question. */
  #waiting: (() => void)[] = [];

  constructor(hub: Hub, send: SendAttempt) {
    this.#hub = hub;
    this.#results = new GroupCommit({
      flush: (group) => saveResults(hub, group),
      max_items: RESULTS_PER_COMMIT,
      weight: { of: ({ response_body }) => response_body?.length ?? 0, max: ANSWERS_PER_COMMIT_CHARS },
      at_once: hub.store.engine.writers,
    });
    this.#lanes = new Lanes<AttemptResult>({
      now: () => hub.clocks.business.now(),
      send,
      delivered: (result) => result.verdict === "delivered",
      save: (result) => this.#save(result),
      release: (deliveries, wait_ms) => releaseDeliveries(hub.store, deliveries, hub.clocks.business.now() + wait_ms),
      lost: (error, delivery) =>
        hub.log.error({ err: error, delivery: delivery.id }, "a delivery's result could not be written; it is sent again after its lease"),
      settled: (endpoint_id) => this.#settled(endpoint_id),
    });
    this.#offs = [
      hub.signals.on("deliveries", () => this.wake()),
      hub.signals.on("endpoint", (signal) => signal.kind === "endpoint" && this.#endpointChanged(signal.endpoint_id)),
    ];
  }

  wake(): void {
    if (this.#stopping) return;
    this.#again = true;
    if (this.#looking) return;
    clearTimeout(this.#timer);
    this.#looking = this.#look()
      .catch((error: unknown) => this.#hub.log.error({ err: error }, "the deliveries could not be read"))
      .then(() => {
        this.#looking = undefined;
        if (this.#stopping) return;
        // Who woke us in the moment between the look's end and here must not wait for the timer.
        if (this.#again) this.wake();
        else this.#rest();
      });
  }

  async #look(): Promise<void> {
    while (!this.#stopping) {
      this.#again = false;
      await this.#lookAtStates();
      const claimed = await this.#claim();
      if (!this.#again && (claimed === 0 || !this.#more)) return this.#tellIdle();
    }
  }

  /** From now on nothing begins that was claimed for the endpoint as it was. */
  #endpointChanged(endpoint_id: string): void {
    this.#changed.add(endpoint_id);
    this.#more = true;
    this.#lanes.clear(endpoint_id);
  }

  async #lookAtStates(): Promise<void> {
    const now = this.#hub.clocks.wall.now();
    if (Math.abs(now - this.#states_looked_at) < STATES_LOOK_MS) return;
    this.#states_looked_at = now;
    const waiting = this.#lanes.waiting();
    if (waiting.length === 0) return;
    for (const state of await readStates(this.#hub.store, waiting)) this.#lanes.notice(state);
  }

  async #claim(): Promise<number> {
    const { store, clocks, log } = this.#hub;
    const lanes = this.#lanes;
    this.#changed.clear();
    const total = HELD_MAX - lanes.held;
    const claim = await claimDeliveries(store, {
      now_ms: clocks.business.now(),
      lease_ms: LEASE_MS,
      total,
      room: (endpoint_id) => lanes.room(endpoint_id),
    });
    this.#more = claim.more;
    this.#nextDueAt = claim.next_due_at;
    if (this.#stopping) {
      await releaseDeliveries(store, claim.deliveries, clocks.business.now());
      return 0;
    }
    const stopped: ClaimedDelivery[] = [];
    const outdated: ClaimedDelivery[] = [];
    for (const target of claim.targets.values()) if (!this.#changed.has(target.id)) this.#lanes.notice(target);
    for (const delivery of claim.deliveries) {
      const target = claim.targets.get(delivery.endpoint_id);
      const body = claim.bodies.get(delivery.event_id);
      // Its lease ended while it was here, as when somebody moves the clock: it has a new one now, and is not begun twice.
      if (lanes.renew(delivery)) continue;
      if (!target || body === undefined) log.error({ delivery: delivery.id }, "a delivery has lost its endpoint or its event");
      else if (this.#changed.has(target.id)) outdated.push(delivery);
      else if (target.status === "active") lanes.add(delivery, target, body);
      else stopped.push(delivery);
    }
    await releaseDeliveries(store, outdated, clocks.business.now());
    const resumed = await pauseDeliveries(store, stopped);
    if (outdated.length > 0 || resumed) this.#again = true;
    return claim.deliveries.length;
  }

  async #save(result: AttemptResult): Promise<void> {
    await this.#company();
    const { stopped, more_due } = await this.#results.add(result);
    if (stopped) this.#endpointChanged(result.delivery.endpoint_id);
    if (more_due) this.#more = true;
    if (result.due_at !== null) this.#nextDueAt = Math.min(result.due_at, this.#nextDueAt ?? Infinity);
  }

  /** Resolves when it is time to write: together with the results of other tries that end about now. */
  #company(): Promise<void> {
    return new Promise((resolve) => {
      this.#lingering.push(resolve);
      const go = (): void => {
        clearTimeout(this.#linger);
        this.#linger = undefined;
        for (const one of this.#lingering.splice(0)) one();
      };
      if (this.#lanes.running === 0 || this.#lingering.length >= Math.min(RESULTS_PER_COMMIT, this.#lanes.held / 2)) go();
      else this.#linger ??= setTimeout(go, RESULTS_LINGER_MS);
    });
  }

  #settled(endpoint_id: string): void {
    if (this.#lanes.held === 0 || (this.#more && this.#lanes.room(endpoint_id) > 0)) this.wake();
  }

  #rest(): void {
    const until = this.#nextDueAt === undefined ? IDLE_LOOK_MS : this.#nextDueAt - this.#hub.clocks.business.now();
    this.#timer = setTimeout(() => this.wake(), Math.min(Math.max(until, 1), IDLE_LOOK_MS));
  }

  #tellIdle(): void {
    if (this.#lanes.held > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  idle(): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const off of this.#offs) off();
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#lanes.stop();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
