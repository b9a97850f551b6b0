import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import type { Http } from "@lunas/domain";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeTestApi, type TestApi } from "../testing.ts";

const PNG = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.from("image")]);

let api: TestApi;
let dist: string;
let image: () => ReturnType<Http>;
beforeEach(async () => {
  dist = mkdtempSync(join(tmpdir(), "lunas-dist-"));
  mkdirSync(join(dist, "assets"));
  writeFileSync(join(dist, "index.html"), "<!doctype html><title>Pembayaran</title>");
  writeFileSync(join(dist, "assets/main-Ab12Cd34.js"), "export {};");
  writeFileSync(join(dist, "favicon.svg"), "<svg/>");
  image = () => Promise.resolve({ ok: true, status: 200, headers: {}, body: PNG, elapsed_ms: 1 });
  api = await makeTestApi({ checkoutDist: dist, http: () => image() });
});
afterEach(async () => {
  await api.close();
  rmSync(dist, { recursive: true });
});

const pathOf = (order: { checkout_url: string }): string => new URL(order.checkout_url).pathname;
const get = (url: string) => api.call("GET", url, { key: null });
const post = (url: string, body?: unknown) => api.call("POST", url, { key: null, body });

describe("the page", () => {
  test("is served under the strictest policy, and is nobody else's to keep", async () => {
    const answer = await get(pathOf(await api.order()));
    expect([answer.statusCode, answer.body]).toEqual([200, "<!doctype html><title>Pembayaran</title>"]);
    expect(answer.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
  });

  test.each(["/pay/x", `/pay/${"A".repeat(32)}`])("404 as a page for the token of nobody: %s", async (url) => {
    const answer = await get(url);
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([404, "text/html; charset=utf-8"]);
    expect((await get(`${url}/state`)).json()).toMatchObject({ status: 404, code: "not_found" });
  });

  test("its files: with a digest in their name for ever, others for a while, none outside the folder", async () => {
    const hashed = await get("/checkout-assets/assets/main-Ab12Cd34.js");
    expect([hashed.statusCode, hashed.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect((await get("/checkout-assets/favicon.svg")).headers["cache-control"]).toBe("public, max-age=300");
    expect((await get("/checkout-assets/..%2f..%2fetc/passwd")).statusCode).toBe(404);
    expect((await get("/checkout-assets/missing.js")).json()).toMatchObject({ code: "not_found" });
  });

  test("it and its files come as small as the browser takes them, where the build has them so", async () => {
    const html = Buffer.from("<!doctype html><title>Pembayaran</title>");
    const made = { "index.html": html, "assets/main-Ab12Cd34.js": Buffer.from("export {};") };
    for (const [name, bytes] of Object.entries(made)) {
      writeFileSync(join(dist, `${name}.gz`), gzipSync(bytes));
      writeFileSync(join(dist, `${name}.br`), brotliCompressSync(bytes));
    }
    const page = pathOf(await api.order());
    const ask = (url: string, accept?: string) =>
      api.call("GET", url, { key: null, headers: accept === undefined ? {} : { "accept-encoding": accept } });
    for (const url of [page, "/checkout-assets/assets/main-Ab12Cd34.js"]) {
      const [plain, gzip, brotli] = [await ask(url), await ask(url, "deflate, gzip"), await ask(url, "gzip, deflate, br")];
      expect([plain, gzip, brotli].map((answer) => answer.headers["content-encoding"])).toEqual([undefined, "gzip", "br"]);
      expect(gunzipSync(gzip.rawPayload)).toEqual(plain.rawPayload);
      expect(brotliDecompressSync(brotli.rawPayload)).toEqual(plain.rawPayload);
      expect(gzip.headers["content-type"]).toBe(plain.headers["content-type"]);
      expect(gzip.headers["cache-control"]).toBe(plain.headers["cache-control"]);
      expect(gzip.headers["vary"]).toBe("accept-encoding");
    }
    expect((await ask(page, "gzip;q=0, br;q=0.0")).headers["content-encoding"]).toBeUndefined();
    expect((await ask("/checkout-assets/favicon.svg", "gzip, br")).headers["content-encoding"]).toBeUndefined();
  });

  test("503 with a word to the operator where it was not built", async () => {
    const unbuilt = await makeTestApi({ checkoutDist: join(dist, "missing") });
    const answer = await unbuilt.call("GET", pathOf(await unbuilt.order()), { key: null });
    await unbuilt.close();
    expect([answer.statusCode, answer.body]).toEqual([503, expect.stringContaining("npm run build")]);
  });
});

describe("paying", () => {
  test("the state tells what is owed and how it can be paid", async () => {
    const order = await api.order({
      items: [{ name: "Kopi", quantity: 2, price: 22_000 }],
      description: "Dua kopi",
      return_url: "https://shop.example/back",
    });
    const answer = await get(`${pathOf(order)}/state`);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.json()).toMatchObject({
      order: {
        reference: order["reference"],
        amount: 44_000,
        currency: "IDR",
        description: "Dua kopi",
        shop_name: "Toko fake",
        payment_status: "unpaid",
        return_url: "https://shop.example/back",
      },
      methods: [
        { method: "gopay", account: "fake", kind: "ewallet", label: { en: "GoPay", id: "GoPay" } },
        { method: "qris" },
        { method: "bca_va" },
        { method: "snap" },
      ],
      payment: null,
      server_time: "2026-07-17T03:00:00.000Z",
      sandbox: false,
      simulator_url: null,
    });
    expect(JSON.stringify(answer.json())).not.toMatch(/customer|metadata|email|provider_reference/);
  });

  test("201 opens a payment; its QR image is of this origin", async () => {
    const page = pathOf(await api.order());
    const answer = await post(`${page}/payments`, { method: "gopay" });
    expect(answer.statusCode).toBe(201);
    const state = answer.json<{ payment: { id: string; actions: { type: string; image_url?: string }[] } }>();
    expect(state.payment).toMatchObject({ status: "pending", method: "gopay", amount: 44_000 });
    expect(state.payment.actions[0]).toEqual({ type: "qr", image_url: `${page}/payments/${state.payment.id}/qr.png`, qr_string: null });
    const qr = await get(state.payment.actions[0]!.image_url!);
    expect([qr.statusCode, qr.headers["content-type"], qr.rawPayload]).toEqual([200, "image/png", PNG]);
  });

  test("a second click, a reload and twenty at once go on with the same payment", async () => {
    const page = pathOf(await api.order());
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(`${page}/payments`, { method: "gopay" })));
    const again = await post(`${page}/payments`, { method: "gopay", account: "fake" });
    expect([...new Set(answers.map((answer) => answer.json<{ payment: { id: string } }>().payment.id))]).toHaveLength(1);
    expect([again.statusCode, api.gateway.count("open")]).toEqual([200, 1]);
  });

  test("another method cancels the first at its gateway", async () => {
    const page = pathOf(await api.order());
    await post(`${page}/payments`, { method: "gopay" });
    const answer = await post(`${page}/payments`, { method: "bca_va" });
    expect(answer.json()).toMatchObject({ payment: { method: "bca_va", actions: [{ type: "va_number" }] } });
    expect([...api.gateway.transactions.values()].map((transaction) => transaction.status)).toEqual(["canceled", "pending"]);
  });

  test("an opening without an answer is a problem, and the next click goes on with it", async () => {
    const page = pathOf(await api.order());
    api.gateway.next("open", { unclear: "did_it" });
    expect((await post(`${page}/payments`, { method: "gopay" })).json()).toMatchObject({ status: 502, code: "gateway_unclear" });
    expect((await post(`${page}/payments`, { method: "gopay" })).json()).toMatchObject({ payment: { status: "pending" } });
    expect(api.gateway.transactions.size).toBe(1);
  });

  test.each([
    ["a method that is none", { method: "cash" }, 422, "method_not_available"],
    ["no method", {}, 400, "invalid_request"],
  ])("%s: %j", async (_what, body, status, code) => {
    expect((await post(`${pathOf(await api.order())}/payments`, body)).json()).toMatchObject({ status, code });
  });

  test("422 when the gateway refuses, and the order can still be paid otherwise", async () => {
    const page = pathOf(await api.order());
    api.gateway.next("open", { refuse: { code: "declined", message: "not today" } });
    expect((await post(`${page}/payments`, { method: "gopay" })).json()).toMatchObject({ status: 422, code: "gateway_refused" });
    expect((await get(`${page}/state`)).json()).toMatchObject({ payment: { status: "failed" }, methods: [{ method: "gopay" }, {}, {}, {}] });
  });

  test("refresh asks the gateway, once in ten seconds", async () => {
    const order = await api.order();
    const page = pathOf(order);
    const payment = await api.payment(order.id);
    api.clock.advance(10_000);
    expect((await post(`${page}/refresh`)).json()).toMatchObject({ payment: { status: "pending" } });
    api.gateway.pay(payment.provider_reference);
    api.clock.advance(9_999);
    expect((await post(`${page}/refresh`)).json()).toMatchObject({ payment: { status: "pending" } });
    api.clock.advance(1);
    expect((await post(`${page}/refresh`)).json()).toMatchObject({ order: { payment_status: "paid" }, payment: { status: "paid" }, methods: [] });
    expect(api.gateway.count("get")).toBe(2);
  });

  test("the sandbox's simulator is offered where the account is the sandbox's", async () => {
    const made = await api.call("PATCH", `/v1/accounts/${api.account_id}`, {
      body: { credentials: { secret: "fake-sandbox-secret", base_url: "http://127.0.0.1:8090/fake" } },
    });
    expect(made.statusCode).toBe(200);
    const order = await api.order();
    expect((await get(`${pathOf(order)}/state`)).json()).toMatchObject({ sandbox: true, simulator_url: null });
    const payment = await api.payment(order.id);
    expect((await get(`${pathOf(order)}/state`)).json()).toMatchObject({
      sandbox: true,
      simulator_url: `http://127.0.0.1:8090/fake/simulator?q=${payment.provider_reference}`,
    });
  });

  test("one address opens 60 payments in a minute and no more", async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 61; i += 1) statuses.push((await post(`/pay/${"A".repeat(32)}/payments`, { method: "gopay" })).statusCode);
    expect([statuses[59], statuses[60]]).toEqual([404, 429]);
    const limited = await post(`/pay/${"A".repeat(32)}/payments`, { method: "gopay" });
    expect(limited.json()).toMatchObject({ code: "rate_limited" });
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("the QR image", () => {
  test.each([
    ["a redirect", { ok: true, status: 302, headers: { location: "http://169.254.169.254" }, body: new Uint8Array(), elapsed_ms: 1 }],
    ["a page", { ok: true, status: 200, headers: { "content-type": "image/png" }, body: Buffer.from("<script>"), elapsed_ms: 1 }],
    ["no answer", { ok: false, fault: "timeout", message: "", elapsed_ms: 1 }],
  ] as const)("502 for %s", async (_what, result) => {
    const order = await api.order();
    const payment = await api.payment(order.id);
    image = () => Promise.resolve(result);
    expect((await get(`${pathOf(order)}/payments/${payment.id}/qr.png`)).json()).toMatchObject({ status: 502 });
  });

  test("404 for a payment of another order, and for one without a QR code", async () => {
    const payment = await api.payment((await api.order()).id);
    const other = await api.order();
    const account = await api.payment(other.id, "bca_va");
    for (const id of [payment.id, account.id]) expect((await get(`${pathOf(other)}/payments/${id}/qr.png`)).statusCode).toBe(404);
  });

  test("may be shown by a shop's own page, and it alone: the rest stays with this origin", async () => {
    const order = await api.order();
    const payment = await api.payment(order.id);
    const shown = await get(`${pathOf(order)}/payments/${payment.id}/qr.png`);
    expect([shown.statusCode, shown.headers["cross-origin-resource-policy"]]).toEqual([200, "cross-origin"]);
    for (const path of ["", "/state", "/payments/pay_none/qr.png"])
      expect((await get(`${pathOf(order)}${path}`)).headers["cross-origin-resource-policy"]).toBe("same-origin");
  });

  test("is fetched once in a minute, small and within five seconds", async () => {
    const order = await api.order();
    const payment = await api.payment(order.id);
    const url = `${pathOf(order)}/payments/${payment.id}/qr.png`;
    await get(url);
    await get(url);
    expect(api.requests).toEqual([
      { method: "GET", url: "https://fake.invalid/qr/fake-1", headers: { accept: "image/png" }, timeout_ms: 5_000, max_bytes: 512 * 1024 },
    ]);
    api.wall.advance(60_001);
    await get(url);
    expect(api.requests).toHaveLength(2);
  });
});

describe("the live page", () => {
  /** Reads events of a stream, one at a time. */
  async function* events(url: string, signal: AbortSignal): AsyncGenerator<{ order: { payment_status: string } }> {
    const answer = await fetch(url, { signal });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    let text = "";
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        const [first, second] = text.slice(0, end).split("\n");
        text = text.slice(end + 2);
        if (first === "event: state") yield JSON.parse(second!.slice("data: ".length)) as never;
      }
    }
  }

  test("tells the state at once and again after each change", async () => {
    const order = await api.order();
    await api.api.listen({ port: 0, host: "127.0.0.1" });
    const abort = new AbortController();
    const stream = events(`http://127.0.0.1:${(api.api.server.address() as AddressInfo).port}${pathOf(order)}/events`, abort.signal);
    expect((await stream.next()).value).toMatchObject({ order: { payment_status: "unpaid" }, payment: null });
    const payment = await api.payment(order.id);
    let state = (await stream.next()).value;
    while (state?.order.payment_status !== "pending") state = (await stream.next()).value;
    api.gateway.pay(payment.provider_reference);
    await api.call("POST", `/v1/payments/${payment.id}/refresh`);
    while (state?.order.payment_status !== "paid") state = (await stream.next()).value;
    expect(state).toMatchObject({ payment: { status: "paid" } });
    abort.abort();
  });

  test("a stopping hub ends its streams; a page is open six times at most", async () => {
    const order = await api.order();
    await api.api.listen({ port: 0, host: "127.0.0.1" });
    const url = `http://127.0.0.1:${(api.api.server.address() as AddressInfo).port}${pathOf(order)}/events`;
    const open = [];
    for (let i = 0; i < 6; i += 1) open.push(await fetch(url));
    const seventh = await fetch(url);
    expect([seventh.status, ((await seventh.json()) as { code: string }).code]).toEqual([429, "rate_limited"]);
    await api.api.close();
    for (const stream of open) expect(await stream.text()).toContain("event: state");
  });
});
