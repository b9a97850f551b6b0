import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { emitEvent } from "../../collect/emit.ts";
import { routeBatch } from "../../ingest/router.ts";
import { makeTestApi, type TestApi } from "../testing.ts";

let api: TestApi;
beforeEach(async () => {
  api = await makeTestApi();
});
afterEach(() => api.close());

const act = (id: string, what: string, body?: object, once?: string) =>
  api.call("POST", `/v1/payments/${id}/${what}`, { body, ...(once ? { once } : {}) });
const paid = async (method = "gopay") => {
  const payment = await api.payment((await api.order({ customer: { name: "Budi Santoso", email: "budi@x.id", phone: "08123" } })).id, method);
  api.gateway.pay(payment.provider_reference);
  await act(payment.id, "refresh");
  return payment;
};

describe("POST /v1/orders/{id}/payments", () => {
  test("201: the gateway holds it, and the buyer is told what to do", async () => {
    const order = await api.order();
    const payment = await api.payment(order.id);
    expect(payment).toMatchObject({
      object: "payment",
      order_id: order.id,
      order_reference: order["reference"],
      status: "pending",
      flags: [],
      method: "gopay",
      provider: "fake",
      account: "fake",
      amount: 44_000,
      currency: "IDR",
      amount_paid: 0,
      paid_at: null,
      refunds: [],
      actions: [
        { type: "qr", image_url: `${order.checkout_url}/payments/${payment.id}/qr.png`, qr_string: null },
        { type: "deeplink", url: "gojek://gopay/fake-1" },
      ],
    });
    expect(api.gateway.transactions.get(payment.provider_reference)?.amount).toBe(4_400_000n);
  });

  test.each([
    [{ method: "cash" }, 422, "method_not_available"],
    [{ method: "gopay", account: "nobody" }, 422, "method_not_available"],
    [{}, 400, "invalid_request"],
    [{ method: "gopay", callback_url: "javascript:alert(1)" }, 400, "invalid_request"],
  ])("%j: %i %s", async (body, status, code) => {
    const order = await api.order();
    expect((await api.call("POST", `/v1/orders/${order.id}/payments`, { body, once: "x" })).json()).toMatchObject({ status, code });
  });

  test("422 amount_not_supported for a fraction of a rupiah at a gateway that takes whole ones", async () => {
    const order = await api.order({ amount: "100.50" });
    expect((await api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "x" })).json()).toMatchObject({
      status: 422,
      code: "amount_not_supported",
    });
  });

  test("409 once the order is paid", async () => {
    const payment = await paid();
    const answer = await api.call("POST", `/v1/orders/${String((payment as Record<string, unknown>)["order_id"])}/payments`, {
      body: { method: "gopay" },
      once: "x",
    });
    expect(answer.json()).toMatchObject({ status: 409, code: "wrong_state" });
  });
});

describe("refresh, cancel, expire", () => {
  test("refresh asks the gateway, and answers what it says", async () => {
    const payment = await api.payment((await api.order()).id);
    api.gateway.pay(payment.provider_reference);
    expect((await act(payment.id, "refresh")).json()).toMatchObject({ status: "paid", amount_paid: 44_000, paid_at: "2026-07-17T03:00:00.000Z" });
  });

  test("refresh goes on with an opening that was interrupted", async () => {
    const order = await api.order();
    api.gateway.next("open", { unclear: "did_nothing" });
    const unclear = await api.call("POST", `/v1/orders/${order.id}/payments`, { body: { method: "gopay" }, once: "x" });
    const id = unclear.json<{ payment_id: string }>().payment_id;
    expect((await api.call("GET", `/v1/payments/${id}`)).json()).toMatchObject({ status: "submitted" });
    expect((await act(id, "refresh")).json()).toMatchObject({ status: "pending" });
  });

  test.each([
    ["cancel", "canceled"],
    ["expire", "expired"],
  ])("%s: the gateway confirms it; a second time changes nothing", async (how, status) => {
    const payment = await api.payment((await api.order()).id);
    expect((await act(payment.id, how)).json()).toMatchObject({ status });
    expect((await act(payment.id, how)).json()).toMatchObject({ status });
  });

  test("cancel of what was paid meanwhile answers that it is paid; of what is known to be paid, 409", async () => {
    const payment = await api.payment((await api.order()).id);
    api.gateway.pay(payment.provider_reference);
    expect((await act(payment.id, "cancel")).json()).toMatchObject({ status: "paid" });
    expect((await act(payment.id, "cancel")).json()).toMatchObject({ status: 409, code: "wrong_state" });
  });

  test("502 while the gateway does not say", async () => {
    const payment = await api.payment((await api.order()).id);
    api.gateway.next("cancel", { unclear: "did_nothing" });
    expect((await act(payment.id, "cancel")).json()).toMatchObject({ status: 502, code: "gateway_unclear" });
  });
});

