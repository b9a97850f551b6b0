import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { liveSecrets } from "../../deliver/secrets.ts";
import { makeTestApi, type TestApi } from "../testing.ts";

let api: TestApi;
let signals: string[];
beforeEach(async () => {
  api = await makeTestApi();
  signals = [];
  api.hub.signals.on("deliveries", () => signals.push("deliveries"));
});
afterEach(() => api.close());

interface Endpoint {
  id: string;
  secret: string;
  status: string;
}
const create = async (body: object = {}): Promise<Endpoint> =>
  (await api.call("POST", "/v1/endpoints", { body: { url: "https://shop.example/hook", ...body } })).json();
const act = (id: string, what: string, body?: object) => api.call("POST", `/v1/endpoints/${id}/${what}`, { body });
const deliveries = (endpoint_id: string) =>
  api.store.read((db) =>
    db
      .selectFrom("deliveries")
      .select(["id", "event_id", "status", "trigger", "step", "due_at", "attempts"])
      .where("endpoint_id", "=", endpoint_id)
      .orderBy("id")
      .execute(),
  );
const set = (change: object) => api.store.write((tx) => tx.updateTable("deliveries").set(change).execute());
/** Two events for every endpoint. */
const happen = async (): Promise<void> => void (await api.payment((await api.order()).id));

describe("an endpoint", () => {
  test("201 shows its secret, which no other answer does", async () => {
    const made = await api.call("POST", "/v1/endpoints", { body: { url: "https://shop.example/hook", events: ["order.paid"], description: "mine" } });
    expect(made.statusCode).toBe(201);
    const { secret, ...rest } = made.json<Endpoint & Record<string, unknown>>();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(rest).toEqual({
      id: expect.stringMatching(/^end_/),
      object: "endpoint",
      url: "https://shop.example/hook",
      description: "mine",
      events: ["order.paid"],
      format: "standard",
      status: "active",
      paused_reason: null,
      failures_in_row: 0,
      last_success_at: null,
      created_at: "2026-07-17T03:00:00.000Z",
    });
    expect((await api.call("GET", `/v1/endpoints/${rest.id}`)).json()).toEqual(rest);
    expect((await api.call("GET", "/v1/endpoints")).json()).toEqual({ data: [rest], next_cursor: null });
  });

  test.each([
    "ftp://shop.example",
    "https://user:pass@shop.example",
    "not a URL",
    "http://169.254.169.254/latest",
    "http://10.0.0.1/",
    "https://[::ffff:10.0.0.1]/",
    "javascript:alert(1)",
  ])("400 for the URL %s, at its making and at its change", async (url) => {
    const { id } = await create();
    for (const answer of [
      await api.call("POST", "/v1/endpoints", { body: { url } }),
      await api.call("PATCH", `/v1/endpoints/${id}`, { body: { url } }),
    ]) {
      expect(answer.json()).toMatchObject({ status: 400, code: "invalid_request", errors: [{ field: "url" }] });
    }
  });

  test("loopback is allowed in development, not in production", async () => {
    const url = "http://127.0.0.1:8070/hook";
    expect((await api.call("POST", "/v1/endpoints", { body: { url } })).statusCode).toBe(201);
    const production = await makeTestApi({ mode: "production" });
    expect((await production.call("POST", "/v1/endpoints", { body: { url } })).statusCode).toBe(400);
    await production.close();
  });

  test("PATCH changes what is given and keeps the rest; events: null means all", async () => {
    const { id } = await create({ events: ["order.paid"], description: "mine" });
    expect((await api.call("PATCH", `/v1/endpoints/${id}`, { body: { url: "https://other.example/" } })).json()).toMatchObject({
      url: "https://other.example/",
      events: ["order.paid"],
      description: "mine",
    });
    expect((await api.call("PATCH", `/v1/endpoints/${id}`, { body: { events: null, description: null } })).json()).toMatchObject({
      events: null,
      description: null,
    });
    expect((await api.call("PATCH", `/v1/endpoints/${id}`, { body: { events: ["order.eaten"] } })).json()).toMatchObject({
      status: 400,
      errors: [{ field: "events[0]" }],
    });
  });

  test("DELETE: 204, then it is not found and is told nothing", async () => {
    const { id } = await create();
    await happen();
    const gone = await api.call("DELETE", `/v1/endpoints/${id}`);
    expect([gone.statusCode, gone.body]).toEqual([204, ""]);
    expect((await api.call("GET", `/v1/endpoints/${id}`)).statusCode).toBe(404);
    expect((await deliveries(id)).every((row) => row.status === "paused")).toBe(true);
  });

  test("rotate: the new secret signs first, the old one for 24 hours more, three at most", async () => {
    const first = await create();
    const secrets = [first.secret];
    for (let i = 0; i < 3; i += 1) secrets.unshift((await act(first.id, "rotate")).json<Endpoint>().secret);
    const row = await api.store.read((db) => db.selectFrom("endpoints").selectAll().executeTakeFirstOrThrow());
    expect(liveSecrets(api.hub, row)).toEqual(secrets.slice(0, 3));
    api.clock.advance(24 * 3_600_000);
    expect(liveSecrets(api.hub, row)).toEqual([secrets[0]]);
  });
});

