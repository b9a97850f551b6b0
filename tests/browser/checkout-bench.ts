import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { buildCheckout, type CheckoutBuild } from "./checkout-build.ts";
import { launchChromium } from "./chromium.ts";
import { FakeHub } from "./fake-hub.ts";

export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  userAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
};

/** The built payment page in a real browser under its real policy, with a fresh scripted hub for each test. */
export class CheckoutBench {
  readonly #build: CheckoutBuild;
  readonly #browser: Browser;
  hub: FakeHub;
  /** What the browser complained of: policy violations, exceptions, whatever it prints as an error or a warning. */
  complaints: string[] = [];

  private constructor(build: CheckoutBuild, browser: Browser) {
    this.#build = build;
    this.#browser = browser;
    this.hub = new FakeHub(build.folder);
  }

  static async open(): Promise<CheckoutBench> {
    const build = await buildCheckout();
    return new CheckoutBench(build, await launchChromium());
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#build.remove();
  }

  async before(): Promise<void> {
    this.hub = new FakeHub(this.#build.folder);
    this.complaints = [];
    await this.hub.start();
  }

  async after(): Promise<void> {
    for (const context of this.#browser.contexts()) await context.close();
    await this.hub.stop();
  }

  /** Opens the page in a browser of its own, English unless told. */
  async visit(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ locale: "en-US", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))",
    );
    await page.goto(this.hub.url);
    return page;
  }
}

/** Resolves when the element with this test id is seen. */
export function shown(page: Page, id: string): Promise<void> {
  return page.getByTestId(id).waitFor();
}

export async function textOf(page: Page, id: string): Promise<string> {
  return (await page.getByTestId(id).textContent()) ?? "";
}

/** The test id of what has the focus, or its tag. */
export function focused(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement.dataset.testid ?? document.activeElement.tagName");
}
