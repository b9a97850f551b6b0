import { expect, onTestFinished, test } from "vitest";
import type { Store } from "../store/index.ts";
import { gate } from "../store/conformance/fixtures.ts";
import { makeTestHub } from "../testing/make-hub.ts";
import { AccountCache } from "./account-cache.ts";

/** A cache over a database whose answers wait to be let go, and how often it was read. */
async function slow() {
  const made = await makeTestHub();
  onTestFinished(() => made.store.close());
  const go = gate();
  const counts = { reads: 0 };
  const store: Pick<Store, "read"> = {
    read: async (query) => {
      counts.reads += 1;
      const answer = await made.store.read(query);
      await go.passed;
      return answer;
    },
  };
  const cache = new AccountCache({ ...made.hub, store: { ...made.store, ...store } });
  return { ...made, cache, go, counts };
}

test("whoever comes while an account is read waits for the same answer", async () => {
  const { cache, go, counts, slug, account_id } = await slow();
  const found = Array.from({ length: 50 }, () => cache.find(slug));
  go.open();
  expect((await Promise.all(found)).map((account) => account?.row.id)).toEqual(Array.from({ length: 50 }, () => account_id));
  expect((await cache.find(slug))?.row.id).toBe(account_id);
  expect(counts.reads).toBe(1);
});

test("what was being read when the account changed is neither joined nor kept", async () => {
  const { cache, go, counts, slug, store, hub, account_id } = await slow();
  const before = cache.find(slug);
  // Its answer is taken, and held back.
  await store.write((tx) => tx.updateTable("accounts").set({ status: "disabled" }).where("id", "=", account_id).execute());
  hub.signals.emit({ kind: "account", account_id });
  const after = cache.find(slug);
  go.open();
  expect((await before)?.row.status).toBe("active");
  expect((await after)?.row.status).toBe("disabled");
  expect((await cache.find(slug))?.row.status).toBe("disabled");
  expect(counts.reads).toBe(2);
});

test("an account that could not be read is read again by the next", async () => {
  const { hub, slug, account_id, store } = await makeTestHub();
  onTestFinished(() => store.close());
  let broken = true;
  const read: Store["read"] = (query) => (broken ? Promise.reject(new Error("no database")) : store.read(query));
  const cache = new AccountCache({ ...hub, store: { ...store, read } });
  await expect(Promise.all([cache.find(slug), cache.find(slug)])).rejects.toThrow("no database");
  broken = false;
  expect((await cache.find(slug))?.row.id).toBe(account_id);
});
