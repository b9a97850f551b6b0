import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildCheckout, type CheckoutBuild } from "./checkout-build.ts";
import { launchChromium, withoutBrowser } from "./chromium.ts";
import { FakeHub } from "./fake-hub.ts";
import { bca, gopay, order, payment, QR, stateWith } from "./fake-state.ts";

/* The hosted payment page alone, in a real browser and under its real policy, against a scripted hub. */

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  userAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
};

describe.skipIf(withoutBrowser())("the hosted payment page", () => {
  let build: CheckoutBuild;
  let browser: Browser;
  let hub: FakeHub;
  /** What the browser complained of: policy violations, exceptions, anything it prints as an error. */
  let complaints: string[];

  beforeAll(async () => {
    build = await buildCheckout();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    build?.remove();
  });
  beforeEach(async () => {
    hub = new FakeHub(build.folder);
    complaints = [];
    await hub.start();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await hub.stop();
  });

  async function visit(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ locale: "en-US", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))",
    );
    await page.goto(hub.url);
    return page;
  }

  const shown = (page: Page, id: string): Promise<void> => page.getByTestId(id).waitFor();
  const textOf = async (page: Page, id: string): Promise<string> => (await page.getByTestId(id).textContent()) ?? "";
  const focused = (page: Page): Promise<string> => page.evaluate<string>("document.activeElement.dataset.testid ?? document.activeElement.tagName");

  test("a method chosen by keyboard alone leads to its QR code, and the stream to the paid page, without one complaint of the browser", async () => {
    hub.open = () => ({ status: 201, body: (hub.state = stateWith({ payment: gopay() })) });
    const page = await visit();
    await shown(page, "method-gopay");
    expect(await textOf(page, "amount")).toBe("Rp 44.000");
    for (let presses = 0; presses < 20 && (await focused(page)) !== "method-gopay"; presses += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");

    await shown(page, "qr");
    expect(hub.requests).toContain("POST /payments");
    expect(await page.getByTestId("qr").getAttribute("alt")).toBe("QR code to pay Rp 44.000 with GoPay");
    await page.waitForFunction("document.querySelector('[data-testid=qr]').naturalWidth > 100");
    expect(await focused(page)).toBe("H1");
    expect(await page.title()).toBe("Waiting for your payment · Rp 44.000 · Toko Kopi Senja");

    hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) }));
    await shown(page, "status-paid");
    expect(await page.getByTestId("return-link").getAttribute("href")).toBe("https://shop.example/orders/42");
    expect(await focused(page)).toBe("H1");
    expect(await page.title()).toMatch(/^Payment received/u);
    expect(complaints).toEqual([]);
  });

  test("on a phone the wallet's app comes first and the code is folded away", async () => {
    hub.state = stateWith({ payment: gopay() });
    const page = await visit(PHONE);
    await shown(page, "deeplink");
    expect(await page.getByTestId("deeplink").getAttribute("href")).toMatch(/^gojek:\/\//u);
    expect(await page.getByTestId("deeplink").textContent()).toBe("Open Gojek / GoPay");
    expect(await page.getByTestId("qr").isVisible()).toBe(false);
    await page.getByText("Show the QR code instead").tap();
    await shown(page, "qr");
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("on a phone a QRIS code, which no app link opens, can be saved", async () => {
    hub.state = stateWith({ payment: payment("qris", [QR]) });
    const page = await visit(PHONE);
    await shown(page, "qr");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("save-qr").tap()]);
    expect(download.suggestedFilename()).toBe("qr-INV-2026-0042.png");
    expect(complaints).toEqual([]);
  });

  test("a virtual account number is copied without its gaps, and that is said aloud", async () => {
    hub.state = stateWith({ payment: bca() });
    const page = await visit({ permissions: ["clipboard-read", "clipboard-write"] });
    await shown(page, "va-number");
    expect(await textOf(page, "va-number")).toBe("12345678901");
    expect(await page.getByTestId("copy-va-status").getAttribute("aria-live")).toBe("polite");
    await page.getByTestId("copy-va").click();
    await page.getByTestId("copy-va-status").getByText("Copied").waitFor({ state: "attached" });
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe("12345678901");
    expect(complaints).toEqual([]);
  });

  test("a gateway's own page is a link in this tab", async () => {
    hub.state = stateWith({
      payment: payment("snap", [
        { type: "snap_token", token: "t", client_key: "c", script_url: "x" },
        { type: "redirect", url: "https://pay.example/snap" },
      ]),
    });
    const page = await visit();
    await shown(page, "redirect");
    expect(await page.getByTestId("redirect").getAttribute("href")).toBe("https://pay.example/snap");
    expect(await page.getByTestId("redirect").getAttribute("target")).toBeNull();
    expect(complaints).toEqual([]);
  });

  test("where the stream is refused the page asks by itself and still learns of the payment", async () => {
    hub.stream = "refused";
    hub.state = stateWith({ payment: gopay() });
    const page = await visit();
    await shown(page, "status-pending");
    hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) }));
    await shown(page, "status-paid");
    expect(await page.getByTestId("offline").isVisible()).toBe(false);
    expect(complaints.filter((text) => !text.includes("503"))).toEqual([]);
  });

  test("while the hub cannot be reached the page says so, keeps trying, and goes on by itself", async () => {
    hub.state = stateWith({ payment: gopay() });
    const page = await visit();
    await shown(page, "qr");
    hub.goDown();
    await shown(page, "offline");
    expect(await page.getByTestId("qr").isVisible()).toBe(true);
    hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) }));
    hub.comeBack();
    await shown(page, "status-paid");
    await page.getByTestId("offline").waitFor({ state: "detached" });
    expect(complaints.filter((text) => !text.includes("net::ERR_"))).toEqual([]);
  });

  test.each([
    [422, "gateway_refused", "did not accept"],
    [502, "gateway_unclear", "no clear answer"],
    [500, "internal", "on our side"],
  ])("a charge refused with %d %s is explained in place, and another method can be chosen", async (status, code, words) => {
    hub.open = (method) => {
      if (method === "gopay") return { status, body: { status, code, title: "x", request_id: "req_123" } };
      return { status: 201, body: (hub.state = stateWith({ payment: bca() })) };
    };
    const page = await visit();
    await page.getByTestId("method-gopay").click();
    await shown(page, "refusal");
    expect(await textOf(page, "refusal")).toContain(words);
    expect(await textOf(page, "refusal")).toContain("req_123");
    expect(await page.getByTestId("refusal").locator("xpath=ancestor::*[@role='alert']").count()).toBe(1);
    await page.getByTestId("method-bca_va").click();
    await shown(page, "va-number");
    expect(await page.getByTestId("refusal").count()).toBe(0);
    expect(complaints.filter((text) => !text.includes(`status of ${status}`))).toEqual([]);
  });

  test("while a payment is being opened a second press opens nothing", async () => {
    let release = (): void => {};
    const held = new Promise<void>((done) => (release = done));
    hub.open = async () => {
      await held;
      return { status: 201, body: (hub.state = stateWith({ payment: gopay() })) };
    };
    const page = await visit();
    await page.getByTestId("method-gopay").click();
    await page.locator("[data-testid=method-gopay][aria-busy=true]").waitFor();
    // Forced: a person can press what is only said to be disabled.
    await page.getByTestId("method-gopay").click({ force: true });
    await page.getByTestId("method-qris").click({ force: true });
    release();
    await shown(page, "qr");
    expect(hub.requests.filter((request) => request === "POST /payments")).toHaveLength(1);
  });

  test("the countdown is the server's although the device's clock is three hours wrong", async () => {
    const skew_ms = 3 * 3_600_000;
    hub.state = stateWith({ payment: gopay({}, skew_ms), skew_ms });
    const page = await visit();
    await shown(page, "countdown");
    expect(await textOf(page, "countdown")).toMatch(/^(15:00|14:5\d)$/u);
  });

  test("when the time is up the hub is asked once, and its word decides: expired, and another method while the order lasts", async () => {
    hub.state = stateWith({ payment: gopay({ expires_at: new Date(Date.now() + 1500).toISOString() }) });
    hub.refresh = () => {
      hub.push(stateWith({ order: order({ payment_status: "expired" }), payment: gopay({ status: "expired" }) }));
      return { status: 200, body: hub.state };
    };
    const page = await visit();
    await shown(page, "status-expired");
    expect(hub.requests.filter((request) => request === "POST /refresh")).toHaveLength(1);
    await page.getByTestId("choose-another").click();
    await shown(page, "method-qris");
    expect(await focused(page)).toBe("H1");
    expect(complaints).toEqual([]);
  });

  test("money that comes after the time was over is shown as received, and as late", async () => {
    hub.state = stateWith({ order: order({ payment_status: "expired" }), payment: gopay({ status: "expired" }), methods: [] });
    const page = await visit();
    await shown(page, "status-expired");
    expect(await page.getByTestId("choose-another").count()).toBe(0);
    hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid", flags: ["late"] }), methods: [] }));
    await shown(page, "status-paid");
    expect(await textOf(page, "flag-late")).toContain("after the time had run out");
    expect(complaints).toEqual([]);
  });

  test.each(["failed", "canceled", "underpaid", "refunded", "partially_refunded", "reversed"])(
    "an order that is %s says so and leads back to the shop",
    async (status) => {
      const collected = status === "underpaid" ? "paid" : status;
      hub.state = stateWith({ order: order({ payment_status: status }), payment: gopay({ status: collected }) });
      const page = await visit();
      await shown(page, `status-${status}`);
      await shown(page, "return-link");
      expect(await page.getByTestId("choose-another").count()).toBe(["failed", "canceled"].includes(status) ? 1 : 0);
      expect(complaints).toEqual([]);
    },
  );

  test("a closed tab comes back to where the payment stands", async () => {
    hub.open = () => ({ status: 201, body: (hub.state = stateWith({ payment: bca() })) });
    const first = await visit();
    await first.getByTestId("method-bca_va").click();
    await shown(first, "va-number");
    await first.context().close();
    const again = await visit();
    await shown(again, "va-number");
    expect(await textOf(again, "va-number")).toBe("12345678901");
  });

  test("the buyer who says that it is paid is told when it is not yet, and the payment left for another method is offered again", async () => {
    hub.state = stateWith({ payment: gopay() });
    const page = await visit();
    await page.getByTestId("refresh").click();
    await page.getByTestId("check-result").getByText("Not received yet").waitFor();
    expect(hub.requests).toContain("POST /refresh");
    await page.getByTestId("choose-another").click();
    await shown(page, "method-qris");
    await page.getByTestId("keep-payment").click();
    await shown(page, "qr");
    expect(complaints).toEqual([]);
  });

  test("coming back from the wallet's app makes the hub ask the gateway, without a press", async () => {
    hub.state = stateWith({ payment: gopay() });
    hub.refresh = () => ({
      status: 200,
      body: (hub.state = stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) })),
    });
    const page = await visit(PHONE);
    await shown(page, "deeplink");
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await shown(page, "status-paid");
    expect(hub.requests.filter((request) => request === "POST /refresh")).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  test("speaks the browser's language, changes it on request and remembers that", async () => {
    hub.state = stateWith({ payment: gopay() });
    const page = await visit({ locale: "id-ID" });
    await page.getByText("Menunggu pembayaran Anda").waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("id");
    await page.getByTestId("lang-toggle").click();
    await page.getByText("Waiting for your payment").waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("en");
    expect(await page.title()).toMatch(/^Waiting for your payment/u);
    await page.reload();
    await page.getByText("Waiting for your payment").waitFor();
    expect(complaints).toEqual([]);
  });

  test("the simulator is offered in the sandbox and nowhere else", async () => {
    hub.state = stateWith({ payment: gopay(), sandbox: true, simulator_url: "http://127.0.0.1:8090/midtrans/simulator" });
    const page = await visit();
    await shown(page, "simulator-link");
    expect(await page.getByTestId("simulator-link").getAttribute("href")).toBe("http://127.0.0.1:8090/midtrans/simulator");
    hub.push(stateWith({ payment: gopay({ id: "pay_real" }), simulator_url: "http://127.0.0.1:8090/midtrans/simulator" }));
    await page.getByTestId("simulator-link").waitFor({ state: "detached" });
  });

  test("a QR code that does not load can be loaded again", async () => {
    hub.qr = "broken";
    hub.state = stateWith({ payment: gopay() });
    const page = await visit();
    await page.getByText("The QR code could not be loaded.").waitFor();
    hub.qr = "fine";
    await page.getByRole("button", { name: "Load it again" }).click();
    await page.waitForFunction("document.querySelector('[data-testid=qr]')?.naturalWidth > 100");
  });

  test("addresses that would run code become no links", async () => {
    hub.state = stateWith({
      order: order({ return_url: "javascript:alert(1)", payment_status: "paid" }),
      payment: payment("snap", [{ type: "redirect", url: "javascript:alert(1)" }], { status: "paid" }),
      sandbox: true,
      simulator_url: "data:text/html,x",
    });
    const page = await visit();
    await shown(page, "status-paid");
    expect(await page.locator("a").count()).toBe(0);
  });

  test("an address of no payment says so", async () => {
    const page = await visit();
    await page.goto(hub.url.replace(/[^/]+$/u, "tok_unknown"));
    await shown(page, "status-missing");
  });
});
