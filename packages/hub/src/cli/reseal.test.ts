import { afterEach, describe, expect, test } from "vitest";
import { buildApi } from "../api/server.ts";
import { timelineOf } from "../api/timeline.ts";
import { openCredentials } from "../collect/accounts.ts";
import { findBundle } from "../collect/rows.ts";
import { createEndpoint } from "../deliver/operations.ts";
import { openSecrets } from "../deliver/secrets.ts";
import type { Hub } from "../hub.ts";
import { BodyReader } from "../ingest/sealed-bodies.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { FAKE_CREDENTIALS } from "../testing/fake-provider.ts";
import { openVault } from "../token-key.ts";
import { Vault } from "../vault.ts";
import { reseal } from "./reseal.ts";

/** Of the test hub. */
const OLD = Buffer.alloc(32, 7).toString("base64");
const NEW = Buffer.alloc(32, 8).toString("base64");
const ORDER = { method: "POST", url: "/v1/orders", payload: { reference: "API-1", amount: 10_000 } } as const;

describe.each(ENGINES)("sealing anew on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  const under = async (keys: string): Promise<Hub> => ({ ...hub.hub, vault: await openVault(hub.store, keys) });
  const postOrder = async (as: Hub) => {
    const api = buildApi(as, { ready: async () => ({ ok: true, problems: [] }) });
    const answer = await api.inject({ ...ORDER, headers: { authorization: `Bearer ${hub.api_key}`, "idempotency-key": "once" } });
    await api.close();
    return answer;
  };

  /** One of everything that is sealed, under the old key; more answers than one page holds. */
  async function seeded() {
    hub = await driveHub(engine);
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference);
    await hub.notify(payment.reference, "paid");
    await hub.notify(payment.reference, "paid", "guessed");
    await hub.settle();
    const { endpoint, secret } = await createEndpoint(hub.hub, hub.shop_id, { url: "https://toko.example/hook", events: null, description: null });
    const first = await postOrder(await under(OLD));
    const [answer] = await hub.store.read((db) => db.selectFrom("answers").selectAll().where("subject_id", "=", payment.id).orderBy("id").execute());
    const copies = Array.from({ length: 450 }, (_, index) => {
      const id = `ans_copy${index}`;
      return { ...answer!, id, summary: "{}", exchange: hub.hub.vault.seal(`answer:${id}`, "[]") };
    });
    await hub.store.write(async (tx) => {
      for (let at = 0; at < copies.length; at += 50)
        await tx
          .insertInto("answers")
          .values(copies.slice(at, at + 50))
          .execute();
    });
    const answers = (await hub.store.read((db) => db.selectFrom("answers").select("id").execute())).length;
    return { payment, endpoint, secret, first, answers };
  }

  /** As the command line does: call after call, each as short as can be. */
  async function resealAll(as: Hub): Promise<{ counts: Record<string, number>; unreadable: number; calls: number }> {
    const counts: Record<string, number> = {};
    let calls = 0;
    for (let from: string | undefined; ;) {
      const part = await reseal(as, 0, from);
      calls += 1;
      for (const [name, count] of Object.entries(part.resealed)) counts[name] = (counts[name] ?? 0) + count;
      if (part.next === null) return { counts, unreadable: part.unreadable, calls };
      from = part.next;
    }
  }

  test("goes through everything in pages, and the old key can be dropped: timelines, bodies, secrets and kept answers open, tokens stay", async () => {
    const { payment, endpoint, secret, first, answers } = await seeded();
    const token = Buffer.from((await under(OLD)).vault.hmac("checkout-token", "ord_1"));
    const done = await resealAll(await under(`${NEW},${OLD}`));
    expect(done.counts).toEqual({ accounts: 1, endpoints: 1, answers, notifications: 2, kept_answers: 1, token_key: 1 });
    expect(done.unreadable).toBe(0);
    expect(done.calls).toBeGreaterThan(5);

    const after = await under(NEW);
    expect(Buffer.from(after.vault.hmac("checkout-token", "ord_1"))).toEqual(token);
    const bundle = await hub.store.read((db) => findBundle(db, undefined, payment.order_id));
    const timeline = await timelineOf(after, bundle!, bundle!.payments[0]!);
    expect(timeline.filter((entry) => entry.kind === "answer").length).toBe(answers);
    const [account, stored, rows] = await hub.store.read(async (db) => [
      await db.selectFrom("accounts").selectAll().executeTakeFirstOrThrow(),
      await db.selectFrom("endpoints").selectAll().where("id", "=", endpoint.id).executeTakeFirstOrThrow(),
      await db.selectFrom("notifications").selectAll().orderBy("seq").execute(),
    ]);
    const reader = new BodyReader(after.vault);
    const raws = await hub.store.read((db) => Promise.all(rows.map((row) => reader.read(db, row))));
    expect(openCredentials(after, account)).toEqual([FAKE_CREDENTIALS]);
    expect(openSecrets(after, stored)).toEqual([{ secret, expires_at: null }]);
    expect(raws.map((raw) => Buffer.from(raw!.body).toString())).toEqual([
      expect.stringContaining(payment.reference),
      expect.stringContaining(payment.reference),
    ]);
    const again = await postOrder(after);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(again.body).toBe(first.body);
  });

  test("is done once: repeated it finds nothing, and continued it does the rest", async () => {
    const { answers } = await seeded();
    const during = await under(`${NEW},${OLD}`);
    const started = await reseal(during, 0);
    expect(started.next).not.toBeNull();
    expect(started.resealed).toMatchObject({ accounts: 1, endpoints: 0 });
    // As after a crash: from the beginning, not from where it stopped.
    const rest = await resealAll(during);
    expect(rest.counts).toEqual({ accounts: 0, endpoints: 1, answers, notifications: 2, kept_answers: 1, token_key: 1 });
    const third = await resealAll(during);
    expect(Object.values(third.counts)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("never puts an old value in the place of one that was changed meanwhile", async () => {
    hub = await driveHub(engine);
    const during = await under(`${NEW},${OLD}`);
    const changed = during.vault.seal(`account:${hub.account_id}`, JSON.stringify([{ secret: "changed meanwhile" }]));
    let meddled = false;
    const meddling: Hub["store"] = {
      engine: hub.store.engine,
      close: () => hub.store.close(),
      recordNotifications: (records, keeping) => hub.store.recordNotifications(records, keeping),
      write: (work) => hub.store.write(work),
      read: async (query) => {
        const found = await hub.store.read(query);
        if (!meddled)
          await hub.store.write((tx) => tx.updateTable("accounts").set({ credentials: changed }).where("id", "=", hub.account_id).execute());
        meddled = true;
        return found;
      },
    };
    const done = await reseal({ ...during, store: meddling }, 60_000);
    expect(done).toMatchObject({ resealed: { accounts: 0 }, unreadable: 0, next: null });
    const row = await hub.store.read((db) => db.selectFrom("accounts").selectAll().where("id", "=", hub.account_id).executeTakeFirstOrThrow());
    expect(openCredentials(during, row)).toEqual([{ secret: "changed meanwhile" }]);
  });

  test("counts what no configured key opens, seals the rest, and leaves the token key under the old one", async () => {
    hub = await driveHub(engine);
    await under(OLD);
    const lost = new Vault(Buffer.alloc(32, 9).toString("base64"));
    const { endpoint } = await createEndpoint({ ...hub.hub, vault: lost }, hub.shop_id, {
      url: "https://toko.example/hook",
      events: null,
      description: null,
    });
    const done = await resealAll(await under(`${NEW},${OLD}`));
    expect(done).toMatchObject({ unreadable: 1, counts: { accounts: 1, endpoints: 0 } });
    expect(done.counts["token_key"]).toBeUndefined();
    await expect(under(NEW)).rejects.toMatchObject({ fault: "unknown_key" });
    const row = await hub.store.read((db) => db.selectFrom("endpoints").selectAll().where("id", "=", endpoint.id).executeTakeFirstOrThrow());
    expect(openSecrets({ vault: lost }, row)).toHaveLength(1);
  });
});
