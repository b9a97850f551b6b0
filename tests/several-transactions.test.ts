import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Stack, startStack } from "./harness/stack.ts";

/* One reference may own several transactions at its gateway, each of which can be paid: the sandbox's own ledger says what the hub must have. */

const AMOUNT = 44_000;
const DAY_S = 86_400;

let stack: Stack;
beforeEach(async () => {
  stack = await startStack();
});
afterEach(() => stack.stop());

interface Opened {
  readonly order_id: string;
  readonly payment_id: string;
  readonly reference: string;
  /** Of the hosted page. */
  readonly page: string;
}

async function open(method: string): Promise<Opened> {
  const order = (await stack.api("POST", "/v1/orders", { reference: "INV-1", amount: AMOUNT, expires_in_s: DAY_S })).body;
  const payment = (await stack.api("POST", `/v1/orders/${order.id}/payments`, { method })).body;
  const page = payment.actions.find((action: { type: string }) => action.type === "redirect")?.url ?? "";
  return { order_id: order.id, payment_id: payment.id, reference: payment.provider_reference, page };
}

async function onPage(page: string, act: "choose" | "act", form: Record<string, string>): Promise<void> {
  await fetch(`${page}/${act}`, { method: "POST", redirect: "manual", body: new URLSearchParams(form) });
  await stack.settle();
}

async function control(id: string, act: string, body?: unknown): Promise<void> {
  await stack.control("POST", `/midtrans/${id}/${act}`, body);
  await stack.settle();
}

const newest = (): string => stack.sandbox.ledger().at(-1)!.transaction_id;
const held = (): number => stack.sandbox.ledger().reduce((sum, one) => sum + one.collected - one.refunded - one.reversed, 0);
const orderOf = async ({ order_id }: Opened) => (await stack.api("GET", `/v1/orders/${order_id}`)).body;
const paymentOf = async ({ payment_id }: Opened) => (await stack.api("GET", `/v1/payments/${payment_id}`)).body;
const unmatched = async (): Promise<{ provider_id: string; amount: number }[]> =>
  (await stack.api("GET", "/v1/events?limit=100")).body.data
    .map((event: { type: string; data: { provider_id: string; amount: number } }) => event)
    .filter((event: { type: string }) => event.type === "money.unmatched")
    .map((event: { data: { provider_id: string; amount: number } }) => ({ provider_id: event.data.provider_id, amount: event.data.amount }));

/** A denied attempt and another one that is open, on one hosted page. */
async function triedTwice(): Promise<Opened & { first: string; second: string }> {
  const opened = await open("snap");
  await onPage(opened.page, "choose", { method: "bca_va" });
  const first = newest();
  await onPage(opened.page, "act", { action: "deny" });
  await onPage(opened.page, "choose", { method: "bni_va" });
  return { ...opened, first, second: newest() };
}

describe("on a hosted page", () => {
  test("a denied attempt that is paid after all pays the order, whatever stands beside it", async () => {
    const tried = await triedTwice();
    await control(tried.first, "pay");
    expect(await paymentOf(tried)).toMatchObject({ status: "paid", provider_id: tried.first, amount_paid: AMOUNT, needs_attention: null });
    expect(await orderOf(tried)).toMatchObject({ payment_status: "paid", amount_paid: held() });
  });

  test("a denied attempt that is paid after the other one is money beside the payment, told and shown", async () => {
    const tried = await triedTwice();
    await control(tried.second, "pay");
    await control(tried.first, "pay");
    await stack.advance(DAY_S);
    expect(held()).toBe(2 * AMOUNT);
    expect(await paymentOf(tried)).toMatchObject({ status: "paid", provider_id: tried.second, amount_paid: AMOUNT });
    expect((await paymentOf(tried)).needs_attention).toContain(tried.first);
    expect(await unmatched()).toEqual([{ provider_id: tried.first, amount: AMOUNT }]);
  });

  test("what was taken back and is paid again by another attempt is paid", async () => {
    const opened = await open("snap");
    await onPage(opened.page, "choose", { method: "permata_va" });
    await control(newest(), "pay");
    await control(newest(), "reverse");
    await stack.advance(35);
    expect(await orderOf(opened)).toMatchObject({ payment_status: "reversed", amount_reversed: AMOUNT });
    await onPage(opened.page, "choose", { method: "bni_va" });
    await control(newest(), "pay");
    expect(held()).toBe(AMOUNT);
    expect(await orderOf(opened)).toMatchObject({ payment_status: "paid", amount_paid: AMOUNT, amount_reversed: 0 });
  });
});

describe("of a single transaction", () => {
  test("money that comes again after it was taken back counts once two answers say so", async () => {
    const opened = await open("permata_va");
    await control(opened.reference, "pay");
    await control(opened.reference, "reverse");
    await stack.advance(35);
    expect(await paymentOf(opened)).toMatchObject({ status: "reversed" });
    await control(opened.reference, "pay");
    await stack.advance(35);
    expect(held()).toBe(AMOUNT);
    expect(await orderOf(opened)).toMatchObject({ payment_status: "paid", amount_paid: AMOUNT, amount_reversed: 0 });
  });

  test("a partial chargeback takes nothing away that is not known to be gone, and is shown; the whole one takes the rest", async () => {
    const opened = await open("gopay");
    await control(opened.reference, "pay");
    await control(opened.reference, "chargeback", { amount: 4_000 });
    expect(await paymentOf(opened)).toMatchObject({ status: "paid", amount_paid: AMOUNT, amount_reversed: 0 });
    expect((await paymentOf(opened)).needs_attention).toContain("partial_chargeback");
    await stack.advance(DAY_S);
    await control(opened.reference, "chargeback");
    expect(await paymentOf(opened)).toMatchObject({ status: "reversed", amount_reversed: AMOUNT });
  });
});

test("every transaction of an unknown reference that was paid is told", async () => {
  const call = async (path: string, body?: unknown): Promise<{ transaction_id: string }> => {
    const authorization = `Basic ${Buffer.from("SB-Mid-server-lunas-sandbox:").toString("base64")}`;
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(`${stack.sandbox.url}/midtrans/v2/${path}`, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
    return (await answer.json()) as { transaction_id: string };
  };
  const transaction_details = { order_id: "LOST-1", gross_amount: AMOUNT };
  const charge = () => call("charge", { payment_type: "bank_transfer", bank_transfer: { bank: "bca" }, transaction_details });
  const first = await charge();
  await call("LOST-1/cancel");
  const second = await charge();
  await control(first.transaction_id, "pay");
  await control(second.transaction_id, "pay");
  await stack.advance(10);
  const told = await unmatched();
  expect(told.map(({ provider_id }) => provider_id).toSorted()).toEqual([first.transaction_id, second.transaction_id].toSorted());
  expect(told.map(({ amount }) => amount)).toEqual([AMOUNT, AMOUNT]);
});
