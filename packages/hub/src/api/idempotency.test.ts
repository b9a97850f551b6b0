import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeTestApi, type TestApi } from "./testing.ts";

let api: TestApi;
beforeEach(async () => {
  api = await makeTestApi();
});
afterEach(() => api.close());

const count = (table: "orders" | "payments" | "refunds"): Promise<number> =>
  api.store.read(async (db) => (await db.selectFrom(table).select("id").execute()).length);

/** A paid payment. */
async function paid(): Promise<{ id: string; provider_reference: string }> {
  const payment = await api.payment((await api.order()).id);
  api.gateway.pay(payment.provider_reference);
  await api.call("POST", `/v1/payments/${payment.id}/refresh`);
  return payment;
}

describe("the key", () => {
  test("400 idempotency_key_required where there is none, on every route that moves money", async () => {
    const order = await api.order();
    const payment = await api.payment(order.id);
    const calls = [
      await api.call("POST", "/v1/orders", { body: { reference: "X", amount: 1 } }),
      await api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" } }),
      await api.call("POST", `/v1/payments/${payment.id}/refunds`, { body: {} }),
    ];
    for (const answer of calls) expect(answer.json()).toMatchObject({ status: 400, code: "idempotency_key_required" });
  });

  test.each(["a b", "é", "x".repeat(256)])("400 for the key %j", async (key) => {
    const answer = await api.call("POST", "/v1/orders", { body: { reference: "X", amount: 1 }, once: key });
    expect(answer.json()).toMatchObject({ status: 400, code: "idempotency_key_required", detail: expect.stringContaining("visible ASCII") });
  });

  test("the same key and body are answered the same, byte for byte, and say so", async () => {
    const first = await api.call("POST", "/v1/orders", { body: { reference: "A", amount: 1, metadata: { x: 1, y: 2 } }, once: "k" });
    const second = await api.call("POST", "/v1/orders", { body: { metadata: { y: 2, x: 1 }, amount: 1, reference: "A" }, once: "k" });
    expect(second.statusCode).toBe(201);
    expect(second.body).toBe(first.body);
    expect(first.headers["idempotency-replayed"]).toBeUndefined();
    expect(second.headers["idempotency-replayed"]).toBe("true");
    expect(await count("orders")).toBe(1);
  });

  test("422 idempotency_mismatch for another body", async () => {
    await api.call("POST", "/v1/orders", { body: { reference: "A", amount: 1 }, once: "k" });
    const answer = await api.call("POST", "/v1/orders", { body: { reference: "A", amount: 2 }, once: "k" });
    expect(answer.json()).toMatchObject({ status: 422, code: "idempotency_mismatch" });
  });

  test("another shop's same key is another key", async () => {
    const other = await api.addShop("other");
    await api.call("POST", "/v1/orders", { body: { reference: "A", amount: 1 }, once: "k" });
    const answer = await api.call("POST", "/v1/orders", { body: { reference: "B", amount: 2 }, once: "k", key: other.api_key });
    expect(answer.statusCode).toBe(201);
  });

  test("the same key on another path is another key", async () => {
    const order = await api.order({}, { once: "k" });
    const answer = await api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "k" });
    expect(answer.statusCode).toBe(201);
  });

  test("what was not valid may be mended under the same key", async () => {
    expect((await api.call("POST", "/v1/orders", { body: { reference: "A", amount: 0 }, once: "k" })).statusCode).toBe(400);
    expect((await api.call("POST", "/v1/orders", { body: { reference: "A", amount: 1 }, once: "k" })).statusCode).toBe(201);
  });

  test("answers are sealed in the database", async () => {
    await api.order({ reference: "SECRET-REFERENCE" });
    const [row] = await api.store.read((db) => db.selectFrom("idempotency").selectAll().execute());
    expect(row).toMatchObject({ status: 201, lease_until: null });
    expect(Buffer.from(row!.answer!).includes("SECRET-REFERENCE")).toBe(false);
  });
});

describe("50 parallel requests of one key do it once", () => {
  /** Those that found it running are left out: how many they are is a matter of speed. */
  const statuses = (answers: readonly { statusCode: number }[]): number[] =>
    [...new Set(answers.map((answer) => answer.statusCode))].filter((status) => status !== 409);
  const fifty = <T>(run: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 50 }, run));

  test("orders", async () => {
    const answers = await fifty(() => api.call("POST", "/v1/orders", { body: { reference: "A", amount: 1 }, once: "k" }));
    expect(statuses(answers)).toEqual([201]);
    for (const answer of answers) {
      if (answer.statusCode === 409)
        expect([answer.headers["retry-after"], answer.json<{ code: string }>().code]).toEqual(["1", "idempotency_running"]);
    }
    expect(await count("orders")).toBe(1);
  });

  test("payments: the gateway is called once", async () => {
    const order = await api.order();
    const answers = await fifty(() => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "k" }));
    expect(statuses(answers)).toEqual([201]);
    expect(await count("payments")).toBe(1);
    expect(api.gateway.count("open")).toBe(1);
  });

  test("payments under 50 keys: one is open, and the gateway holds no other (F18)", async () => {
    const order = await api.order();
    let key = 0;
    const answers = await fifty(() => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: `k${(key += 1)}` }));
    for (const answer of answers) expect([201, 409, 502]).toContain(answer.statusCode);
    expect(statuses(answers)).toContain(201);
    const open = [...api.gateway.transactions.values()].filter((transaction) => transaction.status === "pending");
    expect(open).toHaveLength(1);
  });

  test("refunds", async () => {
    const payment = await paid();
    const answers = await fifty(() => api.call("POST", `/v1/payments/${payment.id}/refunds`, { body: { amount: 1_000 }, once: "k" }));
    expect(statuses(answers)).toEqual([201]);
    expect(await count("refunds")).toBe(1);
    expect(api.gateway.transactions.get(payment.provider_reference)?.refunded).toBe(100_000n);
  });
});

