import type { RawCallback } from "@lunas/domain";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DrivenHub, driveHub } from "../testing/drive.ts";
import { dedupeKey } from "./dedupe-key.ts";
import { BodyReader, frameCallback, sealBatch } from "./sealed-bodies.ts";

const ACCOUNT = "acc_1";
const HEADERS = { "content-type": "application/json", "x-callback-token": "token", cookie: "not kept" };

function callback(text: string): RawCallback {
  return { method: "POST", query: "a=1", topic: "pay", headers: HEADERS, body: Buffer.from(text) };
}

let hub: DrivenHub;
beforeEach(async () => {
  hub = await driveHub("sqlite");
});
afterEach(() => hub.close());

/** Stores a batch. @param single_of as a body from before there were batches. @returns how a row is read. */
async function stored(sealed: Uint8Array, single_of: string | null = null) {
  const values = { keep_until: 1, single_of, sealed };
  const { id } = await hub.store.write((tx) => tx.insertInto("notification_batches").values(values).returning("id").executeTakeFirstOrThrow());
  const reader = new BodyReader(hub.hub.vault);
  return (place: number, raw: RawCallback, account_id = ACCOUNT) =>
    hub.store.read((db) => reader.read(db, { account_id, verdict: 0, dedupe: dedupeKey(account_id, false, raw.body), batch: id, place }));
}

describe("bodies that are sealed together", () => {
  test.each([
    ["a few", 3, 10],
    ["many, compressed", 200, 900],
    ["one", 1, 0],
  ])("are read by their place, byte for byte: %s", async (_what, count, length) => {
    const raws = Array.from({ length: count }, (_, n) => callback(`{"order_id":"${n}"}${"x".repeat(length)}`));
    const sealed = sealBatch(hub.hub.vault, raws.map(frameCallback));
    if (count === 200) expect(sealed.length).toBeLessThan(count * length * 0.2);
    const read = await stored(sealed);
    for (const [place, raw] of raws.entries()) {
      const { headers, ...rest } = (await read(place, raw))!;
      expect(rest).toEqual({ method: "POST", query: "a=1", topic: "pay", body: raw.body });
      expect(headers).toEqual({ "content-type": "application/json", "x-callback-token": "token" });
    }
  });

  test("a row that points to another's body, or to none, is told that there is none", async () => {
    const [one, two] = [callback("one"), callback("two")];
    const read = await stored(sealBatch(hub.hub.vault, [one, two].map(frameCallback)));
    expect(await read(1, one)).toBeUndefined();
    expect(await read(2, one)).toBeUndefined();
    expect(await read(0, one)).toBeDefined();
    await hub.store.write((tx) => tx.deleteFrom("notification_batches").execute());
    expect(
      await new BodyReader(hub.hub.vault).read(hub.hub.store as never, {
        account_id: ACCOUNT,
        verdict: 0,
        dedupe: one.body,
        batch: null,
        place: null,
      }),
    ).toBeUndefined();
  });

  test("a body from before there were batches is read as its account's, and as nobody else's", async () => {
    const raw = callback("old");
    const read = await stored(hub.hub.vault.seal(`notification:${ACCOUNT}`, frameCallback(raw)), ACCOUNT);
    expect((await read(0, raw))?.body).toEqual(raw.body);
    const foreign = await stored(hub.hub.vault.seal(`notification:${ACCOUNT}`, frameCallback(raw)), "acc_2");
    await expect(foreign(0, raw)).rejects.toMatchObject({ fault: "changed" });
  });
});
