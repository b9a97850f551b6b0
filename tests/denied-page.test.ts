import { afterEach, beforeEach, expect, test } from "vitest";
import { type Stack, startStack } from "./harness/stack.ts";

/* A denied attempt on a hosted page is not its end. The sandbox's own ledger says how much the buyer has paid. */

let stack: Stack;
beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.stop());

async function onPage(page: string, act: "choose" | "act", form: Record<string, string>): Promise<void> {
  await fetch(`${page}/${act}`, { method: "POST", redirect: "manual", body: new URLSearchParams(form) });
  await stack.settle();
}
const choose = (order_id: string, method: string) => stack.api("POST", `/v1/orders/${order_id}/payments`, { method });
const collected = (): number => stack.sandbox.ledger().reduce((sum, one) => sum + one.collected, 0);

/** The buyer was denied on the page, wants GoPay instead, and the call that closes the page is lost. */
async function closingIsLost(): Promise<{ order_id: string; page: string }> {
  const order = (await stack.api("POST", "/v1/orders", { reference: "INV-1", amount: 44_000 })).body;
  const payment = (await choose(order.id, "snap")).body;
  const page = payment.actions.find((action: { type: string }) => action.type === "redirect").url;
  await onPage(page, "choose", { method: "bca_va" });
  await onPage(page, "act", { action: "deny" });
  stack.sandbox.setFaults([{ provider: "midtrans", fault: "http-5xx", on: "api", times: 1, match: "/cancel" }]);
  expect(await choose(order.id, "gopay")).toMatchObject({ status: 502, body: { code: "gateway_unclear" } });
  expect(stack.sandbox.ledger()).toHaveLength(1);
  return { order_id: order.id, page };
}

test("a page whose closing was lost is closed by the hub itself; then GoPay opens, and nobody can go on with the page", async () => {
  const { order_id, page } = await closingIsLost();
  await stack.advance(60);
  expect(await choose(order_id, "gopay")).toMatchObject({ status: 201, body: { status: "pending" } });
  await onPage(page, "choose", { method: "bni_va" });
  expect(stack.sandbox.ledger()).toHaveLength(2);
});

test("a buyer who goes on with the page before it is closed pays once: no GoPay payment is beside it", async () => {
  const { order_id, page } = await closingIsLost();
  await onPage(page, "choose", { method: "bni_va" });
  await stack.control("POST", `/midtrans/${stack.sandbox.ledger().at(-1)!.transaction_id}/pay`);
  await stack.settle();
  expect((await choose(order_id, "gopay")).status).toBe(409);
  expect((await stack.api("GET", `/v1/orders/${order_id}`)).body).toMatchObject({ payment_status: "paid", amount_paid: 44_000 });
  expect(collected()).toBe(44_000);
});
