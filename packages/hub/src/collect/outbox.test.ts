import { afterEach, describe, expect, test, vi } from "vitest";
import { guardedHttp } from "../net/http.ts";
import { insertEndpoint } from "../provision.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import * as derive from "./derive.ts";
import { createRefund } from "./refunds.ts";

const SECRET = "whsec_bHVuYXMtZGVtby1zaG9wLWVuZHBvaW50LXNlY3JldA==";

describe.each(ENGINES)("the outbox on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(async () => {
    vi.restoreAllMocks();
    await hub.close();
  });

  async function paid(): Promise<string> {
    await hub.store.write((tx) => insertEndpoint(hub.hub, tx, hub.shop_id, "https://shop.example/hook", SECRET, null));
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    return payment.id;
  }
  const bodies = (subject_id: string) =>
    hub.store.read((db) =>
      db.selectFrom("events").select(["type", "sequence", "body"]).where("subject_id", "=", subject_id).orderBy("sequence").execute(),
    );

  test("an event holds what was true when it happened, whatever happened since, and is numbered in order (F20)", async () => {
    hub = await driveHub(engine);
    const payment_id = await paid();
    await createRefund(hub.hub, hub.shop_id, payment_id, {}, "test", async () => {});
    await hub.settle();
    const rows = await bodies(payment_id);
    expect(rows.map((row) => row.sequence)).toEqual([1, 2, 3]);
    const [, told, refunded] = rows.map(
      (row) =>
        JSON.parse(row.body) as { type: string; data: { payment: { status: string; amount_refunded: number }; order: { payment_status: string } } },
    );
    expect(told).toMatchObject({
      type: "payment.paid",
      data: { payment: { status: "paid", amount_refunded: 0 }, order: { payment_status: "paid" } },
    });
    expect(refunded).toMatchObject({
      type: "payment.refunded",
      data: { payment: { status: "refunded", amount_refunded: 44_000 }, order: { payment_status: "refunded" } },
    });
  });

  test("a change that is undone is told to nobody: no event, no delivery, and it happens on the next try (F22)", async () => {
    hub = await driveHub(engine);
    await hub.store.write((tx) => insertEndpoint(hub.hub, tx, hub.shop_id, "https://shop.example/hook", SECRET, null));
    const payment = await hub.open((await hub.order()).id);
    const before = await hub.store.read((db) => db.selectFrom("deliveries").selectAll().execute());
    hub.gateway.pay(payment.reference);
    const broken = vi.spyOn(derive, "rederiveOrder").mockRejectedValueOnce(new Error("a mistake of ours"));
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    expect(broken).toHaveBeenCalled();
    expect((await hub.payment(payment.id)).status).toBe("pending");
    expect(await hub.store.read((db) => db.selectFrom("deliveries").selectAll().execute())).toHaveLength(before.length);
    await hub.advance(120_000);
    expect((await hub.payment(payment.id)).status).toBe("paid");
    expect(await hub.events(payment.id)).toEqual(["payment.pending#1", "payment.paid#2"]);
  });

  test("what the gateway said is kept although the change it should have made failed (F17)", async () => {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    vi.spyOn(derive, "rederiveOrder").mockRejectedValueOnce(new Error("a mistake of ours"));
    await hub.notify(payment.reference, "paid");
    await hub.settle();
    const answers = await hub.store.read((db) =>
      db.selectFrom("answers").select(["operation", "verdict", "summary"]).where("operation", "=", "get").execute(),
    );
    expect(answers).toMatchObject([{ verdict: "kept", summary: { status: "paid" } }]);
    expect(await hub.store.read((db) => db.selectFrom("notifications").selectAll().execute())).toHaveLength(1);
  });

  test("the network cannot be used while a transaction is open, nor the root database (F19)", async () => {
    hub = await driveHub(engine);
    const http = guardedHttp({ allow: ["127.0.0.0/8"] });
    const call = hub.store.write(async () => http({ method: "GET", url: "http://127.0.0.1:9/", headers: {}, timeout_ms: 1_000 }));
    await expect(call).rejects.toThrow("transaction was open");
    await expect(hub.store.write(() => hub.store.read((db) => db.selectFrom("shops").selectAll().execute()))).rejects.toThrow("inside a transaction");
  });

  test("each paid order makes one delivery per endpoint and event, in the transaction of the change (F3)", async () => {
    hub = await driveHub(engine);
    await paid();
    const rows = await hub.store.read((db) =>
      db
        .selectFrom("deliveries")
        .innerJoin("events", "events.id", "deliveries.event_id")
        .select(["events.type", "deliveries.status"])
        .orderBy("events.position")
        .execute(),
    );
    expect(rows).toEqual(["order.pending", "payment.pending", "order.paid", "payment.paid"].map((type) => ({ type, status: "due" })));
  });
});