describe("refunds", () => {
  test("201: a part, then the rest; more than is left is 422 with what is left", async () => {
    const payment = await paid();
    const part = await act(payment.id, "refunds", { amount: "10000", reason: "rusak" }, "a");
    expect([part.statusCode, part.json()]).toMatchObject([
      201,
      { object: "refund", amount: 10_000, reason: "rusak", status: "succeeded", origin: "api" },
    ]);
    await act(payment.id, "refresh");
    expect((await act(payment.id, "refunds", { amount: 40_000 }, "b")).json()).toMatchObject({
      status: 422,
      code: "refund_too_large",
      available: 34_000,
    });
    expect((await act(payment.id, "refunds", {}, "c")).json()).toMatchObject({ amount: 34_000 });
    await act(payment.id, "refresh");
    expect((await api.call("GET", `/v1/payments/${payment.id}`)).json()).toMatchObject({
      status: "refunded",
      amount_refunded: 44_000,
      refunds: [{ amount: 10_000 }, { amount: 34_000 }],
    });
    expect((await api.call("GET", `/v1/refunds?payment_id=${payment.id}`)).json()).toMatchObject({ data: [{ amount: 34_000 }, { amount: 10_000 }] });
  });

  test.each([[{ amount: 0 }], [{ amount: -1 }], [{ amount: "1.234" }], [{ sum: 1 }]])("400 for %j", async (body) => {
    expect((await act((await paid()).id, "refunds", body, "x")).json()).toMatchObject({ status: 400, code: "invalid_request" });
  });

  test("409 for a payment without money", async () => {
    const payment = await api.payment((await api.order()).id);
    expect((await act(payment.id, "refunds", {}, "x")).json()).toMatchObject({ status: 409, code: "wrong_state" });
  });

  test("a method without a refund call: a person closes it with proof, once", async () => {
    const payment = await paid("bca_va");
    const refund = (await act(payment.id, "refunds", {}, "x")).json<{ id: string }>();
    expect(refund).toMatchObject({ status: "manual", needs_attention: expect.any(String) });
    const close = (body: object) => api.call("POST", `/v1/refunds/${refund.id}/close`, { body });
    expect((await close({ outcome: "succeeded" })).json()).toMatchObject({ status: 400, errors: [{ field: "proof" }] });
    expect((await close({ outcome: "succeeded", proof: "TRF-1" })).json()).toMatchObject({ status: "succeeded" });
    expect((await close({ outcome: "failed", proof: "TRF-1" })).json()).toMatchObject({ status: 409, code: "wrong_state" });
    expect((await api.call("GET", `/v1/refunds/${refund.id}`)).json()).toMatchObject({ status: "succeeded", succeeded_at: expect.any(String) });
    expect((await api.call("GET", `/v1/payments/${payment.id}`)).json()).toMatchObject({ status: "refunded" });
  });
});

