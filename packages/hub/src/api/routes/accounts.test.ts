import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dedupeKey } from "../../ingest/dedupe-key.ts";
import { BodyReader } from "../../ingest/sealed-bodies.ts";
import { makeTestApi, type TestApi } from "../testing.ts";

let api: TestApi;
beforeEach(async () => {
  api = await makeTestApi();
});
afterEach(() => api.close());

const patch = (body: object) => api.call("PATCH", `/v1/accounts/${api.account_id}`, { body });
const callback = (reference: string, proof: string) =>
  api.api.inject({ method: "POST", url: `/callbacks/${api.slug}`, payload: Buffer.from(api.gateway.callback(reference, "paid", proof).body) });
const notifications = () => api.store.read((db) => db.selectFrom("notifications").select(["reference", "verdict", "route"]).orderBy("seq").execute());

describe("an account", () => {
  test("201: its secrets are masked in every answer, its callback URL is told", async () => {
    const body = { provider: "fake", slug: "second", credentials: { secret: "a-very-long-secret-value", merchant: "M-2" } };
    const made = await api.call("POST", "/v1/accounts", { body });
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({
      object: "account",
      provider: "fake",
      slug: "second",
      label: "Fake",
      status: "active",
      sandbox: false,
      callback_url: "https://hub.test/callbacks/second",
      credentials: { secret: "•••alue", merchant: "M-2", base_url: null },
    });
    const list = await api.call("GET", "/v1/accounts");
    expect(list.body).not.toContain("a-very-long-secret");
    expect(list.json<{ data: unknown[] }>().data).toHaveLength(2);
  });

  test.each([
    [{ provider: "paypal", slug: "x1", credentials: {} }, "provider", "must be one of fake"],
    [{ provider: "fake", slug: "X 1", credentials: { secret: "x" } }, "slug", "lower-case"],
    [{ provider: "fake", slug: "fake", credentials: { secret: "x" } }, "slug", "taken"],
    [{ provider: "fake", slug: "x1", credentials: {} }, "credentials.secret", "is required"],
    [{ provider: "fake", slug: "x1", credentials: { secret: "x", colour: "red" } }, "credentials.colour", "not a field"],
  ])("400 for %j", async (body, field, message) => {
    const answer = await api.call("POST", "/v1/accounts", { body });
    expect(answer.json()).toMatchObject({ status: 400, code: "invalid_request", errors: [{ field, message: expect.stringContaining(message) }] });
  });

  test("production refuses the sandbox's credentials", async () => {
    const production = await makeTestApi({ mode: "production" });
    const credentials = { secret: "fake-sandbox-secret" };
    const answers = [
      await production.call("POST", "/v1/accounts", { body: { provider: "fake", slug: "x1", credentials } }),
      await production.call("PATCH", `/v1/accounts/${production.account_id}`, { body: { credentials } }),
    ];
    for (const answer of answers) expect(answer.json()).toMatchObject({ status: 400, errors: [{ field: "credentials" }] });
    await production.close();
  });

  test("PATCH changes a part of the credentials, null takes one away, and the rest stays", async () => {
    expect((await patch({ credentials: { base_url: "https://x.example" } })).json()).toMatchObject({
      credentials: { merchant: "M-1", base_url: "https://x.example" },
    });
    expect((await patch({ credentials: { base_url: null, merchant: "M-9" }, label: "Nine" })).json()).toMatchObject({
      label: "Nine",
      credentials: { merchant: "M-9", base_url: null },
    });
    expect((await patch({ credentials: { secret: null } })).json()).toMatchObject({ status: 400, errors: [{ field: "credentials.secret" }] });
  });

  test("DELETE disables it: no methods, no callbacks; PATCH enables it again", async () => {
    expect((await api.call("DELETE", `/v1/accounts/${api.account_id}`)).statusCode).toBe(204);
    expect((await api.call("GET", "/v1/methods")).json()).toEqual({ data: [] });
    expect((await callback("REF", "fake-secret")).statusCode).toBe(404);
    expect((await patch({ status: "active" })).json()).toMatchObject({ status: "active" });
    expect((await callback("REF", "fake-secret")).statusCode).toBe(200);
  });

  test("GET /v1/methods lists what its accounts offer", async () => {
    const { data } = (await api.call("GET", "/v1/methods")).json<{ data: object[] }>();
    expect(data).toHaveLength(4);
    expect(data[0]).toEqual({ method: "gopay", account: "fake", provider: "fake", kind: "ewallet", label: { en: "GoPay", id: "GoPay" } });
  });
});

describe("new credentials", () => {
  test("callbacks under the old ones are still believed, under older ones not", async () => {
    await patch({ credentials: { secret: "second-secret" } });
    expect((await callback("OLD", "fake-secret")).statusCode).toBe(200);
    expect((await callback("NEW", "second-secret")).statusCode).toBe(200);
    await patch({ credentials: { secret: "third-secret" } });
    expect((await callback("OLDER", "fake-secret")).statusCode).toBe(403);
  });

  test("what was quarantined and holds under the new ones is let in; what is forged stays", async () => {
    await callback("EARLY", "second-secret");
    await callback("FORGED", "a guess");
    expect(await notifications()).toMatchObject([{ route: 3 }, { route: 3 }]);
    const woken: string[] = [];
    api.hub.signals.on("inbox", () => woken.push("inbox"));
    await patch({ credentials: { secret: "second-secret" } });
    expect(await notifications()).toEqual([
      { reference: "EARLY", verdict: 0, route: 0 },
      { reference: "FORGED", verdict: 1, route: 3 },
    ]);
    expect(woken).toEqual(["inbox"]);
    expect((await callback("EARLY", "second-secret")).json()).toEqual({ status: "repeated" });
  });

  test("what came again meanwhile and was believed is there once", async () => {
    await callback("TWICE", "second-secret");
    await api.store.write(async (tx) => {
      const { seq: _seq, ...row } = await tx.selectFrom("notifications").selectAll().executeTakeFirstOrThrow();
      const { body } = (await new BodyReader(api.hub.vault).read(tx, row))!;
      const believed = { ...row, verdict: 0, route: 1, dedupe: dedupeKey(row.account_id, false, body) };
      await tx.insertInto("notifications").values(believed).execute();
    });
    await patch({ credentials: { secret: "second-secret" } });
    expect(await notifications()).toEqual([{ reference: "TWICE", verdict: 0, route: 1 }]);
  });

  test("saying the same again changes nothing", async () => {
    await patch({ credentials: { secret: "fake-secret" } });
    const row = await api.store.read((db) => db.selectFrom("accounts").select("credentials_version").executeTakeFirstOrThrow());
    expect(row.credentials_version).toBe(1);
  });
});
