import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Tx } from "../../store/index.ts";
import type { TestApi } from "../testing.ts";

/** Stands in everything that is another shop's. */
export const GONE = "of-another-shop";

/** Rows of the shop, and newer ones of another that is busier. */
export const OURS = 400;
export const THEIRS = 4_000;
/** Of the kind that a filter looks for: the oldest ones. */
export const RARE = 8;
const CHUNK = 200;

type Row = Record<string, unknown>;
type Table = "orders" | "payments" | "refunds" | "events" | "endpoints" | "deliveries" | "notifications";

/**
 * Fills each table with copies of what the API makes once, so that a query which walks where it could jump is seen to. What is rare
 * is the oldest, and the newest is another shop's.
 * @returns ids of what is rare, by the words that the tests use for them.
 */
export async function fillLists(api: TestApi): Promise<Record<string, string>> {
  const theirs = await api.addShop("another");
  const sample = await samples(api);
  const id = (prefix: string, i: number): string => `${prefix}_${String(i).padStart(22, "0")}`;
  const spread = (make: (i: number, mine: boolean, rare: boolean) => Row): Row[] => [
    ...Array.from({ length: OURS }, (_, i) => ({ shop_id: api.shop_id, ...make(i, true, i < RARE) })),
    ...Array.from({ length: THEIRS }, (_, i) => ({ shop_id: theirs.shop_id, ...make(OURS + i, false, false) })),
  ];
  const name = (mine: boolean, i: number): string => `${mine ? "R" : GONE}-${i}`;
  const account = (mine: boolean): Row => ({ account_id: mine ? api.account_id : theirs.account_id });
  const endpoints = ["RARE", "USUAL", "THEIRS"].map((_, i) => id("end", i));
  const filled: Record<Table, Row[]> = {
    orders: spread((i, mine, rare) => ({
      id: id("ord", i),
      reference: name(mine, i),
      checkout_hash: randomBytes(16),
      payment_status: rare ? "expired" : "paid",
    })),
    payments: spread((i, mine, rare) => ({
      ...account(mine),
      id: id("pay", i),
      order_id: id("ord", i),
      reference: name(mine, i),
      provider_id: null,
      status: rare ? "expired" : "paid",
    })),
    refunds: spread((i, mine) => ({
      id: id("rfd", i),
      order_id: id("ord", i),
      payment_id: id("pay", i),
      provider_key: name(mine, i),
      created_at: i,
    })),
    events: spread((i, mine, rare) => ({
      id: id("evt", i),
      position: id("evt", i),
      subject_id: id("pay", i),
      payment_id: id("pay", i),
      order_id: id("ord", i),
      type: rare ? "money.unmatched" : "payment.paid",
      body: JSON.stringify({ about: name(mine, i) }),
    })),
    endpoints: endpoints.map((end, i) => ({
      id: end,
      shop_id: i === 2 ? theirs.shop_id : api.shop_id,
      url: `https://${i === 2 ? GONE : "a"}.example`,
    })),
    deliveries: spread((i, mine, rare) => ({
      id: id("dlv", i),
      event_id: id("evt", i),
      endpoint_id: rare ? endpoints[0] : endpoints[mine ? 1 : 2],
      status: rare ? "exhausted" : "delivered",
    })),
    notifications: spread((i, mine, rare) => ({
      ...account(mine),
      reference: name(mine, i),
      dedupe: randomBytes(16),
      payment_id: rare ? null : id("pay", i),
      verdict: rare ? 1 : 0,
      route: rare ? 3 : 1,
    })),
  };
  await api.store.write(async (tx) => {
    for (const table of Object.keys(filled) as Table[]) await insert(tx, table, sample[table], filled[table]);
  });
  // As PostgreSQL does by itself after a while; SQLite does not.
  if (api.store.engine.name === "postgres") await api.store.write((tx) => sql`ANALYZE`.execute(tx));
  return { ORDER: id("ord", 1), PAYMENT: id("pay", 1), EVENT: id("evt", 1), ENDPOINT: endpoints[0]! };
}

async function insert(tx: Tx, table: Table, { sample, json }: Sample, rows: readonly Row[]): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK) {
    const values = rows.slice(at, at + CHUNK).map((row) => {
      const whole = { ...sample, ...row };
      for (const column of json) whole[column] = JSON.stringify(whole[column]);
      return whole;
    });
    await tx
      .insertInto(table)
      .values(values as never)
      .execute();
  }
}

interface Sample {
  readonly sample: Row;
  /** Columns that are written as text and read as what it says. */
  readonly json: readonly string[];
}

/** One row of each table, as the hub itself makes it. */
async function samples(api: TestApi): Promise<Record<Table, Sample>> {
  const url = "https://shop.example/hook";
  await api.call("POST", "/v1/endpoints", { body: { url } });
  const payment = await api.payment((await api.order()).id);
  api.gateway.pay(payment.provider_reference);
  await api.call("POST", `/v1/payments/${payment.id}/refresh`);
  await api.call("POST", `/v1/payments/${payment.id}/refunds`, { body: { amount: 1_000 }, once: "sample-refund" });
  await api.api.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: Buffer.from(api.gateway.callback("SAMPLE", "paid").body) });
  const read = async (table: Table, json: readonly string[]): Promise<Sample> => {
    const row = await api.store.read((db) => db.selectFrom(table).selectAll().limit(1).executeTakeFirstOrThrow());
    const { seq: _seq, ...sample } = row as Row;
    return { sample, json };
  };
  return {
    orders: await read("orders", ["items", "customer", "metadata"]),
    payments: await read("payments", ["handles", "actions", "flags"]),
    refunds: await read("refunds", []),
    events: await read("events", []),
    endpoints: await read("endpoints", ["events"]),
    deliveries: await read("deliveries", []),
    notifications: await read("notifications", []),
  };
}
