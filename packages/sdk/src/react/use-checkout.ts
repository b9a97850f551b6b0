import { useCallback, useEffect, useRef, useState } from "react";
import { runCheckout, type CheckoutPage, type CheckoutStep, type CheckoutTarget, type CheckoutWay } from "./flow.ts";

export type CheckoutStatus = "idle" | "creating" | "error" | CheckoutStep["status"];

export interface UseCheckoutOptions<T extends CheckoutTarget = CheckoutTarget> {
  /** Calls the shop's own backend, which makes the order with its API key and answers where to pay it. */
  createPayment: () => Promise<T>;
  way?: CheckoutWay;
  /** Of the popup. */
  language?: "id" | "en";
  /** At every step: the buyer is being sent away, the popup is open, the popup has ended. Go to your order page here and follow the order's own status there. */
  onStep?: (step: CheckoutStep, target: T) => void;
  onError?: (error: Error) => void;
}

export interface Checkout {
  /** Starts paying. While one is under way a second call does nothing, so a double click makes one order. Never rejects: see `error`. */
  start: () => Promise<void>;
  status: CheckoutStatus;
  /** The order is being made or the buyer is on the way: disable the button. */
  busy: boolean;
  error: Error | undefined;
  /** Back to `idle`. */
  reset: () => void;
}

const BUSY: ReadonlySet<CheckoutStatus> = new Set(["creating", "redirecting", "popup"]);

/**
 * Takes the buyer of a React shop to paying: by redirect to the hosted page, or in Snap's popup.
 *
 * ```tsx
 * const checkout = useCheckout({
 *   createPayment: () => post("/api/payments/create-transaction", cart),
 *   onStep: (step, target) => step.status !== "redirecting" && navigate(`/orders/${target.order_id}`),
 * });
 * return <button disabled={checkout.busy} onClick={checkout.start}>Pay</button>;
 * ```
 *
 * None of its statuses says that the order is paid: the shop's backend learns that from a verified webhook.
 */
export function useCheckout<T extends CheckoutTarget>(options: UseCheckoutOptions<T>): Checkout {
  const [status, setStatus] = useState<CheckoutStatus>("idle");
  const [error, setError] = useState<Error | undefined>(undefined);
  const running = useRef(false);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  const start = useCallback(async (): Promise<void> => {
    if (running.current) return;
    running.current = true;
    setError(undefined);
    setStatus("creating");
    const { createPayment, way, language } = latest.current;
    try {
      await runCheckout<T>({
        createPayment,
        way,
        language,
        page: globalThis as unknown as CheckoutPage,
        onStep: (step, target) => {
          setStatus(step.status);
          latest.current.onStep?.(step, target);
        },
      });
    } catch (thrown) {
      const failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      setError(failure);
      setStatus("error");
      latest.current.onError?.(failure);
    } finally {
      running.current = false;
    }
  }, []);

  // A buyer who comes back with the browser's back button finds the page as it was left, button and all (bfcache).
  useEffect(() => {
    const page = globalThis as unknown as { addEventListener?: PageListener; removeEventListener?: PageListener };
    const back = (event: { persisted: boolean }): void => {
      if (event.persisted) setStatus("idle");
    };
    page.addEventListener?.("pageshow", back);
    return () => page.removeEventListener?.("pageshow", back);
  }, []);

  const reset = useCallback((): void => {
    setError(undefined);
    setStatus("idle");
  }, []);

  return { start, status, busy: BUSY.has(status), error, reset };
}

type PageListener = (type: "pageshow", listener: (event: { persisted: boolean }) => void) => void;
