import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildFrontends } from "../harness/front-ends.ts";
import { Buyer } from "./buyer.ts";
import { launchChromium, withoutBrowser } from "./chromium.ts";

/** The whole product as a buyer and a shop's owner meet it: demo shop, hosted page, sandbox and hub, nothing played by the test. */
describe.skipIf(withoutBrowser())("a purchase in a real browser", () => {
  let browser: Browser;
  let buyer: Buyer;

  beforeAll(async () => {
    await buildFrontends();
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    buyer = await Buyer.start(browser);
  });
  afterEach(async () => {
    await buyer.end();
    expect(buyer.problems).toEqual([]);
  });

  test("buy, pay by GoPay on the simulator page, and see it paid on the payment page and in the shop", async () => {
    await buyer.checkOut();
    await buyer.chooseGopay();
    const size = await buyer.page
      .getByTestId("qr")
      .locator("img")
      .or(buyer.page.locator("img[data-testid=qr]"))
      .first()
      .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
    expect(size).toBeGreaterThan(100);
    await buyer.payOnSimulator();
    await buyer.page.getByTestId("status-paid").waitFor();
    await buyer.page.getByTestId("return-link").click();
    await buyer.page.waitForURL((url) => url.origin === buyer.stack.shop!.url);
    await buyer.page.getByTestId("payment-success").waitFor();
    expect((await buyer.shopOrder()).payment_status).toBe("paid");
    await buyer.page.goto(`${buyer.stack.shop!.url}/notifications`);
    await buyer.page.locator("[data-testid=notification][data-type='order.paid']").first().waitFor();
  });

  test("a charge that is refused at creation is said on the page, and nothing is owed", async () => {
    const { body } = await buyer.stack.api("GET", "/v1/accounts");
    const changed = await buyer.stack.api("PATCH", `/v1/accounts/${body.data[0].id}`, {
      credentials: { server_key: "SB-Mid-server-of-somebody-else" },
    });
    expect(changed.status).toBe(200);
    await buyer.checkOut();
    await buyer.page.getByTestId("method-gopay").click();
    await buyer.page.getByTestId("refusal").waitFor();
    expect((await buyer.hubPayment()).status).toBe("failed");
  });

  test("an expired payment is shown as expired, once the gateway says so", async () => {
    await buyer.checkOut();
    await buyer.chooseGopay();
    await buyer.stack.advance(16 * 60);
    await buyer.page.getByTestId("status-expired").waitFor();
    expect((await buyer.hubPayment()).status).toBe("expired");
    expect((await buyer.shopOrder()).payment_status).toBe("expired");
  });

  test("a buyer who closes the tab finds the payment as it is when coming back", async () => {
    await buyer.checkOut();
    await buyer.chooseGopay();
    const address = buyer.page.url();
    const link = await buyer.simulatorLink();
    await buyer.page.close();
    buyer.page = await buyer.newPage();
    await buyer.page.goto(address);
    await buyer.page.getByTestId("qr").waitFor();
    await buyer.page.close();
    await buyer.payOnSimulator(link);
    await buyer.stack.settle();
    expect((await buyer.shopOrder()).payment_status).toBe("paid");
    buyer.page = await buyer.newPage();
    await buyer.page.goto(address);
    await buyer.page.getByTestId("status-paid").waitFor();
  });

  test("money after expiry is money: the page says late, the shop says paid", async () => {
    await buyer.checkOut();
    await buyer.chooseGopay();
    await buyer.stack.advance(16 * 60);
    await buyer.page.getByTestId("status-expired").waitFor();
    const payment = await buyer.hubPayment();
    await buyer.stack.control("POST", `/midtrans/${payment.provider_reference}/pay`);
    await buyer.stack.settle();
    await buyer.page.getByTestId("status-paid").waitFor();
    await buyer.page.getByTestId("flag-late").waitFor();
    expect((await buyer.shopOrder()).payment_status).toBe("paid");
  });

  test("a refund from the shop's order list reaches the gateway and comes back as refunded", async () => {
    await buyer.checkOut();
    await buyer.chooseGopay();
    await buyer.payOnSimulator();
    await buyer.page.getByTestId("status-paid").waitFor();
    await buyer.stack.settle();
    await buyer.page.goto(`${buyer.stack.shop!.url}/orders`);
    await buyer.page.getByTestId("refund").first().click();
    await buyer.page.getByTestId("refund-confirm").click();
    await buyer.page
      .locator("[data-testid=order-row]")
      .getByText(/refunded/i)
      .first()
      .waitFor();
    await buyer.stack.settle();
    expect((await buyer.shopOrder()).payment_status).toBe("refunded");
    expect(buyer.stack.sandbox.ledger()[0]!.refunded).toBe(buyer.stack.sandbox.ledger()[0]!.collected);
  });

  test("the other way to pay: Snap's popup in the shop's own page", async () => {
    await buyer.checkOut("snap");
    const popup = buyer.page.frameLocator("iframe");
    await popup.getByTestId("method-gopay").click();
    await popup.getByTestId("pay").click();
    await buyer.page.getByTestId("payment-success").waitFor();
    await buyer.stack.settle();
    expect((await buyer.shopOrder()).payment_status).toBe("paid");
  });
});
