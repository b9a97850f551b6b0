import { ManualClock } from "@lunas/domain";
import { afterEach } from "vitest";
import type { Sandbox, SandboxOptions } from "../start.ts";
import { startSandbox } from "../start.ts";
import type { Receiver } from "./receiver.ts";
import { startReceiver } from "./receiver.ts";

export const SERVER_KEY = "SB-Mid-server-lunas-sandbox";
export const BASIC = `Basic ${Buffer.from(`${SERVER_KEY}:`).toString("base64")}`;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Bench {
  readonly sandbox: Sandbox;
  readonly receiver: Receiver;
  readonly clock: ManualClock;
  /** A merchant's call below `/midtrans`, with the bytes as given. */
  call(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<Answer>;
  /** A call of the control API. */
  control(path: string, body?: unknown, method?: string): Promise<Answer>;
  /** Charges GoPay and waits until its notification was sent. */
  gopay(order_id: string, amount?: number): Promise<Record<string, unknown>>;
  /** Pays and waits until the notification was sent. */
  pay(order_id: string): Promise<void>;
}

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function fetched(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    body = { text };
  }
  return { status: response.status, headers: response.headers, body };
}

/** A sandbox on a clock that stands still, and a merchant who listens. Both are closed after the test. */
export async function openBench(options: SandboxOptions = {}): Promise<Bench> {
  const receiver = await startReceiver();
  const clock = new ManualClock();
  const sandbox = await startSandbox({ clock, seed: 7, notify: { midtrans: `${receiver.url}/callbacks/midtrans` }, ...options });
  opened.push(receiver, sandbox);
  const call: Bench["call"] = async (method, path, body, headers = {}) =>
    fetched(`${sandbox.url}/midtrans${path}`, {
      method,
      headers: {
        authorization: BASIC,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
  const control: Bench["control"] = async (path, body, method = "POST") =>
    fetched(`${sandbox.url}/_control${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return {
    sandbox,
    receiver,
    clock,
    call,
    control,
    gopay: async (order_id, amount = 44_000) => {
      const answer = await call(
        "POST",
        "/v2/charge",
        `{"payment_type":"gopay","transaction_details":{"order_id":"${order_id}","gross_amount":${amount}}}`,
      );
      await sandbox.idle();
      return answer.body;
    },
    pay: async (order_id) => {
      await control(`/midtrans/${order_id}/pay`);
      await sandbox.idle();
    },
  };
}
