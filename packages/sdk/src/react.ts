export type { CheckoutStep, CheckoutTarget, CheckoutWay, PopupOutcome } from "./react/flow.ts";
export { PayButton, type PayButtonProps } from "./react/pay-button.ts";
export { useCheckout, type Checkout, type CheckoutStatus, type UseCheckoutOptions } from "./react/use-checkout.ts";
