import { createElement, Fragment, type ComponentProps, type ReactElement, type ReactNode } from "react";
import type { CheckoutTarget } from "./flow.ts";
import { useCheckout, type UseCheckoutOptions } from "./use-checkout.ts";

export type PayButtonProps<T extends CheckoutTarget = CheckoutTarget> = UseCheckoutOptions<T> &
  Omit<ComponentProps<"button">, "onClick" | "onError" | "type" | "children"> & {
    children?: ReactNode;
    /** Shown while the order is being made or the buyer is on the way. */
    busyLabel?: ReactNode;
    /** How a failure is shown below the button; the default is its message in a paragraph with role `alert`. */
    renderError?: (error: Error) => ReactNode;
  };

/**
 * A button that takes the buyer to paying. It has no style of its own; `data-status` says where it is.
 *
 * ```tsx
 * <PayButton className="primary" createPayment={createPayment} way="snap" onStep={followOrder} busyLabel="One moment …">
 *   Pay Rp 44.000
 * </PayButton>
 * ```
 */
export function PayButton<T extends CheckoutTarget>(props: PayButtonProps<T>): ReactElement {
  const { createPayment, way, language, onStep, onError, children, busyLabel, renderError, disabled, ...button } = props;
  const checkout = useCheckout<T>({ createPayment, way, language, onStep, onError });
  return createElement(
    Fragment,
    null,
    createElement(
      "button",
      {
        ...button,
        type: "button",
        disabled: disabled || checkout.busy,
        "aria-busy": checkout.busy,
        "data-status": checkout.status,
        onClick: () => void checkout.start(),
      },
      checkout.busy ? (busyLabel ?? children ?? "Pay") : (children ?? "Pay"),
    ),
    checkout.error && (renderError ? renderError(checkout.error) : createElement("p", { role: "alert" }, checkout.error.message)),
  );
}
