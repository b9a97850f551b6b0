import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { API_KEY, freePort } from "../harness/stack.ts";
import { lunas, type Serving, serve, type Settings } from "./lunas.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
const GRACE_MS = 5_000;

let folder: string;
let settings: Settings;
let hub: Serving | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lunas-cli-"));
  settings = {
    PORT: String(await freePort()),
    LUNAS_DATABASE_URL: `sqlite:${join(folder, "lunas.db")}`,
    LUNAS_MASTER_KEY: key(1),
    // Nothing listens there: gateways cannot be asked. The public address is that of a proxy which is not up.
    LUNAS_SANDBOX_URL: "http://127.0.0.1:9",
    LUNAS_PUBLIC_URL: "http://127.0.0.1:9/bayar",
  };
});
afterEach(async () => {
  await hub?.end("SIGKILL");
  hub = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function api(method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = {
    authorization: `Bearer ${API_KEY}`,
    ...(body ? { "content-type": "application/json", "idempotency-key": crypto.randomUUID() } : {}),
  };
  const answer = await fetch(`${hub!.url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const order = async (reference: string) =>
  (await api("POST", "/v1/orders", { reference, amount: 10_000 })).body as { id: string; checkout_url: string };
/** The page's path on the hub itself, behind the proxy of the public address. */
const pathOf = (page: { checkout_url: string }): string => new URL(page.checkout_url).pathname.replace("/bayar", "");
const done = async (words: readonly string[], with_settings = settings, input?: string): Promise<unknown> => {
  const { code, out, err } = await lunas(with_settings, words, input);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
};

describe("on one machine", () => {
  test("migrate --check tells what is missing, and migrate mends it", async () => {
    const { code, out } = await lunas(settings, ["migrate", "--check"]);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/^missing: 0001_initial(, \d{4}_\w+)*\n$/) });
    expect(await lunas(settings, ["migrate"])).toEqual({ code: 0, out: out.replace("missing", "applied"), err: "" });
    expect(await lunas(settings, ["migrate", "--check"])).toEqual({ code: 0, out: "up to date\n", err: "" });
  });

  test("a running hub is found where it listens, backed up while it works, and stopped within seconds though pages are open", async () => {
    hub = await serve(settings);
    const made = await order("BEFORE");
    const copy = join(folder, "copy.db");
    expect(await lunas(settings, ["backup", copy])).toEqual({ code: 0, out: `copied to ${copy}\n`, err: "" });
    expect(existsSync(copy)).toBe(true);
    await order("AFTER");

    const credentials = JSON.stringify({ server_key: "SB-Mid-server-other", client_key: "SB-Mid-client-other" });
    const account = await done(
      ["accounts", "create", "--provider", "midtrans", "--slug", "second", "--credentials-file", "-"],
      settings,
      credentials,
    );
    expect(account).toMatchObject({ slug: "second" });
    expect(await done(["hold", "looking"])).toEqual({ hold: "looking" });
    expect(await api("POST", `/v1/orders/${made.id}/payments`, { method: "gopay" })).toMatchObject({ status: 503, body: { code: "on_hold" } });

    const page = await openEvents(`${hub.url}${pathOf(made)}/events`);
    const { code, took_ms } = await hub.end("SIGTERM");
    hub = undefined;
    expect(code).toBe(0);
    expect(took_ms).toBeLessThan(GRACE_MS);
    await page.ended;
  });

  test("a restored hub starts on hold, which is lifted when everything was asked about", async () => {
    const copy = join(folder, "copy.db");
    const refused = await lunas(settings, ["restore", copy]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("--overwrite") });
    expect(await lunas(settings, ["restore", "--overwrite", copy])).toMatchObject({ code: 0, out: expect.stringContaining("starts on hold") });
    hub = await serve(settings);
    expect((await api("GET", "/v1/orders")).body).toMatchObject({ data: [{ reference: "BEFORE" }] });
    expect(await api("GET", "/readyz")).toEqual({ status: 200, body: { status: "ok", problems: ["on hold: restored"] } });
    expect(await done(["reconcile", "--after-restore"])).toMatchObject({ asked: 0, unclear: 0, hold: null });
    expect((await api("GET", "/readyz")).body).toEqual({ status: "ok", problems: [] });
    // It has the file open, so this cannot have been done here.
    expect(await lunas(settings, ["restore", "--overwrite", copy])).toMatchObject({ code: 1, out: "" });
  });

  test("a master key is exchanged: sealed anew in the running hub, the old one dropped, pages and timelines as before", async () => {
    hub = await serve(settings);
    const made = await order("ROTATED");
    // Nobody answers there: the question that was asked is kept, sealed.
    await api("POST", `/v1/orders/${made.id}/payments`, { method: "gopay" });
    await hub.end("SIGTERM");

    const both = { ...settings, LUNAS_MASTER_KEY: `${key(2)},${key(1)}` };
    hub = await serve(both);
    expect(await done(["rotate-master-key"], both)).toMatchObject({
      unreadable: 0,
      old_keys_can_be_dropped: true,
      resealed: { accounts: 1, endpoints: 1, token_key: 1 },
    });
    await hub.end("SIGTERM");

    hub = await serve({ ...settings, LUNAS_MASTER_KEY: key(2) });
    const { payments, checkout_url } = (await api("GET", `/v1/orders/${made.id}`)).body as { payments: { id: string }[]; checkout_url: string };
    expect(checkout_url).toBe(made.checkout_url);
    expect((await api("GET", `${pathOf(made)}/state`)).status).toBe(200);
    const { data } = (await api("GET", `/v1/payments/${payments[0]!.id}/timeline`)).body as {
      data: { kind: string; detail: { exchanges: unknown[] } }[];
    };
    expect(data.find((entry) => entry.kind === "answer")?.detail.exchanges.length).toBeGreaterThan(0);
    await hub.end("SIGTERM");
    hub = undefined;
    const dropped = await lunas(settings, ["doctor"]);
    expect(dropped).toMatchObject({ code: 2, err: expect.stringContaining("LUNAS_MASTER_KEY: not the key of this database") });
  });
});

describe("a start that is refused says why in plain words, without a stack, and ends with 2", () => {
  const production = (): Settings => ({
    ...settings,
    LUNAS_MODE: "production",
    LUNAS_MASTER_KEY: key(2),
    LUNAS_PUBLIC_URL: "https://bayar.toko.example",
  });

  test.each([
    ["without a master key", { LUNAS_MASTER_KEY: "" }, "LUNAS_MASTER_KEY: production needs one"],
    ["with a development key", { LUNAS_DEV_API_KEY: API_KEY }, "LUNAS_DEV_API_KEY: a development key must not be set in production"],
    ["on the sandbox's credentials", {}, "the account midtrans has the sandbox's credentials; disable it: lunas accounts disable midtrans"],
    [
      "for development beyond this machine",
      { LUNAS_MODE: "development", HOST: "0.0.0.0" },
      "HOST: development listens on loopback only, not on 0.0.0.0",
    ],
  ])("%s", async (_what, change, told) => {
    const { code, err, out } = await lunas({ ...production(), ...change, LUNAS_LOG_LEVEL: "silent" }, ["serve"]);
    expect(err).toContain(told);
    expect({ code, out, stack: /^\s+at /m.test(err) }).toEqual({ code: 2, out: "", stack: false });
  });
});

describe("hold", () => {
  const restored = (): Settings => ({ LUNAS_MODE: "production", LUNAS_DATABASE_URL: `sqlite:${join(folder, "restored", "lunas.db")}` });

  test("in production needs neither a running hub nor a master key: only where the database is", async () => {
    const held = await done(["hold", "restored"], restored());
    expect(held).toMatchObject({ hold: "restored", note: expect.stringContaining("starts on hold") });
    expect(await done(["hold", "again"], restored())).toMatchObject({ hold: "restored" });
    expect(existsSync(join(folder, "restored", "development.key"))).toBe(false);
  });

  test("starts the next hub on hold; from then on the hub is asked, and without its key that is said", async () => {
    const full = { ...restored(), PORT: settings["PORT"]!, LUNAS_PUBLIC_URL: "https://bayar.toko.example", LUNAS_MASTER_KEY: key(3) };
    hub = await serve(full);
    expect(await api("GET", "/readyz")).toMatchObject({ body: { problems: ["on hold: restored"] } });
    expect(await done(["hold", "again"], full)).toEqual({ hold: "restored" });
    const refused = await lunas(restored(), ["hold", "again"]);
    expect(refused).toMatchObject({ code: 1, out: "", err: expect.stringContaining("LUNAS_MASTER_KEY, which is not set here") });
  });

  test("tells what is wrong with a setting that it does need", async () => {
    expect(await lunas({ LUNAS_DATABASE_URL: "mysql://x" }, ["hold", "x"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("LUNAS_DATABASE_URL"),
    });
  });
});

test("credentials that a file does not hold as it should are not told back", async () => {
  const file = join(folder, "credentials.json");
  writeFileSync(file, `{"server_key": "hush"`);
  const { code, err } = await lunas(settings, ["accounts", "create", "--provider", "midtrans", "--slug", "third", "--credentials-file", file]);
  expect({ code, err }).toEqual({ code: 1, err: `${file} is not JSON\n` });
});

/** A buyer's page that stays open, on a connection that its browser would keep. */
async function openEvents(url: string): Promise<{ ended: Promise<unknown> }> {
  const request = get(url, { agent: new Agent({ keepAlive: true }), headers: { accept: "text/event-stream" } });
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  await once(answer, "data");
  return { ended: once(answer.resume(), "close") };
}
