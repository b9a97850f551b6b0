import { DAY_MS, type Refusal } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import { createRefund } from "../collect/refunds.ts";
import type { PaymentRow } from "../collect/rows.ts";
import { readHold, setHold } from "../store/hold.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { type Reconciled, reconcile, type ReconcileWish } from "./after-restore.ts";

describe.each(ENGINES)("after a restore on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  async function paid(method = "gopay"): Promise<PaymentRow> {
    const payment = await hub.open((await hub.order()).id, method);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    return payment;
  }

  async function restored(): Promise<void> {
    await setHold(hub.store, "restored");
    hub.hub.hold.reason = "restored";
  }

  const lift = (wish: Partial<ReconcileWish> = {}): Promise<Reconciled> => reconcile(hub.hub, { after_restore: true, ...wish });

  /** A second account of the same shop, whose payments the test moves to it. */
  async function secondAccount(payment: PaymentRow): Promise<void> {
    const other = await hub.addShop("closed-down");
    await hub.store.write((tx) => tx.updateTable("payments").set({ account_id: other.account_id }).where("id", "=", payment.id).execute());
  }

  test("the hold is lifted only when every payment was answered about", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await restored();
    for (let tries = 0; tries < 5; tries += 1) hub.gateway.next("get", { unclear: "did_nothing" });
    expect(await lift()).toEqual({
      asked: 1,
      unclear: 1,
      unclear_accounts: { fake: { payments: 1, why: "timeout" } },
      skipped: {},
      hold: "restored",
    });
    expect(await readHold(hub.store)).toBe("restored");
    expect(await lift()).toMatchObject({ asked: 1, unclear: 0, unclear_accounts: {}, hold: null });
    expect((await hub.payment(payment.id)).status).toBe("paid");
    expect(hub.hub.hold.reason).toBeUndefined();
    expect(await readHold(hub.store)).toBeUndefined();
  });

  test.each<Refusal>([
    { code: "unauthorized", message: "HTTP 401" },
    { code: "rate_limited", message: "HTTP 429", retry_after_s: 0 },
    { code: "invalid", message: "HTTP 403" },
    { code: "unsupported", message: "405" },
  ])("a gateway that says $message has said nothing of the payment: the hold stays", async (refuse) => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await restored();
    for (let tries = 0; tries < 5; tries += 1) hub.gateway.next("get", { refuse });
    expect(await lift()).toMatchObject({
      unclear: 1,
      unclear_accounts: { fake: { payments: 1, why: `${refuse.code}: ${refuse.message}` } },
      hold: "restored",
    });
    // Once is not enough to give up: it is asked for again within the same run.
    hub.gateway.next("get", { refuse });
    expect(await lift()).toMatchObject({ unclear: 0, hold: null });
  });

  test("a payment that the gateway surely does not know is a clear answer", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.transactions.delete(payment.reference);
    await restored();
    expect(await lift()).toMatchObject({ asked: 1, unclear: 0, hold: null });
  });

  test("asked about is what could have changed since the copy: not every payment ever", async () => {
    hub = await driveHub(engine);
    const bank = await paid("bca_va");
    const wallet = await paid("gopay");
    await hub.advance(10 * DAY_MS);
    const late = await hub.open((await hub.order()).id);
    await hub.advance(2 * DAY_MS);
    const newer = await paid("gopay");
    await restored();
    // Long after the copy, which knows nothing of all that time.
    hub.clock.advance(300 * DAY_MS);
    const before = hub.gateway.calls.length;
    hub.gateway.pay(late.reference);
    expect(await lift()).toMatchObject({ unclear: 0, hold: null });
    const asked = hub.gateway.calls.slice(before).map((call) => call.reference);
    expect(new Set(asked)).toEqual(new Set([wallet.reference, late.reference, newer.reference]));
    expect(asked).not.toContain(bank.reference);
    expect((await hub.payment(late.id)).status).toBe("paid");
    hub.clock.advance(300 * DAY_MS);
    // Nothing was open: without a hold, what is asked about is what could change today.
    expect(await reconcile(hub.hub, { after_restore: false })).toMatchObject({ asked: 0 });
    expect(await reconcile(hub.hub, { after_restore: false, since: 0 })).toMatchObject({ asked: 4 });
  });

  test("a payment with a refund without a last word is asked about, whoever made the refund and however old it is", async () => {
    hub = await driveHub(engine);
    const payment = await paid();
    const transaction = hub.gateway.transactions.get(payment.reference)!;
    transaction.refunds.push({ key: "from-the-dashboard", provider_id: "d-1", amount: transaction.collected, status: "accepted" });
    transaction.refunded = transaction.collected;
    await hub.notify(payment.reference, "refunded");
    await hub.settle();
    hub.clock.advance(400 * DAY_MS);
    await restored();
    await hub.store.write((tx) =>
      tx
        .updateTable("meta")
        .set({ value: String(hub.clock.now()) })
        .where("name", "=", "hold_known_until")
        .execute(),
    );
    transaction.refunds[0] = { ...transaction.refunds[0]!, status: "confirmed" };
    expect(await lift()).toMatchObject({ asked: 1, unclear: 0, hold: null });
    expect(await hub.store.read((db) => db.selectFrom("refunds").select(["origin", "status"]).execute())).toEqual([
      { origin: "provider", status: "succeeded" },
    ]);
  });

  test("which account is unclear is told, and one whose keys are revoked can be left out", async () => {
    hub = await driveHub(engine);
    await paid();
    const gone = await paid();
    await secondAccount(gone);
    await restored();
    const get = hub.gateway.provider.gateway;
    // Every question about the closed account is refused, as with a revoked key.
    const refusing = { ...hub.gateway.provider, gateway: (context: Parameters<typeof get>[0]) => ({ ...get(context), get: refuse(get(context)) }) };
    function refuse(gateway: ReturnType<typeof get>): typeof gateway.get {
      return async (subject) =>
        subject.reference === gone.reference
          ? { certainty: "did_not", refusal: { code: "unauthorized", message: "HTTP 401" }, exchanges: [] }
          : gateway.get(subject);
    }
    const providers = new Map([[refusing.name, refusing]]) as unknown as typeof hub.hub.providers;
    const asked = (wish: Partial<ReconcileWish>) => reconcile({ ...hub.hub, providers }, { after_restore: true, ...wish });
    expect(await asked({})).toMatchObject({
      asked: 2,
      unclear: 1,
      unclear_accounts: { "closed-down": { payments: 1, why: "unauthorized: HTTP 401" } },
      hold: "restored",
    });
    expect(await asked({ skip_accounts: ["closed-down"] })).toMatchObject({ asked: 1, unclear: 0, skipped: { "closed-down": 1 }, hold: null });
    await expect(asked({ skip_accounts: ["never-was"] })).rejects.toThrow();
  });

  test("an account that gives no clear answer is not asked about each of a thousand payments", async () => {
    hub = await driveHub(engine);
    for (let count = 0; count < 24; count += 1) await hub.open((await hub.order()).id);
    await restored();
    for (let tries = 0; tries < 1_000; tries += 1) hub.gateway.next("get", { unclear: "did_nothing" });
    const before = hub.gateway.count("get");
    expect(await lift()).toMatchObject({ asked: 24, unclear: 24, hold: "restored" });
    expect(hub.gateway.count("get") - before).toBeLessThanOrEqual(5 * 23);
  });

  test("refunds that waited for the end of the hold are due at once", async () => {
    hub = await driveHub(engine);
    const payment = await paid();
    hub.gateway.next("refund", { unclear: "did_nothing" });
    const refund = await createRefund(hub.hub, hub.shop_id, payment.id, {}, "test", async () => {});
    expect(refund.status).toBe("unknown");
    await restored();
    await lift();
    await hub.settle();
    expect(await hub.store.read((db) => db.selectFrom("refunds").select("status").execute())).toEqual([{ status: "succeeded" }]);
  });
});
