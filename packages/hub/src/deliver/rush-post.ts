import { Worker } from "node:worker_threads";
import { MINUTE_MS } from "@lunas/domain";
import type { Post, Order, Tried } from "./post.ts";
import type { Numbered, Told, ThreadData } from "./post-thread.ts";

/** So many tries under way at once are a rush: signing and sending them is then half of the hub's work (bench `deliver`). */
export const RUSH = 24;
/** A thread that has had nothing to do for so long is let go. */
const QUIET_MS = 1 * MINUTE_MS;
/** After one that died by itself, the next one is not made sooner than this. */
const AGAIN_MS = 10_000;

export interface RushPostOptions extends ThreadData {
  /** Sends what is no rush, and all while the thread is not there yet. */
  readonly inline: Post;
  /** The thread has ended by itself. What it had under way is sent without it. */
  lost(error: Error): void;
  readonly makeThread?: (data: ThreadData) => Worker;
  readonly quiet_ms?: number;
}

/**
 * Sends few orders where they come from, and many from a thread of their own: then the loop that takes payments in and writes results down does
 * neither the signatures nor the network. The thread is made when there is a rush and let go after it.
 */
export class RushPost {
  readonly #options: RushPostOptions;
  #thread: Thread | undefined;
  #running = 0;
  #not_before = 0;
  #quiet: NodeJS.Timeout | undefined;

  constructor(options: RushPostOptions) {
    this.#options = options;
  }

  readonly post: Post = async (order) => {
    this.#running += 1;
    try {
      return (await this.#threadFor(this.#running)?.send(order)) ?? (await this.#options.inline(order));
    } finally {
      this.#running -= 1;
      if (this.#running === 0 && this.#thread) this.#quiet ??= setTimeout(() => void this.close(), this.#options.quiet_ms ?? QUIET_MS).unref();
    }
  };

  /** The thread, when it is worth its while and ready. */
  #threadFor(running: number): Thread | undefined {
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    if (running < RUSH) return undefined;
    if (!this.#thread && performance.now() >= this.#not_before) {
      const { makeThread = startThread, allow, lost } = this.#options;
      const thread = new Thread(makeThread({ allow }), (error) => {
        if (this.#thread !== thread) return;
        this.#thread = undefined;
        this.#not_before = performance.now() + AGAIN_MS;
        lost(error);
      });
      this.#thread = thread;
    }
    return this.#thread?.ready === true ? this.#thread : undefined;
  }

  /** Lets the thread go. Nothing may be under way any more. */
  async close(): Promise<void> {
    clearTimeout(this.#quiet);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.end();
  }
}

export function startThread(data: ThreadData): Worker {
  return new Worker(new URL("./post-thread.ts", import.meta.url), { workerData: data });
}

class Thread {
  ready = false;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (tried: Tried | undefined) => void>();
  #count = 0;
  #outgoing: Numbered[] = [];

  constructor(worker: Worker, ended: (error: Error) => void) {
    this.#worker = worker;
    // It keeps nobody from ending: who waits for a result does.
    worker.unref();
    let error = new Error("the thread has ended");
    worker.on("message", (message: "ready" | readonly Told[]) => {
      if (message === "ready") this.ready = true;
      else for (const [number, tried] of message) this.#settle(number, tried);
    });
    worker.once("error", (thrown) => (error = thrown instanceof Error ? thrown : new Error(String(thrown))));
    worker.once("exit", () => {
      ended(error);
      for (const number of this.#waiting.keys()) this.#settle(number, undefined);
    });
  }

  /**
   * @returns undefined when the thread has ended before it told what came of it. Whether it was sent nobody knows then: it may be sent again, under
   * the same id. That is no failure of the endpoint, and must not count as one.
   */
  send(order: Order): Promise<Tried | undefined> {
    return new Promise((resolve) => {
      this.#count += 1;
      this.#waiting.set(this.#count, resolve);
      if (this.#outgoing.length === 0) setImmediate(() => this.#worker.postMessage(this.#outgoing.splice(0)));
      this.#outgoing.push([this.#count, order]);
    });
  }

  #settle(number: number, tried: Tried | undefined): void {
    this.#waiting.get(number)?.(tried);
    this.#waiting.delete(number);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
