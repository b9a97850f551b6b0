import { Worker } from "node:worker_threads";
import { StoreError, translateError } from "./codec.ts";
import type { SqliteConnection } from "./sqlite-dialect.ts";
import { type RecordOrder, SqliteNotifications } from "./sqlite-notifications.ts";
import type { Recorded, RecorderData } from "./sqlite-recorder-thread.ts";

/** Takes notifications in, one order at a time, while nobody else writes. */
export interface Recorder {
  /** @returns for each whether it was there before. */
  record(order: RecordOrder): Promise<readonly boolean[]>;
  close(): Promise<void>;
}

export type MakeThread = (data: RecorderData) => Worker;

export function startRecorderThread(data: RecorderData): Worker {
  return new Worker(new URL("./sqlite-recorder-thread.ts", import.meta.url), { workerData: data });
}

/** Over the store's own connection: for a throw-away database, whose commits wait for no disk. */
export function inlineRecorder(connection: SqliteConnection, keys_in_memory?: number): Recorder {
  const notifications = new SqliteNotifications(connection, keys_in_memory);
  return {
    record: async (order) => {
      try {
        return notifications.record(order);
      } catch (error) {
        throw translateError(error);
      }
    },
    close: async () => {},
  };
}

/**
 * From a thread of its own: a commit waits for the disk, and the loop that answers providers would wait with it (bench `ingest`). The thread is
 * made with the first notification. When it ends by itself, the order it was at is answered with an error, so that its provider comes again, and the next one
 * makes another thread.
 */
export class ThreadRecorder implements Recorder {
  readonly #data: RecorderData;
  readonly #makeThread: MakeThread;
  #worker: Worker | undefined;
  #gone: Promise<void> | undefined;
  #waiting: PromiseWithResolvers<readonly boolean[]> | undefined;

  constructor(data: RecorderData, makeThread: MakeThread = startRecorderThread) {
    this.#data = data;
    this.#makeThread = makeThread;
  }

  record(order: RecordOrder): Promise<readonly boolean[]> {
    this.#waiting = Promise.withResolvers();
    this.#worker ??= this.#start();
    // Whoever waits for an answer keeps the process; a thread without work does not.
    this.#worker.ref();
    // The bytes alone: with a part of a pool the whole pool would be copied, twice, and for each commit.
    const sealed = new Uint8Array(order.sealed);
    this.#worker.postMessage({ ...order, sealed }, [sealed.buffer]);
    return this.#waiting.promise;
  }

  #start(): Worker {
    const worker = this.#makeThread(this.#data);
    let error: Error = new StoreError("unavailable", "the thread that takes notifications in has ended", undefined);
    worker.on("message", (recorded: Recorded) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      worker.unref();
      if ("repeated" in recorded) waiting?.resolve(recorded.repeated);
      else waiting?.reject(translateError(Object.assign(new Error(recorded.failed.message), { code: recorded.failed.code })));
    });
    worker.once("error", (thrown) => (error = new StoreError("unavailable", String(thrown), thrown)));
    this.#gone = new Promise((resolve) =>
      worker.once("exit", () => {
        this.#worker = undefined;
        this.#waiting?.reject(error);
        this.#waiting = undefined;
        resolve();
      }),
    );
    return worker;
  }

  /** Resolves when the thread has let go of the file. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    worker.ref();
    worker.postMessage("close");
    await this.#gone;
  }
}