describe("pause, resume, replay, resend, test", () => {
  test("a paused endpoint's events are kept, and sent on resume from the beginning of the schedule", async () => {
    const { id } = await create();
    await happen();
    expect((await act(id, "pause")).json()).toMatchObject({ status: "paused", paused_reason: "paused by hand" });
    await happen();
    expect((await deliveries(id)).map((row) => row.status)).toEqual(["paused", "paused", "paused", "paused"]);
    await set({ step: 7 });
    signals.length = 0;
    api.clock.advance(1_000);
    expect((await act(id, "resume")).json()).toMatchObject({ status: "active", paused_reason: null, failures_in_row: 0 });
    for (const row of await deliveries(id)) expect(row).toMatchObject({ status: "due", trigger: "replay", step: 0, due_at: api.clock.now() });
    expect(signals).toEqual(["deliveries"]);
  });

  test("resume re-arms what was exhausted on its schedule, once", async () => {
    const { id } = await create();
    await happen();
    await set({ status: "exhausted" });
    await act(id, "resume");
    expect((await deliveries(id)).map((row) => row.status)).toEqual(["due", "due"]);
    await set({ status: "exhausted" });
    await act(id, "resume");
    expect((await deliveries(id)).map((row) => row.status)).toEqual(["exhausted", "exhausted"]);
  });

  test("replay re-arms what was missed, and makes rows for events from before the endpoint was there", async () => {
    await happen();
    const { id } = await create();
    await happen();
    await set({ status: "exhausted", trigger: "replay" });
    expect((await act(id, "replay")).json()).toEqual({ rearmed: 2, created: 0 });
    expect((await act(id, "replay", { since: "2026-07-17T00:00:00+07:00" })).json()).toEqual({ rearmed: 0, created: 2 });
    expect(await deliveries(id)).toHaveLength(4);
    expect((await act(id, "replay", { since: "2026-07-17T00:00:00Z" })).json()).toEqual({ rearmed: 0, created: 0 });
  });

  test("replay of all sends also what was delivered, and needs a beginning", async () => {
    const { id } = await create();
    await happen();
    await set({ status: "delivered" });
    expect((await act(id, "replay", { only: "all" })).json()).toMatchObject({ status: 400, errors: [{ field: "since" }] });
    expect((await act(id, "replay", { only: "all", since: "2026-07-17T00:00:00Z" })).json()).toEqual({ rearmed: 2, created: 0 });
  });

  test("replay leaves out the types that the endpoint does not want, and tests of others", async () => {
    const other = await create();
    await act(other.id, "test");
    await happen();
    const { id } = await create({ events: ["payment.pending"] });
    expect((await act(id, "replay", { since: "2026-07-17T00:00:00Z" })).json()).toEqual({ rearmed: 0, created: 1 });
  });

  test("resend: a new attempt of the same event, although it was delivered (F9)", async () => {
    const { id } = await create();
    await happen();
    await set({ status: "delivered", attempts: 1, step: 1 });
    const [first] = await deliveries(id);
    const answer = await api.call("POST", `/v1/events/${first!.event_id}/resend`);
    expect(answer.json()).toMatchObject({ data: [{ id: first!.id, event_id: first!.event_id, status: "due" }] });
    expect(await deliveries(id)).toMatchObject([{ status: "due", trigger: "resend", step: 0, attempts: 1 }, { status: "delivered" }]);
  });

  test("resend to an endpoint that was not told the first time", async () => {
    const first = await create();
    await happen();
    const [told] = await deliveries(first.id);
    const second = await create();
    const answer = await api.call("POST", `/v1/events/${told!.event_id}/resend`, { body: { endpoint_id: second.id } });
    expect(answer.json()).toMatchObject({ data: [{ endpoint_id: second.id, status: "due" }] });
    expect(await deliveries(first.id)).toMatchObject([{ trigger: "schedule" }, { trigger: "schedule" }]);
  });

  test("409 for what a paused endpoint cannot do", async () => {
    const { id } = await create();
    await happen();
    const [row] = await deliveries(id);
    await act(id, "pause");
    const calls = [
      await act(id, "replay"),
      await act(id, "test"),
      await api.call("POST", `/v1/events/${row!.event_id}/resend`),
      await api.call("POST", `/v1/events/${row!.event_id}/resend`, { body: { endpoint_id: id } }),
    ];
    for (const answer of calls) expect(answer.json()).toMatchObject({ status: 409, code: "wrong_state" });
  });

  test("test sends an event of its own to this endpoint only, whatever types it wants", async () => {
    const { id } = await create({ events: ["order.paid"] });
    const other = await create();
    const answer = await act(id, "test");
    expect([answer.statusCode, answer.json()]).toMatchObject([201, { event_type: "endpoint.test", endpoint_id: id, status: "due", attempts: [] }]);
    expect(await deliveries(other.id)).toEqual([]);
  });
});

