// The thread of `ThreadRecorder`: takes notifications in over a connection of its own, one transaction for each message.
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "@lunas/domain";
import { openWriter } from "./sqlite-connections.ts";
import { type RecordOrder, SqliteNotifications } from "./sqlite-notifications.ts";

export interface RecorderData {
  readonly file: string;
  readonly busy_wait_ms: number;
  readonly keys_in_memory: number | undefined;
}

/** A driver's error, in values that can go to another thread. */
export type Recorded = { readonly repeated: readonly boolean[] } | { readonly failed: { readonly code: unknown; readonly message: string } };

invariant(parentPort, "this file is the main module of a thread");
const port = parentPort;
const { file, busy_wait_ms, keys_in_memory } = workerData as RecorderData;
const { connection } = openWriter(file, busy_wait_ms);
const notifications = new SqliteNotifications(connection, keys_in_memory);

function record(order: RecordOrder): Recorded {
  try {
    return { repeated: notifications.record(order) };
  } catch (error) {
    // Left open, it would keep everybody else from writing: the thread ends, its connection with it, and the next notification makes another one.
    if (connection.db.inTransaction) throw error;
    return { failed: { code: (error as { code?: unknown }).code, message: error instanceof Error ? error.message : String(error) } };
  }
}

port.on("message", (order: RecordOrder | "close") => {
  if (order !== "close") return port.postMessage(record(order));
  connection.db.close();
  port.close();
});
