import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { runCheckout, type CheckoutPage, type CheckoutStep, type CheckoutTarget, type FlowOptions } from "./flow.ts";
import { PayButton } from "./pay-button.ts";
import type { SnapCallbacks } from "./snap.ts";

interface FakeScript {
  src: string;
  async: boolean;
  attributes: Record<string, string>;
  removed: boolean;
  onload: (() => void) | null;
  onerror: (() => void) | null;
  setAttribute(name: string, value: string): void;
  remove(): void;
}

/** As much of a browser as paying needs. `script` says what becomes of each script that is inserted. */
function fakePage(script: (element: FakeScript, page: CheckoutPage) => void = (element) => element.onload?.()) {
  const scripts: FakeScript[] = [];
  const visits: string[] = [];
  const page: CheckoutPage = {
    location: { href: "https://shop.example/cart", assign: (url) => void visits.push(url) },
    document: {
      createElement: () => {
        const element: FakeScript = {
          src: "",
          async: false,
          attributes: {},
          removed: false,
          onload: null,
          onerror: null,
          setAttribute: (name, value) => void (element.attributes[name] = value),
          remove: () => void (element.removed = true),
        };
        return element;
      },
      head: {
        appendChild: (element) => {
          scripts.push(element as FakeScript);
          script(element as FakeScript, page);
        },
      },
    },
  };
  return { page, scripts, visits };
}

const SNAP = { transaction_token: "tok-1", client_key: "SB-Mid-client-x", script_url: "http://sandbox.test/midtrans/snap/snap.js" };

function run(target: CheckoutTarget, page: CheckoutPage, more: Partial<FlowOptions<CheckoutTarget>> = {}) {
  const steps: CheckoutStep[] = [];
  const result = runCheckout({ createPayment: () => Promise.resolve(target), page, onStep: (step) => void steps.push(step), ...more });
  return { result, steps };
}

describe("by redirect", () => {
  test.each([
    [{ checkout_url: "https://pay.example/pay/t" }, "https://pay.example/pay/t"],
    [{ redirect_url: "https://pay.example/pay/t" }, "https://pay.example/pay/t"],
    [{ checkout_url: "/pay/t" }, "https://shop.example/pay/t"],
  ])("%j sends the buyer to %s", async (target, address) => {
    const { page, visits } = fakePage();
    const { result, steps } = run(target, page);
    expect(await result).toEqual({ status: "redirecting", url: address });
    expect(visits).toEqual([address]);
    expect(steps).toEqual([{ status: "redirecting", url: address }]);
  });

  test("an address that is a script is not followed", async () => {
    const { page, visits } = fakePage();
    await expect(run({ checkout_url: "javascript:alert(1)" }, page).result).rejects.toThrow(/not a web address/);
    expect(visits).toEqual([]);
  });

  test("an answer without an address, and a backend that refuses, are told", async () => {
    const { page } = fakePage();
    await expect(run({}, page).result).rejects.toThrow(/neither checkout_url nor redirect_url/);
    await expect(run({}, page, { createPayment: () => Promise.reject(new Error("out of stock")) }).result).rejects.toThrow("out of stock");
  });
});

describe("in Snap's popup", () => {
  /** A page whose snap.js answers every token with the given callback. */
  const snapPage = (answer: (callbacks: SnapCallbacks) => void) => {
    const paid: string[] = [];
    const fake = fakePage((element, page) => {
      page.snap = { pay: (token, callbacks = {}) => (paid.push(token), answer(callbacks)) };
      element.onload?.();
    });
    return { ...fake, paid };
  };

  test("the script is loaded with the client key and paid with the token", async () => {
    const { page, scripts, paid } = snapPage((callbacks) => callbacks.onSuccess?.({ transaction_status: "settlement" }));
    const { result, steps } = run(SNAP, page);
    expect((await result).status).toBe("finished");
    expect(scripts.map(({ src, attributes }) => ({ src, attributes }))).toEqual([
      { src: SNAP.script_url, attributes: { "data-client-key": SNAP.client_key } },
    ]);
    expect(paid).toEqual(["tok-1"]);
    expect(steps.map((step) => step.status)).toEqual(["popup", "finished"]);
  });

  test("the script is loaded once however often the buyer tries", async () => {
    const { page, scripts, paid } = snapPage((callbacks) => callbacks.onClose?.());
    expect((await run(SNAP, page).result).status).toBe("closed");
    expect((await run({ ...SNAP, transaction_token: "tok-2" }, page).result).status).toBe("closed");
    expect([scripts.length, paid]).toEqual([1, ["tok-1", "tok-2"]]);
  });

  test("a script that the shop's page has already is used", async () => {
    const { page, scripts } = fakePage();
    page.snap = { pay: (_token, callbacks) => callbacks?.onError?.({ status_code: "406" }) };
    expect(await run(SNAP, page).result).toEqual({ status: "failed", result: { status_code: "406" } });
    expect(scripts).toHaveLength(0);
  });

  test("a script that does not load is told, taken away and tried again", async () => {
    let reachable = false;
    const { page, scripts } = fakePage((element, at) => {
      if (!reachable) return element.onerror?.();
      at.snap = { pay: (_token, callbacks) => callbacks?.onPending?.({}) };
      element.onload?.();
    });
    await expect(run(SNAP, page).result).rejects.toThrow(/could not be loaded/);
    reachable = true;
    expect((await run(SNAP, page).result).status).toBe("pending");
    expect(scripts.map((script) => script.removed)).toEqual([true, false]);
  });

  test("pending and then finished are both told", async () => {
    const { page } = snapPage((callbacks) => {
      callbacks.onPending?.({});
      callbacks.onSuccess?.({});
    });
    const { result, steps } = run(SNAP, page);
    await result;
    expect(steps.map((step) => step.status)).toEqual(["popup", "pending", "finished"]);
  });

  test("the way can be chosen although both are possible", async () => {
    const { page, visits } = fakePage();
    await run({ ...SNAP, redirect_url: "https://pay.example/pay/t" }, page, { way: "redirect" }).result;
    expect(visits).toEqual(["https://pay.example/pay/t"]);
    await expect(run({ redirect_url: "https://pay.example/pay/t" }, page, { way: "snap" }).result).rejects.toThrow(/lacks transaction_token/);
  });
});

test("PayButton renders a plain button that takes the shop's own attributes", () => {
  const props = { createPayment: () => Promise.resolve({}), className: "primary", "data-testid": "pay" };
  const markup = renderToStaticMarkup(createElement(PayButton, props, "Pay Rp 44.000"));
  expect(markup).toBe('<button class="primary" data-testid="pay" type="button" aria-busy="false" data-status="idle">Pay Rp 44.000</button>');
});
