import { afterEach, describe, expect, test } from "vitest";
import { setHold } from "../store/hold.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { emitEvent } from "./emit.ts";

const PAYMENT = "pay_0123456789abcdefghjkmn";

describe.each(ENGINES)("the ids of events on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  /** Tells of a payment, as it is told when its state has changed. */
  const tell = (type: "payment.paid" | "payment.partially_refunded" | "payment.failed" | "payment.pending", amount_refunded = 0): Promise<string> =>
    hub.store.write((tx) =>
      emitEvent(hub.hub, tx, {
        shop_id: hub.shop_id,
        type,
        subject: { type: "payment", id: PAYMENT },
        data: { payment: { status: type.split(".")[1], amount: 44_000, amount_paid: 44_000, amount_refunded, amount_reversed: 0 } },
      }),
    );
  const sequences = async (): Promise<number[]> =>
    (await hub.store.read((db) => db.selectFrom("events").select("sequence").where("subject_id", "=", PAYMENT).orderBy("sequence").execute())).map(
      (row) => row.sequence,
    );
  /** The database is put back to when only so many events were known. */
  async function restore(known: readonly string[]): Promise<void> {
    await hub.store.write((tx) => tx.deleteFrom("events").where("id", "not in", known).execute());
    await setHold(hub.store, "restored");
  }

  test("a restored hub that learns of fewer steps gives no new fact the id of an old one, and the same fact the id that it had", async () => {
    hub = await driveHub(engine);
    const paid = await tell("payment.paid");
    const ten = await tell("payment.partially_refunded", 10_000);
    const thirty = await tell("payment.partially_refunded", 30_000);
    expect(new Set([paid, ten, thirty]).size).toBe(3);
    await restore([paid]);
    // It asks once, and the gateway says what all of the lost time came to.
    expect(await tell("payment.partially_refunded", 30_000)).toBe(thirty);
    expect([paid, ten, thirty]).not.toContain(await tell("payment.partially_refunded", 40_000));
  });

  test("what a restored hub tells is numbered above all that was told before: whoever keeps the largest number takes it", async () => {
    hub = await driveHub(engine);
    const paid = await tell("payment.paid");
    for (let refunded = 1; refunded <= 20; refunded += 1) await tell("payment.partially_refunded", refunded);
    const before = await sequences();
    expect(before).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    await restore([paid]);
    await tell("payment.partially_refunded", 30_000);
    await tell("payment.partially_refunded", 40_000);
    const [, first, second] = await sequences();
    expect(first).toBeGreaterThan(Math.max(...before));
    expect(second).toBe(first! + 1);
  });

  test("the same state that is come to again is another fact, under another id", async () => {
    hub = await driveHub(engine);
    const ids: string[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) ids.push(await tell("payment.pending"), await tell("payment.failed"));
    expect(new Set(ids).size).toBe(6);
    await restore(ids.slice(0, 2));
    expect(await tell("payment.pending")).toBe(ids[2]);
  });
});
