import type { CompiledQuery } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { notificationSeq } from "../ingest/notification-id.ts";
import type { Db, Store } from "../store/index.ts";
import { ENGINES, testStore } from "../testing/drive.ts";
import { notificationPage } from "./notification-list.ts";
import { fillLists, GONE, OURS, RARE, THEIRS } from "./testing/fill-lists.ts";
import { makeTestApi, type TestApi } from "./testing.ts";

/** Every list with every filter. */
const LISTS: readonly [list: string, ...filters: string[]][] = [
  ["orders", "reference=R-1", "payment_status=expired"],
  ["payments", "order_id=ORDER", "status=expired"],
  ["refunds", "payment_id=PAYMENT"],
  ["events", "type=money.unmatched", "subject_id=PAYMENT"],
  ["deliveries", "endpoint_id=ENDPOINT", "status=exhausted", "status=exhausted&endpoint_id=ENDPOINT", "event_id=EVENT"],
  ["notifications", "account=fake", "verdict=forged", "verdict=forged&account=fake", "verdict=weak", "payment_id=PAYMENT"],
  ["endpoints"],
  ["accounts"],
];
/** What is asked about has few rows: they may be put in order by hand, where they are found by itself and not among all of the shop. */
const FEW = /"(order_id|payment_id|subject_id|event_id|delivery_id)" (= |in \()|from "endpoints"/;

/** How the engine goes about a query, and what of it is more work the more rows there are. */
type Explain = (db: Db, query: CompiledQuery) => Promise<string[]>;

const explainSqlite: Explain = async (db, query) => {
  const { rows } = await db.executeQuery<{ detail: string }>({ ...query, sql: `EXPLAIN QUERY PLAN ${query.sql}` });
  const steps = rows.map((row) => row.detail);
  // By the end of the inbox alone: one row is read.
  if (/^select "seq" from "notifications" order by "seq" (asc|desc) limit/.test(query.sql)) return [];
  const few = FEW.test(query.sql) && !steps.some((step) => /^SEARCH (?!endpoints).*\(shop_id=/.test(step));
  return steps.filter((step) => step.startsWith("SCAN") || (step.includes("TEMP B-TREE") && !few));
};

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Plan Rows": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
}
/** Looked through for nothing, at most: a short sort is no harm, a long walk is. */
const WASTED_MAX = 200;
const explainPostgres: Explain = async (db, query) => {
  const { rows } = await db.executeQuery<{ "QUERY PLAN": readonly { readonly Plan: Plan }[] }>({
    ...query,
    sql: `EXPLAIN (ANALYZE, FORMAT JSON) ${query.sql}`,
  });
  const steps = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(steps)];
  // The inbox is looked through by a window of a fixed size.
  if (query.sql.includes('"seq" >= ')) return [];
  return steps(rows[0]!["QUERY PLAN"][0]!.Plan)
    .filter((step) => (step["Rows Removed by Filter"] ?? 0) > WASTED_MAX)
    .map((step) => `${step["Node Type"]} of ${step["Relation Name"]}: ${step["Rows Removed by Filter"]} rows for nothing`);
};

describe.each(ENGINES)("the lists of /v1 on a filled database, on %s", (engine) => {
  let store: Store;
  let api: TestApi;
  let ids: Record<string, string>;
  const queries: CompiledQuery[] = [];
  beforeAll(async () => {
    store = await testStore(engine);
    const watched: Store = {
      ...store,
      read: (work) =>
        store.read((db) =>
          work(
            db.withPlugin({
              transformQuery: ({ node, queryId }) => {
                queries.push(db.getExecutor().compileQuery(node, queryId));
                return node;
              },
              transformResult: async ({ result }) => result,
            }),
          ),
        ),
      write: (work) => store.write(work),
      recordNotifications: (records, keeping) => store.recordNotifications(records, keeping),
      close: () => store.close(),
    };
    api = await makeTestApi({ store: watched });
    ids = await fillLists(api);
  });
  afterAll(async () => {
    await api.close();
    await store.close();
  });

  const cases = LISTS.flatMap(([list, ...filters]) => ["", ...filters].map((filter) => [list, filter] as const));
  test.each(cases)("%s %s: each page is read by an index, in its order", async (list, filter) => {
    const query = filter.replace(/ORDER|PAYMENT|ENDPOINT|EVENT/g, (word) => ids[word]!);
    let cursor: string | null = "";
    for (const page of ["first", "second"]) {
      queries.length = 0;
      const answer = await api.call("GET", `/v1/${list}?limit=5&${query}${cursor ? `&cursor=${cursor}` : ""}`);
      expect([answer.statusCode, answer.body.includes(GONE)]).toEqual([200, false]);
      const read = queries.filter(({ sql }) => !/from "(api_keys|shops)"/.test(sql));
      expect(read.length).toBeGreaterThan(0);
      for (const one of read) {
        const steps = await store.read((db) => (engine === "sqlite" ? explainSqlite : explainPostgres)(db, one));
        expect([page, one.sql, steps]).toEqual([page, one.sql, []]);
      }
      cursor = answer.json<{ next_cursor: string | null }>().next_cursor;
      if (cursor === null) return;
    }
  });

  test.each(["deliveries", "deliveries?status=delivered", "deliveries?endpoint_id=ENDPOINT", "notifications", "notifications?verdict=forged"])(
    "all pages of %s together hold each row of the shop once, the newest first",
    async (list) => {
      const [path, filter = ""] = list.split("?") as [string, string?];
      const found: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const query: string = `limit=50&${filter.replace("ENDPOINT", ids["ENDPOINT"]!)}${cursor ? `&cursor=${cursor}` : ""}`;
        const page = (await api.call("GET", `/v1/${path}?${query}`)).json<{ data: { id: string }[]; next_cursor: string | null }>();
        found.push(...page.data.map((row) => row.id));
        cursor = page.next_cursor;
      }
      expect(found).toEqual([...new Set(found)].sort().reverse());
      const rare = filter.startsWith("status") ? OURS - RARE : filter === "" ? OURS : RARE;
      // And what the API itself made before, as samples.
      expect(found.length).toBeGreaterThanOrEqual(rare);
      expect(found.length).toBeLessThan(rare + 20);
    },
  );

  test("a page of the inbox looks through so many rows at most, and the next one goes on where it ended", async () => {
    const wish = { shop_id: api.shop_id, limit: 20, accounts: [api.account_id], payment_id: undefined, verdict: undefined };
    const found: number[] = [];
    let pages = 0;
    for (let after: number | undefined; ; pages += 1) {
      const { rows, next_cursor } = await store.read((db) => notificationPage(db, { ...wish, after }, 300));
      found.push(...rows.map((row) => row.seq));
      if (next_cursor === null) break;
      after = notificationSeq(Buffer.from(next_cursor, "base64url").toString());
    }
    const all = await store.read((db) =>
      db.selectFrom("notifications").select("seq").where("shop_id", "=", api.shop_id).orderBy("seq", "desc").execute(),
    );
    expect(found).toEqual(all.map((row) => row.seq));
    // Those of the other shop are newer: pages without a row, which end.
    expect(pages).toBeGreaterThan(THEIRS / 300);
  });
});
