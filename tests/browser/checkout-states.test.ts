import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CheckoutBench, focused, shown, textOf } from "./checkout-bench.ts";
import { withoutBrowser } from "./chromium.ts";
import { bca, gopay, order, payment, stateWith } from "./fake-state.ts";

describe.skipIf(withoutBrowser())("what the hosted page says", () => {
  let bench: CheckoutBench;
  beforeAll(async () => {
    bench = await CheckoutBench.open();
  });
  afterAll(() => bench?.close());
  beforeEach(() => bench.before());
  afterEach(() => bench.after());

  test.each([
    [422, "gateway_refused", "did not accept"],
    [502, "gateway_unclear", "no clear answer"],
    [500, "internal", "on our side"],
  ])("a charge refused with %d %s is explained in place, and another method can be chosen", async (status, code, words) => {
    bench.hub.open = (method) => {
      if (method === "gopay") return { status, body: { status, code, title: "x", request_id: "req_123" } };
      return { status: 201, body: (bench.hub.state = stateWith({ payment: bca() })) };
    };
    const page = await bench.visit();
    await page.getByTestId("method-gopay").click();
    await shown(page, "refusal");
    expect(await textOf(page, "refusal")).toContain(words);
    expect(await textOf(page, "refusal")).toContain("req_123");
    expect(await page.getByTestId("refusal").locator("xpath=ancestor::*[@role='alert']").count()).toBe(1);
    await page.getByTestId("method-bca_va").click();
    await shown(page, "va-number");
    expect(await page.getByTestId("refusal").count()).toBe(0);
    expect(bench.complaints.filter((text) => !text.includes(`status of ${status}`))).toEqual([]);
  });

  test("the countdown is the server's although the device's clock is three hours wrong", async () => {
    const skew_ms = 3 * 3_600_000;
    bench.hub.state = stateWith({ payment: gopay({}, skew_ms), skew_ms });
    const page = await bench.visit();
    await shown(page, "countdown");
    expect(await textOf(page, "countdown")).toMatch(/^(15:00|14:5\d)$/u);
  });

  test("when the time is up the hub is asked once, and its word decides: expired, and another method while the order lasts", async () => {
    bench.hub.state = stateWith({ payment: gopay({ expires_at: new Date(Date.now() + 1500).toISOString() }) });
    bench.hub.refresh = () => {
      bench.hub.push(stateWith({ order: order({ payment_status: "expired" }), payment: gopay({ status: "expired" }) }));
      return { status: 200, body: bench.hub.state };
    };
    const page = await bench.visit();
    await shown(page, "status-expired");
    expect(bench.hub.requests.filter((request) => request === "POST /refresh")).toHaveLength(1);
    await page.getByTestId("choose-another").click();
    await shown(page, "method-qris");
    expect(await focused(page)).toBe("H1");
    expect(bench.complaints).toEqual([]);
  });

  test("money that comes after the time was over is shown as received, and as late", async () => {
    bench.hub.state = stateWith({ order: order({ payment_status: "expired" }), payment: gopay({ status: "expired" }), methods: [] });
    const page = await bench.visit();
    await shown(page, "status-expired");
    expect(await page.getByTestId("choose-another").count()).toBe(0);
    bench.hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid", flags: ["late"] }), methods: [] }));
    await shown(page, "status-paid");
    expect(await textOf(page, "flag-late")).toContain("after the time had run out");
    expect(bench.complaints).toEqual([]);
  });

  test.each(["failed", "canceled", "underpaid", "refunded", "partially_refunded", "reversed"])(
    "an order that is %s says so and leads back to the shop",
    async (status) => {
      const collected = status === "underpaid" ? "paid" : status;
      bench.hub.state = stateWith({ order: order({ payment_status: status }), payment: gopay({ status: collected }) });
      const page = await bench.visit();
      await shown(page, `status-${status}`);
      await shown(page, "return-link");
      expect(await page.getByTestId("choose-another").count()).toBe(["failed", "canceled"].includes(status) ? 1 : 0);
      expect(bench.complaints).toEqual([]);
    },
  );

  test("speaks the browser's language, changes it on request and remembers that", async () => {
    bench.hub.state = stateWith({ payment: gopay() });
    const page = await bench.visit({ locale: "id-ID" });
    await page.getByText("Menunggu pembayaran Anda").waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("id");
    await page.getByTestId("lang-toggle").click();
    await page.getByText("Waiting for your payment").waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("en");
    expect(await page.title()).toMatch(/^Waiting for your payment/u);
    await page.reload();
    await page.getByText("Waiting for your payment").waitFor();
    expect(bench.complaints).toEqual([]);
  });

  test("the simulator is offered in the sandbox and nowhere else", async () => {
    bench.hub.state = stateWith({ payment: gopay(), sandbox: true, simulator_url: "http://127.0.0.1:8090/midtrans/simulator" });
    const page = await bench.visit();
    await shown(page, "simulator-link");
    expect(await page.getByTestId("simulator-link").getAttribute("href")).toBe("http://127.0.0.1:8090/midtrans/simulator");
    bench.hub.push(stateWith({ payment: gopay({ id: "pay_real" }), simulator_url: "http://127.0.0.1:8090/midtrans/simulator" }));
    await page.getByTestId("simulator-link").waitFor({ state: "detached" });
  });

  test("addresses that would run code become no links", async () => {
    bench.hub.state = stateWith({
      order: order({ return_url: "javascript:alert(1)", payment_status: "paid" }),
      payment: payment("snap", [{ type: "redirect", url: "javascript:alert(1)" }], { status: "paid" }),
      sandbox: true,
      simulator_url: "data:text/html,x",
    });
    const page = await bench.visit();
    await shown(page, "status-paid");
    expect(await page.locator("a").count()).toBe(0);
  });

  test("an address of no payment says so", async () => {
    const page = await bench.visit();
    await page.goto(bench.hub.url.replace(/[^/]+$/u, "tok_unknown"));
    await shown(page, "status-missing");
  });
});