describe("what happened", () => {
  test("the timeline merges what came in, what was asked, what changed and who was told, in the order of time", async () => {
    await api.call("POST", "/v1/endpoints", { body: { url: "https://shop.example/hook" } });
    const payment = await api.payment((await api.order({ customer: { name: "Budi Santoso", email: "budi@x.id" } })).id);
    api.clock.advance(60_000);
    await api.api.inject({
      method: "POST",
      url: `/callbacks/${api.slug}`,
      payload: Buffer.from(api.gateway.callback(payment.provider_reference, "paid").body),
    });
    await routeBatch(api.hub);
    api.gateway.pay(payment.provider_reference);
    api.clock.advance(1_000);
    await act(payment.id, "refresh");
    const [told] = await api.store.read((db) => db.selectFrom("deliveries").selectAll().orderBy("id", "desc").execute());
    const tried = { trigger: "schedule" as const, elapsed_ms: 12, fault: null };
    const first = { first_trigger: tried.trigger, first_at: api.clock.now() + 5, first_elapsed_ms: 30, first_status: null, first_fault: "reset" };
    const second = { id: "att_1", delivery_id: told!.id, number: 2, started_at: api.clock.now() + 5_000, status: 200, response_body: "ok", ...tried };
    await api.store.write(async (tx) => {
      await tx
        .updateTable("deliveries")
        .set({ attempts: 2, ...first })
        .where("id", "=", told!.id)
        .execute();
      await tx.insertInto("attempts").values(second).execute();
    });
    const { data } = (await api.call("GET", `/v1/payments/${payment.id}/timeline`)).json<{
      data: { at: string; kind: string; actor: string; summary: string; detail: object }[];
    }>();
    expect(data.map((entry) => `${entry.kind}: ${entry.actor}: ${entry.summary}`)).toEqual([
      "answer: hub → fake: open (api): says pending [applied]",
      "transition: payment opened: order: unpaid → pending",
      "transition: api: payment: submitted → pending",
      "event: hub: order.pending",
      "event: hub: payment.pending",
      'notification: fake notification: a notification claims "paid"',
      "answer: hub → fake: get (api): says paid [applied]",
      "transition: api: payment: pending → paid",
      "transition: api: order: pending → paid",
      "event: hub: order.paid",
      "event: hub: payment.paid",
      "attempt: hub → https://shop.example/hook: schedule attempt 1: no answer (reset) in 30 ms",
      "attempt: hub → https://shop.example/hook: schedule attempt 2: answered 200 in 12 ms",
    ]);
    expect(data.map((entry) => entry.at)).toEqual(data.map((entry) => entry.at).sort());
    expect(data.at(-3)?.at).toBe("2026-07-17T03:01:01.000Z");
  });

  test("events of one millisecond stand in the timeline in the order in which they happened, whatever their ids", async () => {
    const payment = await api.payment((await api.order()).id);
    const happened: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      const subject = { type: "payment", id: payment.id } as const;
      const event = { shop_id: api.shop_id, type: "payment.partially_refunded", subject, payment_id: payment.id, data: { n } } as const;
      happened.push(await api.store.write((tx) => emitEvent(api.hub, tx, event)));
    }
    const { data } = (await api.call("GET", `/v1/payments/${payment.id}/timeline`)).json<{ data: { kind: string; id: string }[] }>();
    const told = data.filter((entry) => entry.kind === "event").map((entry) => entry.id);
    expect(told.slice(-20)).toEqual(happened);
  });

  test("exchanges in it are shown with secrets and customers' data masked", async () => {
    const payment = await paid();
    const text = (await api.call("GET", `/v1/payments/${payment.id}/timeline`)).body;
    expect(text).toContain(payment.provider_reference);
    expect(text).toContain("•••");
    expect(text).not.toMatch(/Budi|budi@x\.id|08123|s3cret-signature|fake-secret/);
  });

  test("notifications are listed and read, their proof masked", async () => {
    const payment = await api.payment((await api.order()).id);
    const raw = { reference: payment.provider_reference, status: "paid", proof: "x", signature_key: "sig", customer_details: { email: "a@b.c" } };
    await api.api.inject({
      method: "POST",
      url: `/callbacks/${api.slug}?secret_key=abc&x=1`,
      payload: JSON.stringify(raw),
      headers: { "x-callback-token": "token", "user-agent": "Gateway/1" },
    });
    const forged = (await api.call("GET", "/v1/notifications?verdict=forged&account=fake")).json<{ data: { id: string }[] }>();
    expect(forged.data).toMatchObject([
      {
        object: "notification",
        account: "fake",
        verdict: "forged",
        route: "quarantined",
        reference: payment.provider_reference,
        claim: "paid",
        payment_id: null,
      },
    ]);
    const one = (await api.call("GET", `/v1/notifications/${forged.data[0]!.id}`)).json<{ raw: { body: string } }>();
    expect(one.raw).toMatchObject({ method: "POST", query: "secret_key=•••&x=1", headers: { "x-callback-token": "•••", "user-agent": "Gateway/1" } });
    expect(JSON.parse(one.raw.body)).toMatchObject({ reference: payment.provider_reference, signature_key: "•••", customer_details: "•••" });
    expect((await api.call("GET", `/v1/notifications?cursor=${Buffer.from(forged.data[0]!.id).toString("base64url")}`)).json()).toEqual({
      data: [],
      next_cursor: null,
    });
  });
});