describe("after an unclear answer or a crash the same key goes on with the same intent", () => {
  test.each(["did_it", "did_nothing"] as const)("a payment whose opening gave no answer (%s) is asked about, not opened twice", async (unclear) => {
    const order = await api.order();
    api.gateway.next("open", { unclear });
    const pay = () => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "k" });
    const first = await pay();
    expect(first.json()).toMatchObject({ status: 502, code: "gateway_unclear" });
    const second = await pay();
    expect(second.statusCode).toBe(201);
    expect(second.headers["idempotency-replayed"]).toBeUndefined();
    expect(second.json()).toMatchObject({ id: first.json<{ payment_id: string }>().payment_id, status: "pending" });
    expect(api.gateway.transactions.size).toBe(1);
    expect((await pay()).headers["idempotency-replayed"]).toBe("true");
  });

  test("a payment whose request died at the gateway: 409 while its lease lasts, then it goes on", async () => {
    const order = await api.order();
    const hang = Promise.withResolvers<void>();
    api.gateway.next("open", { wait: hang.promise });
    const pay = () => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "k" });
    const dead = pay();
    await expect.poll(() => api.gateway.count("open")).toBe(1);
    expect((await pay()).json()).toMatchObject({ status: 409, code: "idempotency_running" });
    api.wall.advance(91_000);
    api.clock.advance(91_000);
    const next = await pay();
    expect(next.statusCode).toBe(201);
    expect(await count("payments")).toBe(1);
    hang.resolve();
    await dead;
    expect(api.gateway.transactions.size).toBe(1);
  });

  test("a request that wakes up after its lease was taken over begins nothing more", async () => {
    const order = await api.order();
    await api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "first" });
    const hang = Promise.withResolvers<void>();
    api.gateway.next("cancel", { wait: hang.promise });
    const pay = () => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "bca_va" }, once: "k" });
    const sleeping = pay();
    await expect.poll(() => api.gateway.count("cancel")).toBe(1);
    api.wall.advance(91_000);
    const taken = await pay();
    expect(taken.statusCode).toBe(201);
    await api.call("POST", `/v1/payments/${taken.json<{ id: string }>().id}/cancel`, {});
    hang.resolve();
    expect((await sleeping).json()).toMatchObject({ code: "idempotency_running" });
    expect(await count("payments")).toBe(2);
    expect((await pay()).json()).toMatchObject({ id: taken.json<{ id: string }>().id });
  });

  test("an order that was written while its answer was lost is answered as it is", async () => {
    const order = await api.order({ reference: "A" }, { once: "k" });
    await api.store.write((tx) =>
      tx
        .updateTable("idempotency")
        .set({ status: null, answer: null, lease_until: api.wall.now() - 1 })
        .execute(),
    );
    const again = await api.call("POST", "/v1/orders", { body: { reference: "A", amount: 44_000 }, once: "k" });
    expect(again.statusCode).toBe(201);
    expect(again.json()).toMatchObject({ id: order.id });
  });

  test("a refund without a clear answer is sent again with its own key, and goes out once", async () => {
    const payment = await paid();
    api.gateway.next("refund", { unclear: "did_it" });
    const refund = () => api.call("POST", `/v1/payments/${payment.id}/refunds`, { body: {}, once: "k" });
    expect((await refund()).json()).toMatchObject({ status: "unknown" });
    await api.store.write((tx) => tx.updateTable("idempotency").set({ status: null, answer: null }).where("intent", "like", "rfd%").execute());
    expect((await refund()).json()).toMatchObject({ status: "succeeded" });
    expect(api.gateway.transactions.get(payment.provider_reference)?.refunds).toHaveLength(1);
  });

  test("a refusal of the gateway is kept: the same key gets it again, and the gateway is not called again", async () => {
    const order = await api.order();
    api.gateway.next("open", { refuse: { code: "declined", message: "the wallet is closed" } });
    const pay = () => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "k" });
    const first = await pay();
    expect(first.json()).toMatchObject({ status: 422, code: "gateway_refused", detail: "the wallet is closed" });
    const second = await pay();
    expect(second.body).toBe(first.body);
    expect(second.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(api.gateway.count("open")).toBe(1);
  });

  test("a refusal that was not told is told when the request is repeated", async () => {
    const order = await api.order();
    api.gateway.next("open", { refuse: { code: "declined", message: "the wallet is closed" } });
    const pay = () => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "k" });
    await pay();
    await api.store.write((tx) => tx.updateTable("idempotency").set({ status: null, answer: null }).where("intent", "like", "pay%").execute());
    expect((await pay()).json()).toMatchObject({ status: 422, code: "gateway_refused", detail: "the wallet is closed" });
  });

  test("on hold nothing is begun, and the key is free afterwards", async () => {
    const order = await api.order();
    api.hub.hold.reason = "restored";
    const pay = () => api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "k" });
    expect((await pay()).json()).toMatchObject({ status: 503, code: "on_hold" });
    api.hub.hold.reason = undefined;
    expect((await pay()).statusCode).toBe(201);
  });
});
