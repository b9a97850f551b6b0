import { rfc3339 } from "@lunas/domain";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sealCredentials } from "../../collect/accounts.ts";
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

/** Accounts are read again after some seconds of wall time. */
const pastCaches = (): void => api.wall.advance(10_000);

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

  test("one at a provider that this hub does not have keeps nobody from paying: it has no methods, and its callbacks are to come again", async () => {
    const unknown = { ...(await api.store.read((db) => db.selectFrom("accounts").selectAll().executeTakeFirstOrThrow())) };
    const broken = { ...unknown, id: api.hub.newId("account"), slug: "broken" };
    const odd = sealCredentials(api.hub, broken.id, [{ another: "schema" }]);
    const future = { ...unknown, id: api.hub.newId("account"), slug: "future", provider: "future" };
    await api.store.write((tx) =>
      tx
        .insertInto("accounts")
        .values([future, { ...broken, credentials: odd }])
        .execute(),
    );
    expect((await api.call("GET", "/v1/methods")).json<{ data: unknown[] }>().data).toHaveLength(4);
    const order = await api.order();
    expect((await api.call("GET", `${new URL(order.checkout_url).pathname}/state`, { key: null })).statusCode).toBe(200);
    expect(await api.payment(order.id)).toMatchObject({ status: "pending", account: "fake" });
    for (const slug of ["future", "broken"])
      expect((await api.api.inject({ method: "POST", url: `/callbacks/${slug}`, payload: "{}" })).statusCode).toBe(503);
    expect((await api.call("PATCH", `/v1/accounts/${broken.id}`, { body: { status: "disabled" } })).json()).toMatchObject({ status: "disabled" });
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

  test("the old ones count for 24 hours more, which the account shows", async () => {
    const changed = await patch({ credentials: { secret: "second-secret" } });
    const end = rfc3339(api.clock.now() + 86_400_000);
    expect(changed.json()).toMatchObject({ previous_credentials_until: end });
    api.clock.advance(86_399_999);
    pastCaches();
    expect((await callback("IN-TIME", "fake-secret")).statusCode).toBe(200);
    expect((await api.call("GET", `/v1/accounts/${api.account_id}`)).json()).toMatchObject({ previous_credentials_until: end });
    api.clock.advance(1);
    pastCaches();
    expect((await callback("TOO-LATE", "fake-secret")).statusCode).toBe(403);
    expect((await callback("NEW", "second-secret")).statusCode).toBe(200);
    expect((await api.call("GET", `/v1/accounts/${api.account_id}`)).json()).toMatchObject({ previous_credentials_until: null });
  });

  test("how long the old ones count is said at the change, and may be said again: a secret that leaked ends at once", async () => {
    const overlap = (seconds: number) => ({ previous_credentials_valid_s: seconds });
    await patch({ credentials: { secret: "second-secret" }, ...overlap(604_800) });
    api.clock.advance(604_000_000);
    pastCaches();
    expect((await callback("LONG", "fake-secret")).statusCode).toBe(200);
    expect((await patch(overlap(3_600))).json()).toMatchObject({ previous_credentials_until: rfc3339(api.clock.now() + 3_600_000) });
    expect((await patch(overlap(0))).json()).toMatchObject({ previous_credentials_until: null });
    expect((await callback("LEAKED", "fake-secret")).statusCode).toBe(403);
    // What is over is not begun again.
    expect((await patch(overlap(3_600))).json()).toMatchObject({ previous_credentials_until: null });
    expect((await patch({ credentials: { secret: "third-secret" }, ...overlap(0) })).json()).toMatchObject({ previous_credentials_until: null });
    expect((await callback("AT-ONCE", "second-secret")).statusCode).toBe(403);
    for (const seconds of [-1, 604_801, 0.5])
      expect((await patch(overlap(seconds))).json()).toMatchObject({ status: 400, errors: [{ field: "previous_credentials_valid_s" }] });
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

  test("what could not be read then, and can be now, is let in with all that it says", async () => {
    const unreadable = vi
      .spyOn(api.gateway.provider.callbacks, "read")
      .mockReturnValueOnce({ readable: false, problem: "a word that is not known yet" });
    expect((await callback("WORDS", "second-secret")).statusCode).toBe(400);
    unreadable.mockRestore();
    await patch({ credentials: { secret: "second-secret" } });
    expect(await notifications()).toEqual([{ reference: "WORDS", verdict: 0, route: 0 }]);
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
