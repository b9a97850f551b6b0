import { expect, test } from "vitest";
import { afterCommit, clearHold, type Db, isUniqueViolation, readHold, setHold, type Store, StoreError, type Tx } from "../index.ts";
import { inTransactionScope } from "../transaction-scope.ts";
import { gate, order, shop, unique } from "./fixtures.ts";

const count = (store: Store, id: string) =>
  store.read(async (db) => (await db.selectFrom("shops").select("id").where("id", "=", id).execute()).length);

export function transactionGuarantees(store: () => Store): void {
  test("a write is seen by every read after it resolved, and by none before its commit", async () => {
    const row = shop();
    const written = gate();
    const go = gate();
    const writing = store().write(async (tx) => {
      await tx.insertInto("shops").values(row).execute();
      written.open();
      await go.passed;
    });
    await written.passed;
    expect(await count(store(), row.id)).toBe(0);
    go.open();
    await writing;
    expect(await count(store(), row.id)).toBe(1);
  });

  test("a unit of work that throws leaves nothing behind and rejects with what it threw", async () => {
    const row = shop();
    const thrown = new Error("changed my mind");
    const writing = store().write(async (tx) => {
      await tx.insertInto("shops").values(row).execute();
      throw thrown;
    });
    await expect(writing).rejects.toBe(thrown);
    expect(await count(store(), row.id)).toBe(0);
  });

  test("a unit that fails does not undo its neighbours, before or after it", async () => {
    const rows = [shop(), shop(), shop()] as const;
    const insert = (index: number, fail: boolean) =>
      store().write(async (tx) => {
        await tx.insertInto("shops").values(rows[index]!).execute();
        if (fail) throw new Error("fails");
      });
    const results = await Promise.allSettled([insert(0, false), insert(1, true), insert(2, false)]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await Promise.all(rows.map(({ id }) => count(store(), id)))).toEqual([1, 0, 1]);
  });

  test("what is to be done after the commit is done then, before the writer goes on; of a unit that fails, never", async () => {
    const rows = [shop(), shop(), shop()] as const;
    const done: string[] = [];
    const write = (index: number, fail: boolean) =>
      store().write(async (tx) => {
        const { id } = rows[index]!;
        afterCommit(() => done.push(id));
        await tx.insertInto("shops").values(rows[index]!).execute();
        await new Promise((resolve) => setImmediate(resolve));
        expect(done).not.toContain(id);
        if (fail) throw new Error("fails");
      });
    const seen = async (index: number): Promise<void> => {
      await write(index, false);
      expect(done).toContain(rows[index]!.id);
    };
    const results = await Promise.allSettled([seen(0), write(1, true), seen(2)]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(done.toSorted()).toEqual([rows[0].id, rows[2].id].toSorted());
    expect(() => afterCommit(() => {})).toThrow("no open transaction");
  });

  test("a statement's failure that is caught inside the unit fails the unit all the same, on both engines", async () => {
    const [known, other] = [shop(), shop()];
    await store().write((tx) => tx.insertInto("shops").values(known).execute());
    const writing = store().write(async (tx) => {
      await tx.insertInto("shops").values(other).execute();
      await tx
        .insertInto("shops")
        .values(known)
        .execute()
        .catch(() => undefined);
      return "looks well";
    });
    await expect(writing).rejects.toSatisfy(isUniqueViolation);
    expect(await count(store(), other.id)).toBe(0);
  });

  test("the root database and a second transaction are refused inside a transaction, also where they were taken out of earlier", async () => {
    let root: Db | undefined;
    await store().read(async (db) => (root = db));
    const refused = [
      () => store().read((db) => db.selectFrom("shops").select("id").execute()),
      () => store().write(async () => undefined),
      () => root!.selectFrom("shops").select("id").execute(),
    ];
    for (const use of refused) await expect(store().write(async () => void (await use()))).rejects.toThrow(/inside (a transaction|another one)/);
    expect(await store().read((db) => db.selectFrom("shops").select("id").where("id", "=", "none").execute())).toEqual([]);
  });

  test("a transaction cannot be used after its end, and what its unit left running is outside of it", async () => {
    let kept: Tx | undefined;
    const go = gate();
    const row = shop();
    const left = await store().write(async (tx) => {
      kept = tx;
      const later = go.passed.then(async () => {
        expect(inTransactionScope()).toBe(false);
        await expect(tx.insertInto("shops").values(row).execute()).rejects.toThrow(/outside of its unit/);
        return store().write((own) => own.insertInto("shops").values(row).execute());
      });
      return { later };
    });
    await expect(kept!.selectFrom("shops").select("id").execute()).rejects.toThrow(/outside of its unit/);
    go.open();
    await left.later;
    expect(await count(store(), row.id)).toBe(1);
  });

  test("F18: of 50 inserts of one unique key at once, exactly one wins and the others are told that it is taken", async () => {
    const { id: shop_id } = shop();
    await store().write((tx) => tx.insertInto("shops").values(shop(shop_id)).execute());
    const reference = unique("INV");
    const attempts = Array.from({ length: 50 }, () => store().write((tx) => tx.insertInto("orders").values(order(shop_id, { reference })).execute()));
    const results = await Promise.allSettled(attempts);
    const refused = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown);
    expect(refused).toHaveLength(49);
    expect(refused.every(isUniqueViolation)).toBe(true);
    const rows = await store().read((db) => db.selectFrom("orders").select("id").where("reference", "=", reference).execute());
    expect(rows).toHaveLength(1);
  });

  test("of 50 compare-and-sets of one version at once, exactly one wins", async () => {
    const { id: shop_id } = shop();
    const row = order(shop_id);
    await store().write(async (tx) => {
      await tx.insertInto("shops").values(shop(shop_id)).execute();
      await tx.insertInto("orders").values(row).execute();
    });
    const tries = Array.from({ length: 50 }, (_, index) =>
      store().write(async (tx) => {
        const set = tx
          .updateTable("orders")
          .set({ version: 2, description: `winner ${index}` })
          .where("id", "=", row.id)
          .where("version", "=", 1);
        return (await set.executeTakeFirst()).numUpdatedRows;
      }),
    );
    const won = await Promise.all(tries);
    expect(won.filter((rows) => rows === 1n)).toHaveLength(1);
    const kept = await store().read((db) =>
      db.selectFrom("orders").select(["version", "description"]).where("id", "=", row.id).executeTakeFirstOrThrow(),
    );
    expect(kept).toEqual({ version: 2, description: `winner ${won.indexOf(1n)}` });
  });

  test("a violated foreign key is no unique violation, and names itself", async () => {
    const writing = store().write((tx) => tx.insertInto("orders").values(order("shp_unknown")).execute());
    const error = await writing.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ fault: "other" });
    expect(String(error)).toMatch(/foreign key/i);
  });

  test("a hold keeps its first reason until it is cleared", async () => {
    expect(await readHold(store())).toBeUndefined();
    await setHold(store(), "restored");
    await setHold(store(), "another");
    expect(await readHold(store())).toBe("restored");
    await clearHold(store());
    expect(await readHold(store())).toBeUndefined();
  });
}
