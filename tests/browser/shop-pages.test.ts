import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildFrontends } from "../harness/front-ends.ts";
import { Buyer } from "./buyer.ts";
import { launchChromium, withoutBrowser } from "./chromium.ts";

/** What a buyer finds in the shop when an order was not paid, and where the pages lead from there. */
describe.skipIf(withoutBrowser())("the shop's pages of an order, in a real browser", () => {
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

  const open = async (path: string): Promise<void> => void (await buyer.page.goto(`${buyer.stack.shop!.url}${path}`));

  test("of two orders that wait for their buyers, the simulator's link pays the one whose page it stands on", async () => {
    const links: string[] = [];
    for (const _order of [1, 2]) {
      await buyer.checkOut();
      await buyer.chooseGopay();
      links.push(await buyer.simulatorLink());
    }
    const [newer, older] = await buyer.shopOrders();
    await buyer.payOnSimulator(links[0]);
    await buyer.stack.settle();
    expect((await buyer.shopOrders()).map(({ id, payment_status }) => [id, payment_status])).toEqual([
      [newer!.id, "pending"],
      [older!.id, "paid"],
    ]);
    await buyer.payOnSimulator(links[1]);
    await buyer.stack.settle();
    expect((await buyer.shopOrders()).map(({ payment_status }) => payment_status)).toEqual(["paid", "paid"]);
  });

  test("an order that expired says so while it is watched and when it is opened, and can be ordered again", async () => {
    await buyer.checkOut();
    await buyer.chooseGopay();
    const { id } = await buyer.shopOrder();
    await open(`/orders/${id}`);
    await buyer.page.getByTestId("payment-waiting").waitFor();
    await buyer.stack.advance(16 * 60);
    await buyer.page.waitForURL(/\/failure$/);
    await buyer.page.getByTestId("payment-failure").waitFor();
    await open(`/orders/${id}`);
    await buyer.page.getByTestId("payment-failure").waitFor();
    // An order that is over is not paid any more, but made anew.
    expect(await buyer.page.getByTestId("pay").count()).toBe(0);
    await buyer.page.getByTestId("order-again").click();
    await buyer.page.waitForURL(/\/checkout$/);
    await buyer.page.locator("input[name=name]").fill("Siti Rahma");
    await buyer.page.locator("input[name=email]").fill("siti@example.com");
    await buyer.page.locator("input[name=phone]").fill("081234567890");
    await buyer.page.getByTestId("way-redirect").check();
    await buyer.page.getByTestId("pay").click();
    await buyer.page.waitForURL(/\/pay\//);
    await buyer.chooseGopay();
    await buyer.payOnSimulator();
    await buyer.stack.settle();
    expect((await buyer.shopOrders()).map((order) => order.payment_status)).toEqual(["paid", "expired"]);
  });

  test("the failure page of an order that is not lost is its order page", async () => {
    await buyer.checkOut();
    const { id } = await buyer.shopOrder();
    for (const page of ["failure", "success"]) {
      await open(`/orders/${id}/${page}`);
      await buyer.page.getByTestId("payment-waiting").waitFor();
      expect(new URL(buyer.page.url()).pathname).toBe(`/orders/${id}`);
    }
  });

  test("an order that waits is paid from its page: the button leads to the same payment page, and nothing is ordered twice", async () => {
    await buyer.checkOut();
    const address = buyer.page.url();
    const { id } = await buyer.shopOrder();
    await open(`/orders/${id}`);
    await buyer.page.getByTestId("pay").click();
    await buyer.page.waitForURL(/\/pay\//);
    expect(buyer.page.url()).toBe(address);
    await buyer.chooseGopay();
    await buyer.payOnSimulator();
    await buyer.page.getByTestId("status-paid").waitFor();
    await open(`/orders/${id}`);
    await buyer.page.getByTestId("payment-success").waitFor();
    expect(await buyer.shopOrders()).toHaveLength(1);
  });
});