describe("events and deliveries", () => {
  test("an event is answered byte for byte as it is sent", async () => {
    await create();
    await happen();
    const [row] = await api.store.read((db) => db.selectFrom("events").select(["id", "body"]).orderBy("position", "desc").execute());
    expect((await api.call("GET", `/v1/events/${row!.id}`)).body).toBe(row!.body);
    const list = (await api.call("GET", "/v1/events?limit=1&type=payment.pending")).json<{ data: object[] }>();
    expect(list.data[0]).toEqual(JSON.parse(row!.body));
  });

  test("a delivery shows its attempts", async () => {
    const { id } = await create();
    await happen();
    const [row] = await deliveries(id);
    const first = {
      first_trigger: "schedule" as const,
      first_at: api.clock.now(),
      first_elapsed_ms: 12,
      first_status: 500,
      first_fault: "http",
      first_body: "no",
    };
    await api.store.write((tx) =>
      tx
        .updateTable("deliveries")
        .set({ attempts: 1, ...first })
        .where("id", "=", row!.id)
        .execute(),
    );
    expect((await api.call("GET", `/v1/deliveries/${row!.id}`)).json()).toMatchObject({
      event_type: "order.pending",
      status: "due",
      due_at: "2026-07-17T03:00:00.000Z",
      attempts: [{ number: 1, status: 500, fault: "http", response_body: "no", started_at: "2026-07-17T03:00:00.000Z" }],
    });
    expect((await api.call("GET", `/v1/deliveries?endpoint_id=${id}&status=due&event_id=${row!.event_id}`)).json()).toMatchObject({
      data: [{ id: row!.id }],
    });
  });
});
