import { afterEach, describe, expect, test } from "vitest";
import { ENGINES, testStore } from "../testing/drive.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

interface Entry {
  readonly kind: string;
  readonly id: string;
  readonly summary: string;
}

describe.each(ENGINES)("a payment's timeline on %s", (engine) => {
  let api: TestApi;
  afterEach(async () => {
    await api.close();
    await api.store.close();
  });
  const start = async (): Promise<Awaited<ReturnType<TestApi["payment"]>>> => {
    api = await makeTestApi({ store: await testStore(engine) });
    return api.payment((await api.order()).id);
  };
  const timeline = async (id: string): Promise<Entry[]> => (await api.call("GET", `/v1/payments/${id}/timeline`)).json<{ data: Entry[] }>().data;
  const callback = (reference: string, proof: string) =>
    api.api.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: Buffer.from(api.gateway.callback(reference, "paid", proof).body) });

  test("shows what was forged about it, and nothing that was forged about another", async () => {
    const payment = await start();
    const other = await api.payment((await api.order()).id);
    await callback(payment.provider_reference, "a guess");
    await callback(other.provider_reference, "a guess");
    const shown = (await timeline(payment.id)).filter((entry) => entry.kind === "notification");
    expect(shown.map((entry) => entry.summary)).toEqual(['a forged notification claims "paid"']);
    // The same reference at an account of another shop is another payment.
    const stranger = await api.addShop("stranger");
    await api.api.inject({
      method: "POST",
      url: `/callbacks/${stranger.slug}`,
      payload: Buffer.from(api.gateway.callback(payment.provider_reference, "paid", "x").body),
    });
    expect((await timeline(payment.id)).filter((entry) => entry.kind === "notification")).toHaveLength(1);
  });

  test("of what came in thousands it shows the newest, in their order", async () => {
    const payment = await start();
    const rows = Array.from({ length: 1_100 }, (_, i) => ({
      id: `trn_9${String(i).padStart(21, "0")}`,
      shop_id: api.shop_id,
      subject_type: "payment" as const,
      subject_id: payment.id,
      sequence: 1_000 + i,
      from_status: "pending" as const,
      to_status: "pending" as const,
      flags: "[]",
      cause: "shaken",
      answer_id: null,
      at: api.clock.now() + i,
    }));
    await api.store.write(async (tx) => {
      for (let at = 0; at < rows.length; at += 100)
        await tx
          .insertInto("transitions")
          .values(rows.slice(at, at + 100))
          .execute();
    });
    const shown = (await timeline(payment.id)).filter((entry) => entry.kind === "transition");
    expect(shown).toHaveLength(1_000);
    expect(shown.map((entry) => entry.id)).toEqual(rows.slice(100).map((row) => row.id));
  });
});
