// The main job without a browser: an order is placed in the demo shop, paid by GoPay on the sandbox, known to be paid, and told to the shop.
import { createHash } from "node:crypto";
import type { Stack } from "../tests/harness/stack.ts";
import { buildStale } from "./lib/front-ends.ts";
import { requireRuntime } from "./lib/runtime.ts";

requireRuntime();
// The demo shop is built on the sdk as any shop is, on its `dist`: a clone that has only been installed does not have it yet.
await buildStale({ only: ["sdk"] });
const { startStack } = await import("../tests/harness/stack.ts");
const began = performance.now();

function say(text: string): void {
  process.stdout.write(`${((performance.now() - began) / 1000).toFixed(2).padStart(6)} s  ${text}\n`);
}

interface ShopOrder {
  payment_status: string;
  payment_gateway_transaction_id: string | null;
}

async function json<T>(answer: Response, what: string): Promise<T> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${what}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Buys one thing in the shop, as its own page does. @returns the shop's order id and the checkout page. */
async function buy(shop: string): Promise<{ order_id: string; redirect_url: string; total: number }> {
  const { products } = await json<{ products: { id: string; name: string; price: number; stock: number }[] }>(
    await fetch(`${shop}/api/products`),
    "products",
  );
  const product = products.find((one) => one.stock > 0);
  if (!product) throw new Error("the demo shop has nothing in stock");
  const order = {
    items: [{ product_id: product.id, quantity: 1 }],
    customer: { name: "Siti Rahma", email: "siti@example.com", phone: "081234567890" },
    way: "redirect",
  };
  const created = await json<{ order_id: string; redirect_url: string }>(
    await fetch(`${shop}/api/payments/create-transaction`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
    }),
    "create-transaction",
  );
  say(`shop      order ${created.order_id}: ${product.name}, Rp ${product.price.toLocaleString("id-ID")}`);
  return { ...created, total: product.price };
}

/** Chooses GoPay on the hosted page and gives what it shows. */
async function choose(
  checkout: string,
): Promise<{ payment: { id: string; status: string; actions: { type: string; image_url?: string; url?: string }[] } }> {
  const state = await json<{ payment: { id: string; status: string; actions: { type: string; image_url?: string; url?: string }[] } }>(
    await fetch(`${checkout}/payments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ method: "gopay" }),
    }),
    "choose gopay",
  );
  say(
    `checkout  GoPay chosen: ${state.payment.id} is ${state.payment.status}; the buyer sees ${state.payment.actions.map((action) => action.type).join(" and ")}`,
  );
  const qr = state.payment.actions.find((action) => action.type === "qr");
  if (qr?.image_url) {
    const image = Buffer.from(await (await fetch(new URL(qr.image_url, checkout))).arrayBuffer());
    say(`checkout  QR image served by the hub: ${image.length} bytes, sha256 ${createHash("sha256").update(image).digest("hex").slice(0, 12)}`);
  }
  return state;
}

async function main(stack: Stack): Promise<void> {
  const shop = stack.shop!.url;
  say(`started   hub ${stack.hub.url}, sandbox ${stack.sandbox.url}, shop ${shop}`);
  const order = await buy(shop);
  const { payment } = await choose(order.redirect_url);
  const { body: before } = await stack.api("GET", `/v1/payments/${payment.id}`);
  // In development an account has the name of its provider.
  await stack.control("POST", `/${before.account}/${before.provider_reference}/pay`);
  say(`sandbox   the buyer pays ${before.provider_reference} in the wallet`);
  await stack.settle();
  const { body: after } = await stack.api("GET", `/v1/payments/${payment.id}`);
  say(`hub       payment ${after.status}, ${after.amount_paid} ${after.currency} confirmed by the gateway`);
  const told = await json<{ order: ShopOrder }>(await fetch(`${shop}/api/orders/${order.order_id}`), "the shop's order");
  say(`shop      order ${told.order.payment_status} (transaction ${told.order.payment_gateway_transaction_id}), because a signed webhook said so`);
  const { body: timeline } = await stack.api("GET", `/v1/payments/${payment.id}/timeline`);
  process.stdout.write("\nTimeline of the payment\n");
  for (const entry of timeline.data)
    process.stdout.write(`  ${entry.at}  ${entry.kind.padEnd(12)} ${String(entry.actor).padEnd(28)} ${entry.summary}\n`);
  if (after.status !== "paid" || told.order.payment_status !== "paid")
    throw new Error(`not completed: payment ${after.status}, shop ${told.order.payment_status}`);
  process.stdout.write("\nLunas.\n");
}

const stack = await startStack({ shop: true });
try {
  await main(stack);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await stack.stop();
}
