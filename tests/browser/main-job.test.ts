import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildFrontends } from "../harness/front-ends.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { launchChromium, withoutBrowser } from "./chromium.ts";

/** The whole product as a buyer and a shop's owner meet it: demo shop, hosted page, sandbox and hub, nothing played by the test. */
describe.skipIf(withoutBrowser())("a purchase in a real browser", () => {
  let browser: Browser;
  let stack: Stack;
  let context: BrowserContext;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    await buildFrontends();
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await context?.close();
    await stack?.stop();
    expect(problems.splice(0)).toEqual([]);
  });

  async function start(): Promise<void> {
    stack = await startStack({ shop: true });
    context = await browser.newContext({ locale: "en-US" });
    context.setDefaultTimeout(15_000);
    page = await newPage();
  }

  async function newPage(): Promise<Page> {
    const fresh = await context.newPage();
    // A page that logs errors or breaks its content security policy is broken, whatever it shows.
    fresh.on("pageerror", (error) => problems.push(String(error)));
    fresh.on("console", (message) => {
      if (message.type() === "error" && !/status of (4\d\d|502)/.test(message.text())) problems.push(message.text());
    });
    return fresh;
  }

  /** From the shop's catalog to the hosted payment page. */
  async function checkOut(way: "redirect" | "snap" = "redirect"): Promise<void> {
    await page.goto(stack.shop!.url);
    await page.getByTestId("add-to-cart").first().click();
    await page.getByTestId("checkout").click();
    await page.locator("input[name=name]").fill("Siti Rahma");
    await page.locator("input[name=email]").fill("siti@example.com");
    await page.locator("input[name=phone]").fill("081234567890");
    await page.getByTestId(`way-${way}`).check();
    await page.getByTestId("pay").click();
    if (way === "redirect") await page.waitForURL(/\/pay\//);
  }

  async function chooseGopay(): Promise<void> {
    await page.getByTestId("method-gopay").click();
    await page.getByTestId("qr").waitFor();
  }

  /** What a person does on the sandbox's simulator page. */
  async function payOnSimulator(): Promise<void> {
    const link = await page.getByTestId("simulator-link").getAttribute("href");
    const simulator = await newPage();
    await simulator.goto(link!);
    await simulator.getByTestId("pay").first().click();
    await simulator.getByTestId("notice").waitFor();
    await simulator.close();
  }

  const shopOrder = async (): Promise<{ id: string; payment_status: string }> => {
    const { orders } = (await (await fetch(`${stack.shop!.url}/api/orders`)).json()) as { orders: { id: string; payment_status: string }[] };
    return orders[0]!;
  };
  const hubPayment = async () => (await stack.api("GET", "/v1/payments")).body.data[0];

  test("buy, pay by GoPay on the simulator page, and see it paid on the payment page and in the shop", async () => {
    await start();
    await checkOut();
    await chooseGopay();
    const size = await page
      .getByTestId("qr")
      .locator("img")
      .or(page.locator("img[data-testid=qr]"))
      .first()
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
    expect(size).toBeGreaterThan(100);
    await payOnSimulator();
    await page.getByTestId("status-paid").waitFor();
    await page.getByTestId("return-link").click();
    await page.waitForURL((url) => url.origin === stack.shop!.url);
    await page.getByTestId("payment-success").waitFor();
    expect((await shopOrder()).payment_status).toBe("paid");
    await page.goto(`${stack.shop!.url}/notifications`);
    await page.locator("[data-testid=notification][data-type='order.paid']").first().waitFor();
  });

  test("a charge that is refused at creation is said on the page, and nothing is owed", async () => {
    await start();
    const { body } = await stack.api("GET", "/v1/accounts");
    const changed = await stack.api("PATCH", `/v1/accounts/${body.data[0].id}`, { credentials: { server_key: "SB-Mid-server-of-somebody-else" } });
    expect(changed.status).toBe(200);
    await checkOut();
    await page.getByTestId("method-gopay").click();
    await page.getByTestId("refusal").waitFor();
    expect((await hubPayment()).status).toBe("failed");
  });

  test("an expired payment is shown as expired, once the gateway says so", async () => {
    await start();
    await checkOut();
    await chooseGopay();
    await stack.advance(16 * 60);
    await page.getByTestId("status-expired").waitFor();
    expect((await hubPayment()).status).toBe("expired");
    expect((await shopOrder()).payment_status).toBe("expired");
  });

  test("a buyer who closes the tab finds the payment as it is when coming back", async () => {
    await start();
    await checkOut();
    await chooseGopay();
    const address = page.url();
    const link = await page.getByTestId("simulator-link").getAttribute("href");
    await page.close();
    page = await newPage();
    await page.goto(address);
    await page.getByTestId("qr").waitFor();
    await page.close();
    const simulator = await newPage();
    await simulator.goto(link!);
    await simulator.getByTestId("pay").first().click();
    await simulator.getByTestId("notice").waitFor();
    await stack.settle();
    expect((await shopOrder()).payment_status).toBe("paid");
    page = await newPage();
    await page.goto(address);
    await page.getByTestId("status-paid").waitFor();
  });

  test("money after expiry is money: the page says late, the shop says paid", async () => {
    await start();
    await checkOut();
    await chooseGopay();
    await stack.advance(16 * 60);
    await page.getByTestId("status-expired").waitFor();
    const payment = await hubPayment();
    await stack.control("POST", `/midtrans/${payment.provider_reference}/pay`);
    await stack.settle();
    await page.getByTestId("status-paid").waitFor();
    await page.getByTestId("flag-late").waitFor();
    expect((await shopOrder()).payment_status).toBe("paid");
  });

  test("a refund from the shop's order list reaches the gateway and comes back as refunded", async () => {
    await start();
    await checkOut();
    await chooseGopay();
    await payOnSimulator();
    await page.getByTestId("status-paid").waitFor();
    await stack.settle();
    await page.goto(`${stack.shop!.url}/orders`);
    await page.getByTestId("refund").first().click();
    await page.getByTestId("refund-confirm").click();
    await page
      .locator("[data-testid=order-row]")
      .getByText(/refunded/i)
      .first()
      .waitFor();
    await stack.settle();
    expect((await shopOrder()).payment_status).toBe("refunded");
    expect(stack.sandbox.ledger()[0]!.refunded).toBe(stack.sandbox.ledger()[0]!.collected);
  });

  test("the other way to pay: Snap's popup in the shop's own page", async () => {
    await start();
    await checkOut("snap");
    const popup = page.frameLocator("iframe");
    await popup.getByTestId("method-gopay").click();
    await popup.getByTestId("pay").click();
    await page.getByTestId("payment-success").waitFor();
    await stack.settle();
    expect((await shopOrder()).payment_status).toBe("paid");
  });
});
