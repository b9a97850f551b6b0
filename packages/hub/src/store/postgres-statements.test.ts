import { sql } from "kysely";
import type pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshDatabase, startPostgres } from "../../../../tests/harness/postgres.ts";
import { openStore, type Store } from "./index.ts";
import { nameStatements, StatementNames } from "./postgres-statements.ts";

const HOT = 16;

function often(names: StatementNames, text: string, times = HOT): string | undefined {
  let name: string | undefined;
  for (let run = 0; run < times; run += 1) name = names.of(text);
  return name;
}

describe("which statements have a name", () => {
  test("those that are run again and again, each one of its own that stays", () => {
    const names = new StatementNames();
    expect(often(names, "SELECT 1", HOT - 1)).toBeUndefined();
    const first = names.of("SELECT 1");
    expect(first).toBeDefined();
    expect(names.of("SELECT 1")).toBe(first);
    expect(often(names, "SELECT 2")).not.toBe(first);
  });

  test("no more than a connection should keep, however many there are", () => {
    const names = new StatementNames();
    const given = Array.from({ length: 300 }, (_, n) => often(names, `SELECT ${n}`)).filter((name) => name !== undefined);
    expect(given).toHaveLength(200);
    expect(new Set(given).size).toBe(200);
    // What is rare is not counted for ever.
    for (let n = 0; n < 5_000; n += 1) names.of(`SELECT ${n} AS rare`);
    expect(names.of("SELECT 7")).toBe(given[7]);
  });

  test("not those whose best plan depends on a parameter: an index of the rows in one state is of use for that state alone", () => {
    const names = new StatementNames();
    const unfit = [
      'select * from "notifications" where "route" = $1 order by "seq"',
      'select "id" from "payments" where "id" > $1 and "status" in ($2, $3)',
      "SELECT * FROM notifications\n WHERE route = $1",
    ];
    for (const text of unfit) expect([text, often(names, text, 5 * HOT)]).toEqual([text, undefined]);
    const fit = [
      'update "payments" set "status" = $1 where "id" = $2',
      'select * from "endpoints" where "shop_id" = $1 and "status" != $2',
      "SELECT id FROM deliveries WHERE status = 'due' AND endpoint_id = $1",
    ];
    for (const text of fit) expect([text, often(names, text)]).toEqual([text, expect.any(String)]);
  });

  test("an error of the statement itself changes nothing; an old name's failure does not take the new ones away", () => {
    const names = new StatementNames();
    const name = often(names, "SELECT 1")!;
    names.failed(name, { code: "23505" });
    names.failed(name, { code: "0A000", message: "cannot use column reference in DEFAULT expression" });
    expect(names.of("SELECT 1")).toBe(name);
    names.failed(name, { code: "26000" });
    const next = often(names, "SELECT 1")!;
    expect(next).not.toBe(name);
    for (let n = 0; n < 10; n += 1) names.failed(name, { code: "26000" });
    expect(names.of("SELECT 1")).toBe(next);
  });
});

describe("a connection", () => {
  /** Fails as a server that does not know the name, and tells what it was asked. */
  function losing(names: StatementNames): { client: pg.ClientBase; asked: unknown[] } {
    const asked: unknown[] = [];
    const lost = Object.assign(new Error("no such statement"), { code: "26000" });
    const query = (config: unknown, values: unknown, callback: unknown) => {
      asked.push(config);
      const told = typeof values === "function" ? values : callback;
      if (typeof told !== "function") return Promise.reject(lost);
      told(lost);
      return undefined;
    };
    const client = { query } as unknown as pg.ClientBase;
    nameStatements(client, names);
    return { client, asked };
  }

  test("names what has parameters and is text, and hears of what failed, whichever way it is told", async () => {
    for (const how of ["promise", "callback"] as const) {
      const names = new StatementNames();
      const name = often(names, "SELECT $1");
      const { client, asked } = losing(names);
      if (how === "promise") await expect(client.query("SELECT $1", [1])).rejects.toThrow("no such statement");
      else await new Promise<void>((resolve) => client.query("SELECT $1", [1], () => resolve()));
      expect(asked).toEqual([{ name, text: "SELECT $1", values: [1] }]);
      expect(names.of("SELECT $1")).toBeUndefined();
    }
  });

  test("leaves alone what has no parameters: BEGIN and COMMIT are no statements to be planned", async () => {
    const names = new StatementNames();
    often(names, "begin");
    const { client, asked } = losing(names);
    await expect(client.query("begin", [])).rejects.toThrow();
    await expect(client.query("begin")).rejects.toThrow();
    expect(asked).toEqual(["begin", "begin"]);
  });
});

describe("a database whose statements have names", () => {
  async function filled(): Promise<{ store: Store; database: string }> {
    const url = await freshDatabase();
    const store = openStore(url);
    onTestFinished(() => store.then((one) => one.close()), 0);
    const database = url.slice(url.lastIndexOf("/") + 1);
    const server = await startPostgres();
    await server.query("CREATE TABLE things (id bigint PRIMARY KEY); INSERT INTO things VALUES (1)", database);
    return { store: await store, database };
  }
  const things = (store: Store) => store.read((db) => sql<{ id: number }>`SELECT * FROM things WHERE id = ${1}`.execute(db));
  /** In a transaction, where a statement that fails takes the others with it. */
  const change = (store: Store) =>
    store.write(async (tx) => {
      await sql`UPDATE things SET id = id WHERE id = ${1}`.execute(tx);
      return sql<{ id: number }>`SELECT * FROM things WHERE id = ${1} FOR UPDATE`.execute(tx);
    });
  const named = (store: Store): Promise<number> =>
    store.write(async (tx) => {
      const { rows } = await sql<{ count: number }>`SELECT COUNT(*) AS count FROM pg_prepared_statements WHERE name LIKE 'lunas%'`.execute(tx);
      return rows[0]!.count;
    });

  test("a migration by another hub: what was planned before it is planned anew, in a read and in a transaction", async () => {
    const { store, database } = await filled();
    for (let run = 0; run < HOT; run += 1) {
      await things(store);
      await change(store);
    }
    expect(await named(store)).toBe(3);
    await (await startPostgres()).query("ALTER TABLE things ADD COLUMN colour text NOT NULL DEFAULT 'red'", database);
    expect((await things(store)).rows).toEqual([{ id: 1, colour: "red" }]);
    expect((await change(store)).rows).toEqual([{ id: 1, colour: "red" }]);
  });

  test("a pooler that shares connections: nobody notices, and after a few times nothing has a name any more", async () => {
    const { store } = await filled();
    for (let lost = 0; lost < 4; lost += 1) {
      for (let run = 0; run <= HOT; run += 1) expect((await things(store)).rows).toEqual([{ id: 1 }]);
      expect(await named(store)).toBe(lost < 3 ? 1 : 0);
      await store.write((tx) => sql`DEALLOCATE ALL`.execute(tx));
    }
    expect((await things(store)).rows).toEqual([{ id: 1 }]);
  });
});
