import { sql } from "kysely";
import { expect, test } from "vitest";
import type { Store } from "../index.ts";
import { order, shop } from "./fixtures.ts";

/** The largest 64-bit integer: no JavaScript number holds it. */
const MONEY_MAX = 9_223_372_036_854_775_807n;

export function valueGuarantees(store: () => Store): void {
  const roundTrip = async (values: Parameters<typeof order>[1]) => {
    const owner = shop();
    const row = order(owner.id, values);
    await store().write(async (tx) => {
      await tx.insertInto("shops").values(owner).execute();
      await tx.insertInto("orders").values(row).execute();
    });
    return store().read((db) => db.selectFrom("orders").selectAll().where("id", "=", row.id).executeTakeFirstOrThrow());
  };

  test("money is bigint to the last unit, other integers are numbers, large ones too", async () => {
    const kept = await roundTrip({ amount: MONEY_MAX, amount_paid: -1n, amount_refunded: 0n, expires_at: Number.MAX_SAFE_INTEGER, version: 7 });
    expect(kept).toMatchObject({ amount: MONEY_MAX, amount_paid: -1n, amount_refunded: 0n, expires_at: Number.MAX_SAFE_INTEGER, version: 7 });
  });

  test("a sum of money is bigint, a count is a number, nothing summed is null", async () => {
    const owner = shop();
    await store().write(async (tx) => {
      await tx.insertInto("shops").values(owner).execute();
      for (const amount of [9_007_199_254_740_993n, 1n]) await tx.insertInto("orders").values(order(owner.id, { amount })).execute();
    });
    const sum = (shop_id: string) =>
      store().read((db) =>
        db
          .selectFrom("orders")
          .select((eb) => [eb.fn.sum<bigint | null>("amount").as("amount"), eb.fn.countAll<number>().as("orders"), sql<bigint>`0`.as("amount_paid")])
          .where("shop_id", "=", shop_id)
          .executeTakeFirstOrThrow(),
      );
    expect(await sum(owner.id)).toEqual({ amount: 9_007_199_254_740_994n, orders: 2, amount_paid: 0n });
    expect(await sum("shp_none")).toEqual({ amount: null, orders: 0, amount_paid: 0n });
  });

  test("an integer that no number can hold is refused instead of rounded", async () => {
    const reading = store().read((db) => sql<{ id: number }>`SELECT 9007199254740993 AS id`.execute(db));
    await expect(reading).rejects.toThrow(/no safe integer/);
  });

  test("JSON is a value in our hands, with its numbers, its unicode and an escaped NUL", async () => {
    const metadata = { text: "Rp 44.000 ✓ 支払い \u{1F4B8} \u0000", deep: { list: [1, 1.5, null, true] }, empty: {} };
    const items = [{ name: "Pulsa", quantity: 1, price: "44000", sku: null }];
    const kept = await roundTrip({ metadata: JSON.stringify(metadata), items: JSON.stringify(items) });
    expect(kept.metadata).toEqual(metadata);
    expect(kept.items).toEqual(items);
  });

  test("text keeps every character; U+0000, which PostgreSQL cannot hold, becomes U+FFFD on both engines", async () => {
    const description = 'O\'Brien "x" \\ 支払い \u{1F4B8} e\u0301\n\t';
    expect((await roundTrip({ description })).description).toBe(description);
    expect((await roundTrip({ description: "a\0b" })).description).toBe("a\uFFFDb");
    expect((await roundTrip({ description: "" })).description).toBe("");
  });

  test("bytes come back as they went in, from a Buffer and from a view into a larger array", async () => {
    const all = Uint8Array.from({ length: 272 }, (_, index) => index % 256);
    for (const checkout_hash of [Buffer.from(all.subarray(0, 256)), all.subarray(16), new Uint8Array(0)]) {
      const kept = await roundTrip({ checkout_hash });
      expect(Buffer.from(kept.checkout_hash).equals(Buffer.from(checkout_hash))).toBe(true);
    }
  });

  test("null and undefined are null, and null JSON is null", async () => {
    const kept = await roundTrip({ description: undefined, return_url: null, closed: null, customer: "null" });
    expect(kept).toMatchObject({ description: null, return_url: null, closed: null, customer: null });
  });

  test("text is ordered by its bytes, so that pages of ids are the same on both engines", async () => {
    const owner = shop();
    const references = ["b", "B", "_", "a1", "a", "~", "é"];
    await store().write(async (tx) => {
      await tx.insertInto("shops").values(owner).execute();
      for (const reference of references) await tx.insertInto("orders").values(order(owner.id, { reference })).execute();
    });
    const rows = await store().read((db) =>
      db.selectFrom("orders").select("reference").where("shop_id", "=", owner.id).orderBy("reference").execute(),
    );
    expect(rows.map(({ reference }) => reference)).toEqual(["B", "_", "a", "a1", "b", "~", "é"]);
  });
}
