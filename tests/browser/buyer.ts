import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Stack, startStack } from "../harness/stack.ts";

/** A buyer with a browser of their own before the whole product: demo shop, hosted page, sandbox and hub, nothing played by the test. */
export class Buyer {
  readonly stack: Stack;
  page: Page;
  /** What a page that works does not do: errors, and what its policy forbids. */
  readonly problems: string[] = [];
  readonly #context: BrowserContext;

  private constructor(stack: Stack, context: BrowserContext) {
    this.stack = stack;
    this.#context = context;
    this.page = undefined as unknown as Page;
  }

  static async start(browser: Browser): Promise<Buyer> {
    const stack = await startStack({ shop: true });
    const context = await browser.newContext({ locale: "en-US" });
    context.setDefaultTimeout(15_000);
    const buyer = new Buyer(stack, context);
    buyer.page = await buyer.newPage();
    return buyer;
  }

  async end(): Promise<void> {
    await this.#context.close();
    await this.stack.stop();
  }

  async newPage(): Promise<Page> {
    const page = await this.#context.newPage();
    // A page that logs errors or breaks its content security policy is broken, whatever it shows.
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of (4\d\d|502)/.test(message.text())) this.problems.push(message.text());
    });
    return page;
  }

  /** From the shop's catalog to the hosted payment page. */
  async checkOut(way: "redirect" | "snap" = "redirect"): Promise<void> {
    const { page } = this;
    await page.goto(this.stack.shop!.url);
    await page.getByTestId("add-to-cart").first().click();
    await page.getByTestId("checkout").click();
    await page.locator("input[name=name]").fill("Siti Rahma");
    await page.locator("input[name=email]").fill("siti@example.com");
    await page.locator("input[name=phone]").fill("081234567890");
    await page.getByTestId(`way-${way}`).check();
    await page.getByTestId("pay").click();
    if (way === "redirect") await page.waitForURL(/\/pay\//);
  }

  async chooseGopay(): Promise<void> {
    await this.page.getByTestId("method-gopay").click();
    await this.page.getByTestId("qr").waitFor();
  }

  /** The simulator page that the payment page leads to. */
  async simulatorLink(): Promise<string> {
    return (await this.page.getByTestId("simulator-link").getAttribute("href"))!;
  }

  /** What a person does on the sandbox's simulator page. */
  async payOnSimulator(link?: string): Promise<void> {
    const address = link ?? (await this.simulatorLink());
    const simulator = await this.newPage();
    await simulator.goto(address);
    // The link has found a payment: without that the first button is that of whoever came last.
    await simulator.getByRole("heading", { name: "Found", exact: true }).waitFor();
    await simulator.getByTestId("pay").first().click();
    await simulator.getByTestId("notice").waitFor();
    await simulator.close();
  }

  /** The shop's newest order. */
  async shopOrder(): Promise<{ id: string; payment_status: string }> {
    return (await this.shopOrders())[0]!;
  }

  /** The shop's orders, the newest first. */
  async shopOrders(): Promise<{ id: string; payment_status: string }[]> {
    const answer = await fetch(`${this.stack.shop!.url}/api/orders`);
    return ((await answer.json()) as { orders: { id: string; payment_status: string }[] }).orders;
  }

  /** The hub's newest payment. */
  async hubPayment() {
    return (await this.stack.api("GET", "/v1/payments")).body.data[0];
  }
}
