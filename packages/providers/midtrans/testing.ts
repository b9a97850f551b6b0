import {
  ManualClock,
  money,
  type Http,
  type HttpFault,
  type HttpRequest,
  type OpenIntent,
  type PaymentSubject,
  type RefundIntent,
} from "@lunas/domain";
import { gateway } from "./gateway.ts";
import type { MidtransConfig } from "./config.ts";

// For this folder's tests: a network that answers from a script, literally, and remembers what it was asked.

export interface Scripted {
  readonly http?: number;
  /** Body as JSON, or as text where it is a string. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fault?: HttpFault;
}

export const SERVER_KEY = "SB-Mid-server-EmulatorKey0000000001";
/** 2026-07-17 10:00:00 at GMT+7. */
export const NOW = Date.UTC(2026, 6, 17, 3, 0, 0);
export const MINUTE = 60_000;

export const config: MidtransConfig = {
  server_key: SERVER_KEY,
  client_key: "SB-Mid-client-EmulatorKey0000000001",
  environment: "sandbox",
  base_url: "http://127.0.0.1:8090/midtrans",
};

/** `POST /v2/charge`, without the address before it. */
export function asked(request: HttpRequest): string {
  return `${request.method} ${request.url.replace("http://127.0.0.1:8090/midtrans", "")}`;
}

export function scripted(answers: readonly Scripted[], overrides: Partial<MidtransConfig> = {}) {
  const calls: HttpRequest[] = [];
  const business = new ManualClock(NOW);
  const wall = new ManualClock(NOW);
  const http: Http = (request) => {
    const answer = answers[calls.length];
    calls.push(request);
    if (!answer) throw new Error(`the script has no answer for ${asked(request)}`);
    if (answer.fault) return Promise.resolve({ ok: false, fault: answer.fault, message: "scripted", elapsed_ms: 7 });
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {});
    return Promise.resolve({ ok: true, status: answer.http ?? 200, headers: answer.headers ?? {}, body: Buffer.from(text), elapsed_ms: 7 });
  };
  const midtrans = gateway({ config: { ...config, ...overrides }, http, business, wall });
  const bodyOf = (index: number): unknown => {
    const body = calls[index]?.body;
    return typeof body === "string" ? JSON.parse(body) : undefined;
  };
  return { gateway: midtrans, calls, asked: () => calls.map(asked), bodyOf, business, wall };
}

export const subject: PaymentSubject = {
  id: "pay_0123456789abcdefghjkmn",
  reference: "INV-2001",
  handles: {},
  method: "gopay",
  amount: money(2_500_000n, "IDR"),
  expires_at: NOW + 15 * MINUTE,
};

export const intent: OpenIntent = {
  ...subject,
  order_reference: "order-7",
  items: [{ name: "Kopi susu", quantity: 2, price: money(1_250_000n, "IDR"), sku: "KOPI-1" }],
  customer: { name: "Budi Santoso", email: "budi@example.com", phone: "+628123456789" },
};

export const refundIntent: RefundIntent = {
  id: "rfd_0123456789abcdefghjkmn",
  payment: { ...subject, provider_id: "5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01" },
  key: "INV-2001-refund-1",
  amount: money(500_000n, "IDR"),
  full: false,
  reason: "Salah ukuran",
};

export const TRANSACTION_ID = "5b0b0c0e-3f1a-4a53-9f43-9f2f5f3f7a01";

/** A transaction as the page's example has it (midtrans.md §5.1), without its actions. */
export const pending = {
  status_code: "201",
  status_message: "Success, transaction is found",
  transaction_id: TRANSACTION_ID,
  order_id: "INV-2001",
  merchant_id: "G000000001",
  gross_amount: "25000.00",
  currency: "IDR",
  payment_type: "gopay",
  transaction_time: "2026-07-17 10:00:00",
  transaction_status: "pending",
  fraud_status: "accept",
  expiry_time: "2026-07-17 10:15:00",
} as const;

/** The example of a GoPay charge, typed from midtrans.md §5.1. */
export const gopayCharged = {
  ...pending,
  status_message: "GO-PAY transaction is created",
  actions: [
    { name: "generate-qr-code", method: "GET", url: `https://api.sandbox.midtrans.com/v2/gopay/${TRANSACTION_ID}/qr-code` },
    {
      name: "deeplink-redirect",
      method: "GET",
      url: "https://simulator.sandbox.midtrans.com/gopay/ui/checkout?referenceid=Ab12Cd34Ef&callback_url=shop%3A%2F%2Fdone%3Forder_id%3DINV-2001",
    },
    { name: "get-status", method: "GET", url: `https://api.sandbox.midtrans.com/v2/${TRANSACTION_ID}/status` },
    { name: "cancel", method: "POST", url: `https://api.sandbox.midtrans.com/v2/${TRANSACTION_ID}/cancel`, fields: [] },
  ],
  channel_response_code: "200",
  channel_response_message: "Success",
} as const;

export const notFound = { status_code: "404", status_message: "Transaction doesn't exist.", id: "0d0e6c11-9c49-4f7b-8c57-2f1b5c0e7a10" } as const;
