import { invariant } from "@lunas/domain";
import { StoreError, type StoreFault } from "./codec.ts";

export interface GroupCommitOptions<Item, Result> {
  /** Handles all items or none, and gives one result per item, in their order. */
  readonly flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How many items share one flush at most. */
  readonly max_items: number;
  /** How many flushes may be under way at once. Default: one. More are for items that have nothing to do with one another. */
  readonly at_once?: number;
  /** What an item weighs, and how much may share one flush; one alone may weigh more. Default: nothing weighs anything. */
  readonly weight?: { of(item: Item): number; readonly max: number };
  /** While `wanted`, a group waits for so many items, but no longer than so many milliseconds: fewer flushes, when there are many of them. */
  readonly company?: { readonly items: number; readonly ms: number; wanted(): boolean };
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Faults of the database as a whole: a smaller group would fail in the same way. */
const OF_ALL: ReadonlySet<StoreFault> = new Set(["unavailable", "read_only", "full"]);

/**
 * Collects items while a flush is under way and flushes them together, so that many requests share one commit.
 * When a flush fails for a reason that may lie in one item, the group is halved until that item stands alone: only it is rejected.
 *
 *     const inbox = new GroupCommit({ flush: (records) => store.recordNotifications(records), max_items: 200 });
 *     const { repeated } = await inbox.add(record);
 */
export class GroupCommit<Item, Result> {
  #options: GroupCommitOptions<Item, Result>;
  #queue: Waiting<Item, Result>[] = [];
  readonly #running = new Set<Promise<void>>();
  /** What a group waits for, and how the item that completes it says so. */
  #gathering: { readonly done: Promise<void>; readonly enough: () => void } | undefined;

  constructor(options: GroupCommitOptions<Item, Result>) {
    invariant(options.max_items >= 1, "a group holds one item at least");
    this.#options = options;
  }

  /** How many items wait for the next flush. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Resolves with the item's result once its flush is done. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      if (this.#queue.length >= (this.#options.company?.items ?? Infinity)) this.#gathering?.enough();
      if (this.#running.size < (this.#options.at_once ?? 1)) this.#start();
    });
  }

  /** Resolves when nothing waits and nothing is under way: for a hub that stops. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #start(): void {
    const running = this.#drain(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #drain(ended: () => void): Promise<void> {
    while (this.#queue.length > 0) {
      // One turn of the loop, so that whatever arrives in it comes along.
      await turn();
      await this.#company();
      const group = this.#queue.splice(0, this.#groupSize());
      // Another drain may have taken them all while this one waited for its turn.
      if (group.length > 0) await this.#flush(group);
    }
    // Nothing is awaited between the last look at the queue and here: no item can be left behind.
    ended();
  }

  #company(): Promise<void> | undefined {
    const { company } = this.#options;
    if (!company?.wanted() || this.#queue.length >= company.items) return undefined;
    if (!this.#gathering) {
      const { promise: done, resolve: enough } = Promise.withResolvers<void>();
      // By a timer and not by turns of the loop: whoever else needs the core has it meanwhile.
      const timer = setTimeout(enough, company.ms);
      this.#gathering = { done, enough };
      void done.then(() => {
        clearTimeout(timer);
        this.#gathering = undefined;
      });
    }
    return this.#gathering.done;
  }

  #groupSize(): number {
    const { max_items, weight } = this.#options;
    const most = Math.min(max_items, this.#queue.length);
    if (!weight) return most;
    let sum = 0;
    for (let size = 0; size < most; size += 1) {
      sum += weight.of(this.#queue[size]!.item);
      if (sum > weight.max) return Math.max(1, size);
    }
    return most;
  }

  async #flush(group: readonly Waiting<Item, Result>[]): Promise<void> {
    let results: readonly Result[];
    try {
      results = await this.#options.flush(group.map(({ item }) => item));
    } catch (error) {
      if (group.length > 1 && !(error instanceof StoreError && OF_ALL.has(error.fault))) {
        const half = Math.ceil(group.length / 2);
        await this.#flush(group.slice(0, half));
        await this.#flush(group.slice(half));
      } else {
        for (const { reject } of group) reject(error);
      }
      return;
    }
    // It is done, whatever it says: doing it again in halves could do it twice.
    const given = results.length;
    group.forEach(({ resolve, reject }, index) => {
      if (given === group.length) resolve(results[index]!);
      else reject(new Error(`a flush of ${group.length} items gave ${given} results`));
    });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
