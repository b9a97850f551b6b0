import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Frame, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startSandbox, type Sandbox } from "../../packages/sandbox/src/index.ts";
import { launchChromium, withoutBrowser } from "./chromium.ts";

/* snap.js and the hosted page of the sandbox in a merchant's page of another origin. */

const BASIC = `Basic ${Buffer.from("SB-Mid-server-lunas-sandbox:").toString("base64")}`;

describe.skipIf(withoutBrowser())("snap.js of the sandbox", () => {
  let browser: Browser;
  let sandbox: Sandbox;
  let shop: Server;
  let shop_url: string;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    sandbox = await startSandbox();
    shop = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(
        `<!doctype html><title>shop</title><script src="${sandbox.url}/midtrans/snap/snap.js" data-client-key="SB-Mid-client-lunas-sandbox"></script><p id="told"></p><div id="place"></div>`,
      );
    });
    await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
    shop_url = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    shop.closeAllConnections();
    await new Promise((resolve) => shop.close(resolve));
    await sandbox.close();
  });

  async function token(): Promise<string> {
    const answer = await fetch(`${sandbox.url}/midtrans/snap/v1/transactions`, {
      method: "POST",
      headers: { authorization: BASIC },
      body: JSON.stringify({
        transaction_details: { order_id: "S-1", gross_amount: 44_000 },
        callbacks: { finish: `${shop_url}/done`, error: `${shop_url}/failed` },
      }),
    });
    return ((await answer.json()) as { token: string }).token;
  }

  /** The shop's page with the payment open in it, and what its callbacks were told, joined by spaces. */
  async function open(call: string): Promise<{ page: Page; payment: Frame }> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(shop_url);
    await page.evaluate(`(() => {
      const tell = (name) => (result) => { document.querySelector("#told").textContent += name + ":" + (result ? result.transaction_status : "none") + " "; };
      const token = ${JSON.stringify(await token())};
      ${call}
    })()`);
    const element = await page.waitForSelector("iframe");
    return { page, payment: (await element.contentFrame())! };
  }

  const told = async (page: Page, text: string): Promise<void> => page.locator("#told", { hasText: text }).waitFor();

  test("pay: the payer chooses GoPay and pays in the popup, and the shop's callbacks are told", async () => {
    const { page, payment } = await open("snap.pay(token, { onPending: tell('pending'), onSuccess: tell('success'), onClose: tell('close') });");
    await payment.getByTestId("method-gopay").click();
    await told(page, "pending:pending");
    await payment.getByTestId("qr").waitFor();
    await payment.getByTestId("pay").click();
    await told(page, "success:settlement");
    expect(await page.locator("iframe").count()).toBe(0);
    expect(sandbox.ledger()).toMatchObject([{ order_id: "S-1", status: "settlement", collected: 44_000 }]);
  });

  test("a payment made elsewhere is seen in the open popup", async () => {
    const { page, payment } = await open("snap.pay(token, { onPending: tell('pending'), onSuccess: tell('success') });");
    await payment.getByTestId("method-bca_va").click();
    await told(page, "pending:pending");
    await fetch(`${sandbox.url}/_control/midtrans/S-1/pay`, { method: "POST" });
    await told(page, "success:settlement");
  });

  test("closing before a method was chosen is onClose, without a transaction", async () => {
    const { page, payment } = await open("snap.pay(token, { onClose: () => { document.querySelector('#told').textContent = 'closed'; } });");
    await payment.getByTestId("method-gopay").waitFor();
    await page.getByTestId("snap-close").click();
    await told(page, "closed");
    expect(sandbox.ledger()).toEqual([]);
  });

  test("without a callback the window goes to the finish address", async () => {
    const { page, payment } = await open("snap.pay(token);");
    await payment.getByTestId("method-qris").click();
    await payment.getByTestId("pay").click();
    await page.waitForURL(`${shop_url}/done?order_id=S-1&status_code=200&transaction_status=settlement`);
  });

  /** The payer picks BCA and the bank denies it, as often as the page allows. */
  async function denyThrice(payment: Frame | Page): Promise<void> {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await payment.getByTestId("method-bca_va").click();
      await payment.getByTestId("deny").click();
    }
  }

  test("the third denial is onError, with the denied transaction; the ones before it are none", async () => {
    const { page, payment } = await open("snap.pay(token, { onPending: () => {}, onSuccess: tell('success'), onError: tell('error') });");
    await denyThrice(payment);
    await told(page, "error:deny");
    expect(await page.locator("#told").textContent()).toBe("error:deny ");
    expect(await page.locator("iframe").count()).toBe(0);
    expect(sandbox.ledger().map(({ status }) => status)).toEqual(["deny", "deny", "deny"]);
  });

  test("without onError the window goes to the error address, and so does the hosted page alone", async () => {
    const failed = /\/failed\?order_id=S-1&status_code=202&transaction_status=deny$/;
    const { page, payment } = await open("snap.pay(token);");
    await denyThrice(payment);
    await page.waitForURL(failed);
    const alone = await (await browser.newContext()).newPage();
    await alone.goto(`${sandbox.url}/midtrans/snap/v3/redirection/${await token()}`);
    await denyThrice(alone);
    await alone.waitForURL(failed);
  });

  test("embed shows it in an element, without a close button; a second payment at once and an address for a token are refused", async () => {
    const { page, payment } = await open("snap.embed(token, { embedId: 'place', onSuccess: tell('success') });");
    await payment.getByTestId("method-gopay").waitFor();
    expect(await page.locator("#place iframe").count()).toBe(1);
    expect(await page.getByTestId("snap-close").count()).toBe(0);
    await expect(page.evaluate("snap.pay('7f1c2f6e-52c1-4b5a-9a0a-3f6f1f7f5d21')")).rejects.toThrow("is not allowed to be called in this state");
    await page.reload();
    await expect(page.evaluate("snap.pay('http://127.0.0.1/snap/v3/redirection/x')")).rejects.toThrow("takes the token");
  });

  test("the hosted page alone returns to the shop when it is paid", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${sandbox.url}/midtrans/snap/v3/redirection/${await token()}`);
    await page.getByTestId("method-gopay").click();
    await page.getByTestId("pay").click();
    await page.waitForURL(/\/done\?order_id=S-1&status_code=200&transaction_status=settlement$/);
  });

  test("the simulator's buttons pay in a browser, under its own policy", async () => {
    const page = await (await browser.newContext()).newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    await fetch(`${sandbox.url}/midtrans/v2/charge`, {
      method: "POST",
      headers: { authorization: BASIC },
      body: '{"payment_type":"gopay","transaction_details":{"order_id":"G-1","gross_amount":44000}}',
    });
    await page.goto(`${sandbox.url}/midtrans/simulator`);
    await page.locator('[data-testid="pay"][data-order-id="G-1"]').click();
    await page.getByTestId("notice").filter({ hasText: "Paid." }).waitFor();
    expect(sandbox.ledger()).toMatchObject([{ order_id: "G-1", collected: 44_000 }]);
    expect(complaints).toEqual([]);
  });
});
