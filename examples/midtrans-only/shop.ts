/**
 * The smallest shop that takes Midtrans payments rightly: `midtrans-client` and nothing else, no hub.
 * Against the Lunas sandbox it runs on a laptop without an account, a public URL or the internet.
 */
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import midtrans from "midtrans-client";

export interface ShopOptions {
  port: number;
  /** The sandbox's Midtrans, such as `http://127.0.0.1:8090/midtrans`; absent means Midtrans' own sandbox. */
  sandbox?: string;
  serverKey: string;
  clientKey: string;
}

export interface ShopOrder {
  id: string;
  /** Whole rupiah. */
  amount: number;
  payment_status: "unpaid" | "pending" | "paid" | "failed" | "refunded";
  payment_gateway_transaction_id: string | null;
  /** How often goods were handed out: never more than once. */
  handed_out: number;
}

type Fields = Record<string, unknown>;

const BODY_MAX_BYTES = 256 * 1024;

/** SHA-512 over the strings exactly as they came: `44000.00` is not `44000`. Compared in constant time. */
export function signatureIsRight(notification: Fields, serverKey: string): boolean {
  const { order_id, status_code, gross_amount, signature_key } = notification;
  if (![order_id, status_code, gross_amount, signature_key].every((field) => typeof field === "string")) return false;
  const expected = createHash("sha512").update(`${order_id}${status_code}${gross_amount}${serverKey}`).digest();
  const given = Buffer.from(signature_key as string, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** What an answer of the status API means for the order. A word that is not known changes nothing. */
function meaning(answer: Fields): ShopOrder["payment_status"] | undefined {
  switch (answer["transaction_status"]) {
    case "settlement":
      return "paid";
    case "capture":
      return answer["fraud_status"] === "accept" ? "paid" : "pending";
    case "pending":
      return "pending";
    case "deny":
    case "cancel":
    case "expire":
    case "failure":
      return "failed";
    case "refund":
      return "refunded";
    default:
      return undefined;
  }
}

/** Never back from paid to pending, and goods once. A real shop does this in one database transaction. */
export function applyAnswer(order: ShopOrder, answer: Fields): void {
  const status = meaning(answer);
  if (status === undefined || answer["order_id"] !== order.id || Number(answer["gross_amount"]) !== order.amount) return;
  if (status === "pending" && order.payment_status !== "unpaid") return;
  if (order.payment_status === "refunded") return;
  order.payment_status = status;
  order.payment_gateway_transaction_id = String(answer["transaction_id"]);
  if (status === "paid" && order.handed_out === 0) order.handed_out += 1;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) throw new Error("The body is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

const page = (scriptUrl: string, clientKey: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Kopi</title>
<script src="${scriptUrl}" data-client-key="${clientKey}"></script>
<body style="font:16px/1.5 system-ui;max-width:32rem;margin:3rem auto;padding:0 1rem">
<h1>Kopi Gayo, Rp 44.000</h1>
<button id="popup">Pay here (snap.pay)</button> <button id="redirect">Pay on Midtrans' page</button>
<p id="status">not ordered</p>
<script>
  let order;
  const create = async () => (order = await (await fetch("/create-transaction", { method: "POST" })).json());
  document.getElementById("popup").onclick = async () => snap.pay((await create()).token, { onSuccess() {}, onPending() {}, onError() {}, onClose() {} });
  document.getElementById("redirect").onclick = async () => window.open((await create()).redirect_url);
  // What the popup says is not a proof. The server knows.
  setInterval(async () => {
    if (order) document.getElementById("status").textContent = (await (await fetch("/orders/" + order.order_id)).json()).payment_status;
  }, 1000);
</script>`;

/** Starts the shop. Its notification URL is `{url}/notification`. */
export async function startShop(options: ShopOptions): Promise<{ url: string; close(): Promise<void> }> {
  const { serverKey, clientKey, sandbox } = options;
  const snap = new midtrans.Snap({ isProduction: false, serverKey, clientKey });
  if (sandbox) {
    // The only change that the sandbox needs.
    snap.apiConfig.constructor.CORE_SANDBOX_BASE_URL = sandbox;
    snap.apiConfig.constructor.SNAP_SANDBOX_BASE_URL = `${sandbox}/snap/v1`;
  }
  const scriptUrl = sandbox ? `${sandbox}/snap/snap.js` : "https://app.sandbox.midtrans.com/snap/snap.js";
  const orders = new Map<string, ShopOrder>();

  async function createTransaction(): Promise<[number, unknown]> {
    const order: ShopOrder = {
      id: `KOPI-${randomUUID()}`,
      amount: 44_000,
      payment_status: "unpaid",
      payment_gateway_transaction_id: null,
      handed_out: 0,
    };
    orders.set(order.id, order);
    const { token, redirect_url } = await snap.createTransaction({
      transaction_details: { order_id: order.id, gross_amount: order.amount },
      item_details: [{ id: "kopi-gayo", name: "Kopi Gayo", price: 44_000, quantity: 1 }],
    });
    return [201, { order_id: order.id, token, redirect_url }];
  }

  async function notification(request: IncomingMessage): Promise<[number, unknown]> {
    const told = parse(await readBody(request));
    if (!signatureIsRight(told, serverKey)) return [403, { message: "the signature is not right" }];
    const order = orders.get(told["order_id"] as string);
    if (!order) return [404, { message: "no such order" }];
    // The signature does not cover transaction_status, so what happened is asked, not believed.
    applyAnswer(order, await snap.transaction.status(order.id));
    return [200, { message: "ok" }];
  }

  async function answer(request: IncomingMessage): Promise<[number, unknown]> {
    const [path] = (request.url ?? "/").split("?");
    if (request.method === "POST" && path === "/create-transaction") return createTransaction();
    if (request.method === "POST" && path === "/notification") return notification(request);
    const order = path!.startsWith("/orders/") ? orders.get(path!.slice("/orders/".length)) : undefined;
    return order ? [200, order] : [404, { message: "nothing here" }];
  }

  const server = createServer((request, response) => {
    if (request.method === "GET" && request.url === "/") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(scriptUrl, clientKey));
      return;
    }
    answer(request)
      // 503 makes Midtrans repeat the notification four times; nothing was changed.
      .catch((error: unknown): [number, unknown] => (console.error(error), [503, { message: "try again" }]))
      .then(([status, body]) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)), console.error);
  });
  await new Promise<void>((listening) => server.listen(options.port, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // At Midtrans the notification URL is entered in the dashboard; this header says it with each transaction, so nothing has to be entered anywhere.
  if (sandbox) snap.httpClient.http_client.defaults.headers.common["X-Override-Notification"] = `${url}/notification`;
  return {
    url,
    close: () => new Promise((closed) => (server.close(() => closed()), server.closeAllConnections())),
  };
}

if (import.meta.main) {
  const shop = await startShop({
    port: Number(process.env["PORT"] ?? 8071),
    sandbox: process.env["MIDTRANS_URL"] ?? "http://127.0.0.1:8090/midtrans",
    serverKey: process.env["MIDTRANS_SERVER_KEY"] ?? "SB-Mid-server-lunas-sandbox",
    clientKey: process.env["MIDTRANS_CLIENT_KEY"] ?? "SB-Mid-client-lunas-sandbox",
  });
  console.log(`shop: ${shop.url}`);
}
