import { DAY_MS, firstIdAt, HOUR_MS, idMaker, ManualClock, MINUTE_MS, seededRandom } from "@lunas/domain";
import { sql } from "kysely";
import { afterEach, describe, expect, test } from "vitest";
import type { Job } from "../store/jobs.ts";
import { type DrivenHub, driveHub, ENGINES } from "../testing/drive.ts";
import { emitEvent } from "../collect/emit.ts";
import { insertEndpoint } from "../provision.ts";
import { deletions, prune } from "./prune.ts";

const NO_JOB = {} as Job;

describe.each(ENGINES)("pruning on %s", (engine) => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  async function attempts(count: number, at: number): Promise<void> {
    const newId = idMaker(new ManualClock(at), seededRandom(at));
    for (let from = 0; from < count; from += 500) {
      const rows = Array.from({ length: Math.min(500, count - from) }, (_, index) => ({
        id: newId("attempt"),
        delivery_id: newId("delivery"),
        number: from + index,
        trigger: "schedule" as const,
        started_at: at,
        elapsed_ms: 1,
        status: 200,
        fault: null,
        response_body: null,
      }));
      await hub.store.write((tx) => tx.insertInto("attempts").values(rows).execute());
    }
  }
  const count = async (): Promise<number> => (await hub.store.read((db) => db.selectFrom("attempts").select("id").execute())).length;

  test("attempts go after 90 days, so many in one run, and what is left soon after", async () => {
    hub = await driveHub(engine);
    const now = hub.clock.now();
    await attempts(3_000, now - 91 * DAY_MS);
    await attempts(3, now - 89 * DAY_MS);
    expect(await prune(hub.hub, NO_JOB, 2)).toEqual({ due_at: now + MINUTE_MS });
    expect(await count()).toBe(1_003);
    expect(await prune(hub.hub, NO_JOB)).toEqual({ due_at: now + 6 * HOUR_MS });
    expect(await count()).toBe(3);
  });
});

describe.each(ENGINES)("clearing first attempts on %s", (engine) => {
  const ATTEMPT = { first_trigger: "schedule", first_at: 1, first_elapsed_ms: 9, first_status: 200, first_fault: null, first_body: "ok" } as const;

  /** Deliveries that were made and tried at that moment. */
  async function deliveries(hub: DrivenHub, count: number, at: number): Promise<void> {
    const newId = idMaker(new ManualClock(at), seededRandom(at));
    const { shop_id } = hub;
    await hub.store.write(async (tx) => {
      const endpoint_id = await insertEndpoint(hub.hub, tx, shop_id, `https://shop.test/${at}`, "whsec_bHVuYXMtdGVzdA==", null);
      for (let made = 0; made < count; made += 1) {
        const event_id = await emitEvent(hub.hub, tx, {
          shop_id,
          type: "payment.paid",
          subject: { type: "payment", id: `pay_${at}_${made}` },
          data: {},
          endpoint_id,
        });
        await tx
          .updateTable("deliveries")
          .set({ id: newId("delivery"), status: "delivered", attempts: 1, ...ATTEMPT, first_at: at })
          .where("event_id", "=", event_id)
          .execute();
      }
    });
  }
  const kept = async (hub: DrivenHub): Promise<(number | null)[]> => {
    const rows = await hub.store.read((db) => db.selectFrom("deliveries").selectAll().where("first_body", "is not", null).orderBy("id").execute());
    return rows.map((row) => row.first_at);
  };

  test("they go like the others, so many in one run; their deliveries stay, and younger ones keep theirs", async () => {
    const hub = await driveHub(engine);
    const now = hub.clock.now();
    await deliveries(hub, 2_100, now - 92 * DAY_MS);
    await deliveries(hub, 1, now - 89 * DAY_MS);
    expect(await prune(hub.hub, NO_JOB, 2)).toEqual({ due_at: now + MINUTE_MS });
    expect(await kept(hub)).toHaveLength(101);
    expect(await prune(hub.hub, NO_JOB, 2)).toEqual({ due_at: now + 6 * HOUR_MS });
    expect(await kept(hub)).toEqual([now - 89 * DAY_MS]);
    const rows = await hub.store.read((db) => db.selectFrom("deliveries").selectAll().orderBy("id").execute());
    expect(rows).toHaveLength(2_101);
    expect(rows[0]).toMatchObject({
      status: "delivered",
      attempts: 1,
      first_at: null,
      first_trigger: null,
      first_elapsed_ms: null,
      first_status: null,
    });
    // What has become old since goes, although what was before it is done.
    hub.clock.advance(3 * DAY_MS);
    await prune(hub.hub, NO_JOB);
    expect(await kept(hub)).toEqual([]);
    await hub.close();
  });
});

test("each deletion reads an index or a range of the primary key: none goes through a whole table", async () => {
  const hub = await driveHub();
  for (const deletion of deletions(hub.clock.now())) {
    const { rows } = await hub.store.write((tx) => sql<{ detail: string }>`EXPLAIN QUERY PLAN ${deletion}`.execute(tx));
    expect(rows.map((row) => row.detail).filter((detail) => /^SCAN (?!\w+ USING (COVERING )?INDEX)/.test(detail))).toEqual([]);
  }
  await hub.close();
});

test("the first id of a moment sorts behind all that were made before it, and before all that come", () => {
  const clock = new ManualClock(1_000_000);
  const newId = idMaker(clock, seededRandom(1));
  const before = newId("attempt");
  clock.advance(1);
  expect(firstIdAt("attempt", 1_000_001) > before).toBe(true);
  expect(newId("attempt") >= firstIdAt("attempt", 1_000_001)).toBe(true);
});
