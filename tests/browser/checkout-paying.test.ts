import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CheckoutBench, focused, PHONE, shown, textOf } from "./checkout-bench.ts";
import { withoutBrowser } from "./chromium.ts";
import { bca, gopay, order, payment, QR, stateWith } from "./fake-state.ts";

describe.skipIf(withoutBrowser())("paying on the hosted page", () => {
  let bench: CheckoutBench;
  beforeAll(async () => {
    bench = await CheckoutBench.open();
  });
  afterAll(() => bench?.close());
  beforeEach(() => bench.before());
  afterEach(() => bench.after());

  test("a method chosen by keyboard alone leads to its QR code, and the stream to the paid page, without one complaint of the browser", async () => {
    bench.hub.open = () => ({ status: 201, body: (bench.hub.state = stateWith({ payment: gopay() })) });
    const page = await bench.visit();
    await shown(page, "method-gopay");
    expect(await textOf(page, "amount")).toBe("Rp 44.000");
    for (let presses = 0; presses < 20 && (await focused(page)) !== "method-gopay"; presses += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");

    await shown(page, "qr");
    expect(bench.hub.requests).toContain("POST /payments");
    expect(await page.getByTestId("qr").getAttribute("alt")).toBe("QR code to pay Rp 44.000 with GoPay");
    await page.waitForFunction("document.querySelector('[data-testid=qr]').naturalWidth > 100");
    expect(await focused(page)).toBe("H1");
    expect(await page.title()).toBe("Waiting for your payment · Rp 44.000 · Toko Kopi Senja");

    bench.hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) }));
    await shown(page, "status-paid");
    expect(await page.getByTestId("return-link").getAttribute("href")).toBe("https://shop.example/orders/42");
    expect(await focused(page)).toBe("H1");
    expect(await page.title()).toMatch(/^Payment received/u);
    expect(bench.complaints).toEqual([]);
  });

  test("on a phone the wallet's app comes first and the code is folded away", async () => {
    bench.hub.state = stateWith({ payment: gopay() });
    const page = await bench.visit(PHONE);
    await shown(page, "deeplink");
    expect(await page.getByTestId("deeplink").getAttribute("href")).toMatch(/^gojek:\/\//u);
    expect(await page.getByTestId("deeplink").textContent()).toBe("Open Gojek / GoPay");
    expect(await page.getByTestId("qr").isVisible()).toBe(false);
    await page.getByText("Show the QR code instead").tap();
    await shown(page, "qr");
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(bench.complaints).toEqual([]);
  });

  test("on a phone a QRIS code, which no app link opens, can be saved", async () => {
    bench.hub.state = stateWith({ payment: payment("qris", [QR]) });
    const page = await bench.visit(PHONE);
    await shown(page, "qr");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("save-qr").tap()]);
    expect(download.suggestedFilename()).toBe("qr-INV-2026-0042.png");
    expect(bench.complaints).toEqual([]);
  });

  test("a virtual account number is copied without its gaps, and that is said aloud", async () => {
    bench.hub.state = stateWith({ payment: bca() });
    const page = await bench.visit({ permissions: ["clipboard-read", "clipboard-write"] });
    await shown(page, "va-number");
    expect(await textOf(page, "va-number")).toBe("12345678901");
    expect(await page.getByTestId("copy-va-status").getAttribute("aria-live")).toBe("polite");
    await page.getByTestId("copy-va").click();
    await page.getByTestId("copy-va-status").getByText("Copied").waitFor({ state: "attached" });
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe("12345678901");
    expect(bench.complaints).toEqual([]);
  });

  test("a gateway's own page is a link in this tab", async () => {
    bench.hub.state = stateWith({
      payment: payment("snap", [
        { type: "snap_token", token: "t", client_key: "c", script_url: "x" },
        { type: "redirect", url: "https://pay.example/snap" },
      ]),
    });
    const page = await bench.visit();
    await shown(page, "redirect");
    expect(await page.getByTestId("redirect").getAttribute("href")).toBe("https://pay.example/snap");
    expect(await page.getByTestId("redirect").getAttribute("target")).toBeNull();
    expect(bench.complaints).toEqual([]);
  });

  test("where the stream is refused the page asks by itself and still learns of the payment", async () => {
    bench.hub.stream = "refused";
    bench.hub.state = stateWith({ payment: gopay() });
    const page = await bench.visit();
    await shown(page, "status-pending");
    bench.hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) }));
    await shown(page, "status-paid");
    expect(await page.getByTestId("offline").isVisible()).toBe(false);
    expect(bench.complaints.filter((text) => !text.includes("503"))).toEqual([]);
  });

  test("while the hub cannot be reached the page says so, keeps trying, and goes on by itself", async () => {
    bench.hub.state = stateWith({ payment: gopay() });
    const page = await bench.visit();
    await shown(page, "qr");
    bench.hub.goDown();
    await shown(page, "offline");
    expect(await page.getByTestId("qr").isVisible()).toBe(true);
    bench.hub.push(stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) }));
    bench.hub.comeBack();
    await shown(page, "status-paid");
    await page.getByTestId("offline").waitFor({ state: "detached" });
    expect(bench.complaints.filter((text) => !text.includes("net::ERR_"))).toEqual([]);
  });

  test("while a payment is being opened a second press opens nothing", async () => {
    let release = (): void => {};
    const held = new Promise<void>((done) => (release = done));
    bench.hub.open = async () => {
      await held;
      return { status: 201, body: (bench.hub.state = stateWith({ payment: gopay() })) };
    };
    const page = await bench.visit();
    await page.getByTestId("method-gopay").click();
    await page.locator("[data-testid=method-gopay][aria-busy=true]").waitFor();
    // Forced: a person can press what is only said to be disabled.
    await page.getByTestId("method-gopay").click({ force: true });
    await page.getByTestId("method-qris").click({ force: true });
    release();
    await shown(page, "qr");
    expect(bench.hub.requests.filter((request) => request === "POST /payments")).toHaveLength(1);
  });

  test("a closed tab comes back to where the payment stands", async () => {
    bench.hub.open = () => ({ status: 201, body: (bench.hub.state = stateWith({ payment: bca() })) });
    const first = await bench.visit();
    await first.getByTestId("method-bca_va").click();
    await shown(first, "va-number");
    await first.context().close();
    const again = await bench.visit();
    await shown(again, "va-number");
    expect(await textOf(again, "va-number")).toBe("12345678901");
  });

  test("the buyer who says that it is paid is told when it is not yet, and the payment left for another method is offered again", async () => {
    bench.hub.state = stateWith({ payment: gopay() });
    const page = await bench.visit();
    await page.getByTestId("refresh").click();
    await page.getByTestId("check-result").getByText("Not received yet").waitFor();
    expect(bench.hub.requests).toContain("POST /refresh");
    await page.getByTestId("choose-another").click();
    await shown(page, "method-qris");
    await page.getByTestId("keep-payment").click();
    await shown(page, "qr");
    expect(bench.complaints).toEqual([]);
  });

  test("coming back from the wallet's app makes the hub ask the gateway, without a press", async () => {
    bench.hub.state = stateWith({ payment: gopay() });
    bench.hub.refresh = () => ({
      status: 200,
      body: (bench.hub.state = stateWith({ order: order({ payment_status: "paid" }), payment: gopay({ status: "paid" }) })),
    });
    const page = await bench.visit(PHONE);
    await shown(page, "deeplink");
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await shown(page, "status-paid");
    expect(bench.hub.requests.filter((request) => request === "POST /refresh")).toHaveLength(1);
    expect(bench.complaints).toEqual([]);
  });

  test("a QR code that does not load can be loaded again", async () => {
    bench.hub.qr = "broken";
    bench.hub.state = stateWith({ payment: gopay() });
    const page = await bench.visit();
    await page.getByText("The QR code could not be loaded.").waitFor();
    bench.hub.qr = "fine";
    await page.getByRole("button", { name: "Load it again" }).click();
    await page.waitForFunction("document.querySelector('[data-testid=qr]')?.naturalWidth > 100");
  });
});
