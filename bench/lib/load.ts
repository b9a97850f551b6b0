// A process of its own that loads a server: plain sockets, keep-alive, requests made before the clock starts.
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  /** Requests per second over all connections; absent: as fast as it goes. Latencies of the first second, or quarter, are not counted: this process is cold then. */
  readonly rate?: number;
  /** A notification of each of these payments is posted. */
  readonly notify?: { readonly path: string; readonly references: readonly string[]; readonly server_key: string };
  /** Or these paths are read, with this key. */
  readonly get?: readonly string[];
  readonly api_key?: string;
}

export interface LoadReport {
  readonly requests: number;
  readonly elapsed_ms: number;
  readonly per_second: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** Bytes of `HTTP/1.1 200`. */
const STATUS_LINE = 12;

/** A settlement notification of some 700 bytes, signed as the gateway signs it (midtrans.md §11.3). */
function notification(reference: string, server_key: string): string {
  const fields = { order_id: reference, status_code: "200", gross_amount: "44000.00" };
  const signature_key = createHash("sha512")
    .update(fields.order_id + fields.status_code + fields.gross_amount + server_key)
    .digest("hex");
  return JSON.stringify({
    transaction_time: "2026-07-17 10:00:00",
    transaction_status: "settlement",
    transaction_id: `tx-${reference}`,
    status_message: "midtrans payment notification",
    signature_key,
    settlement_time: "2026-07-17 10:01:12",
    payment_type: "gopay",
    merchant_id: "G000000001",
    fraud_status: "accept",
    currency: "IDR",
    expiry_time: "2026-07-17 10:15:00",
    ...fields,
  });
}

function requests({ notify, get = [], api_key }: LoadOrder): Buffer[] {
  const posts = (notify?.references ?? []).map((reference) => {
    const body = notification(reference, notify!.server_key);
    return Buffer.from(
      `POST ${notify!.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
  return [...posts, ...get.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${api_key}\r\n\r\n`))];
}

/** One connection with one request at a time. Reading an answer is made cheap, so that the server is the one that is busy. */
class Lane {
  #socket: Socket;
  #buffer: Buffer | undefined;
  #waiting: ((status: string) => void) | undefined;
  /** Length and status line of the last answer: the next one is mostly like it. */
  #usual = { length: -1, head: Buffer.alloc(0), status: "" };

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (data: Buffer) => this.#read(data));
    socket.on("close", () => this.#waiting?.("closed"));
    socket.on("error", () => {});
  }

  send(bytes: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#socket.write(bytes);
    });
  }

  #read(data: Buffer): void {
    const { length, head, status } = this.#usual;
    if (!this.#buffer && data.length === length && data.compare(head, 0, STATUS_LINE, 0, STATUS_LINE) === 0) return this.#waiting?.(status);
    const buffer = this.#buffer ? Buffer.concat([this.#buffer, data]) : data;
    this.#buffer = buffer;
    const end = buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const body = /content-length: (\d+)/i.exec(buffer.toString("latin1", 0, end));
    const total = end + 4 + Number(body?.[1] ?? 0);
    if (buffer.length < total) return;
    this.#buffer = undefined;
    this.#usual = { length: total, head: Buffer.from(buffer.subarray(0, STATUS_LINE)), status: buffer.toString("latin1", 9, 12) };
    this.#waiting?.(this.#usual.status);
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function run(order: LoadOrder, all: readonly Buffer[]): Promise<LoadReport> {
  const lanes = await Promise.all(
    Array.from(
      { length: order.connections },
      () =>
        new Promise<Lane>((resolve, reject) => {
          const socket = connect(order.port, "127.0.0.1", () => resolve(new Lane(socket)));
          socket.once("error", reject);
        }),
    ),
  );
  const latencies: number[] = [];
  // What was made up to here is let go now: our own collection in the midst of it would be measured as if it were the server's.
  globalThis.gc?.();
  const statuses: Record<string, number> = {};
  const cold = order.rate ? Math.min(order.rate, all.length / 4) : 0;
  let next = 0;
  const began = performance.now();
  const work = async (lane: Lane): Promise<void> => {
    for (let index = next++; index < all.length; index = next++) {
      // With a rate, a request has its own time of sending, and being late counts as latency.
      const due = order.rate ? began + (index * 1000) / order.rate : 0;
      while (due > performance.now()) await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now() - 0.5)));
      const sent = order.rate ? due : performance.now();
      const status = await lane.send(all[index]!);
      if (index >= cold) latencies.push(performance.now() - sent);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(lanes.map(work));
  const elapsed_ms = performance.now() - began;
  for (const lane of lanes) lane.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { requests: all.length, elapsed_ms, per_second: (all.length / elapsed_ms) * 1000, p50_ms: at(0.5), p99_ms: at(0.99), statuses };
}

process.on("message", (order: LoadOrder) => {
  run(order, requests(order)).then(
    (report) => process.send!(report),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
// Whoever started us is gone.
process.once("disconnect", () => process.exit());
