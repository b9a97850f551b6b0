import { Worker } from "node:worker_threads";

/** The log is moved when it holds so many pages (4 MiB) that are not in the file yet. */
const PAGES = 1_000;
/** The thread is not asked more often than this. */
const ASK_MS = 50;
/** Whatever the thread does not manage, the writer does itself when the log has grown to this (64 MiB). */
export const CHECKPOINT_BY_WRITER_PAGES = 16_000;

/** Plain JavaScript on purpose: a thread made from a string starts from sources and from a build alike. */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const { createRequire } = require("node:module");
const Database = createRequire(workerData.base)("better-sqlite3");
const db = new Database(workerData.file, { fileMustExist: true, timeout: 1000 });
db.pragma("synchronous = FULL");
parentPort.on("message", (word) => {
  if (word === "close") {
    db.close();
    parentPort.close();
    return;
  }
  const [{ log, checkpointed }] = db.pragma("wal_checkpoint(NOOP)");
  if (log - checkpointed >= workerData.pages) db.pragma("wal_checkpoint(PASSIVE)");
  parentPort.postMessage("done");
});`;

/**
 * Moves the write-ahead log into the database file from a thread of its own: its two syncs take long, and whoever waits for an answer would wait
 * for them (bench `ingest.p99_half_load`). It neither blocks the writer nor waits for it. The log begins anew when all of it is in the
 * file as a commit begins; where commits leave no such moment, the writer's own checkpoint makes one, with little left to move.
 */
export class Checkpoints {
  #worker: Worker | undefined;
  readonly #gone: Promise<void>;
  #asked_at = 0;
  #busy = false;
  /** Something was committed since the thread looked. */
  #behind = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string) {
    const worker = new Worker(THREAD, { eval: true, workerData: { file, base: import.meta.url, pages: PAGES } });
    // It keeps nobody from ending.
    worker.unref();
    worker.on("message", () => {
      this.#busy = false;
      if (this.#behind) this.#ask();
    });
    // Nothing hangs on it: without it the writer's own checkpoints do.
    worker.once("error", () => (this.#worker = undefined));
    this.#gone = new Promise((resolve) => worker.once("exit", () => resolve()));
    this.#worker = worker;
  }

  /** To be called after each commit: the last one of many is looked at as surely as the first. */
  committed(): void {
    this.#behind = true;
    if (!this.#busy && !this.#timer) this.#ask();
  }

  #ask(): void {
    this.#timer = undefined;
    if (!this.#worker) return;
    const early = this.#asked_at + ASK_MS - performance.now();
    if (early > 0) {
      this.#timer = setTimeout(() => this.#ask(), early).unref();
      return;
    }
    this.#asked_at = performance.now();
    this.#busy = true;
    this.#behind = false;
    this.#worker.postMessage("committed");
  }

  /** Resolves when the thread has let go of the file. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    this.#worker = undefined;
    clearTimeout(this.#timer);
    worker.ref();
    worker.postMessage("close");
    await this.#gone;
  }
}
