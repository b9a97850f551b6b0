import { DAY_MS } from "@lunas/domain";
import { afterEach, describe, expect, test } from "vitest";
import type { Job } from "../store/jobs.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { sweep } from "./sweep.ts";

const ALL = 4_400_000n;

describe.each(ENGINES)("money of another transaction under a payment's reference, on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  const found = () => hub.store.read((db) => db.selectFrom("unmatched_money").select(["status", "refunded"]).execute());
  const asked = () => hub.gateway.count("get");

  /** A hosted page on which the buyer paid twice. @returns the transaction that is not the payment's. */
  async function paidTwice(): Promise<string> {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id, "snap");
    const { reference } = payment;
    const first = hub.gateway.transactions.get(reference)!.provider_id;
    hub.gateway.set(reference, "failed");
    await hub.notify(reference, "failed", undefined, { provider_id: first });
    await hub.settle();
    const second = hub.gateway.again(reference).provider_id;
    for (const id of [second, first]) {
      hub.gateway.pay(id);
      await hub.notify(reference, "paid", undefined, { provider_id: id });
      await hub.settle();
    }
    expect(await found()).toMatchObject([{ status: "paid" }]);
    return (await hub.payment(payment.id)).provider_id === second ? first : second;
  }

  test("is followed with the payment, also when that one's own questions are over, and not for ever", async () => {
    const other = await paidTwice();
    for (let day = 0; day < 5; day += 1) await hub.advance(DAY_MS);
    hub.gateway.refundThere(other, ALL);
    for (let day = 0; day < 10; day += 1) await hub.advance(DAY_MS);
    expect(await found()).toEqual([{ status: "refunded", refunded: ALL }]);
    for (let day = 0; day < 50; day += 1) await hub.advance(DAY_MS);
    const before = asked();
    for (let day = 0; day < 20; day += 1) await hub.advance(DAY_MS);
    expect(asked()).toBe(before);
  });

  test("is found by the sweep when the payment has lost its job", async () => {
    await paidTwice();
    for (let day = 0; day < 5; day += 1) await hub.advance(DAY_MS);
    await hub.store.write((tx) => tx.deleteFrom("jobs").execute());
    await sweep(hub.hub, {} as Job);
    const before = asked();
    await hub.settle();
    expect(asked()).toBeGreaterThan(before);
  });
});
