import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { freshDatabase } from "../../../../tests/harness/postgres.ts";
import { emitEvent } from "../collect/emit.ts";
import { recentBodies } from "../collect/recent-bodies.ts";
import { openMigratedStore } from "../store/index.ts";
import { answer, ENGINES, makeStage, played } from "./testing/stage.ts";

test.each(ENGINES)("what is kept is what is in the database; an event that was not committed is not kept, on %s", async (engine) => {
  const { http, requests } = played(() => answer(200));
  const stage = await makeStage(engine, http);
  await stage.endpoint("https://shop.test/");
  const id = await stage.event();
  const { body } = await stage.store.read((db) => db.selectFrom("events").select("body").where("id", "=", id).executeTakeFirstOrThrow());
  expect(recentBodies(stage.store).get(id)).toBe(body);
  await stage.start().idle();
  expect(requests.map((one) => Buffer.from(one.body!).toString())).toEqual([body]);
  let undone = "";
  const event = { shop_id: stage.shop_id, type: "order.paid", subject: { type: "order", id: "ord_x" }, data: { order: { id: "ord_x" } } } as const;
  const writing = stage.store.write(async (tx) => {
    undone = await emitEvent(stage.hub, tx, event);
    throw new Error("changed my mind");
  });
  await expect(writing).rejects.toThrow("changed my mind");
  expect(undone).toMatch(/^evt_/);
  expect(recentBodies(stage.store).get(undone)).toBeUndefined();
});

test("what another hub has committed is read and sent", async () => {
  const url = await freshDatabase();
  const [one, other] = [await openMigratedStore(url), await openMigratedStore(url)];
  onTestFinished(async () => {
    await one.close();
    await other.close();
  });
  const { http, requests } = played(() => answer(200));
  const teller = await makeStage("postgres", http, one);
  await teller.endpoint("https://shop.test/");
  const id = await teller.event();
  expect(recentBodies(other).get(id)).toBeUndefined();
  await teller.start({ ...teller.hub, store: other }).idle();
  const { rows } = await one.read((db) => sql<{ body: string }>`SELECT body FROM events`.execute(db));
  expect(requests.map((request) => Buffer.from(request.body!).toString())).toEqual(rows.map((row) => row.body));
});
