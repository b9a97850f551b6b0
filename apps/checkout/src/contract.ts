/*
 * What the hub tells the page: the answer of GET /pay/{token}/state, of every POST below it and of the stream.
 * Amounts are numbers in major units, times RFC 3339 UTC.
 */

export type OrderStatus =
  | "unpaid"
  | "pending"
  | "underpaid"
  | "paid"
  | "partially_refunded"
  | "refunded"
  | "reversed"
  | "expired"
  | "failed"
  | "canceled";

export type PaymentStatus =
  | "created"
  | "submitted"
  | "pending"
  | "authorized"
  | "paid"
  | "partially_refunded"
  | "refunded"
  | "failed"
  | "expired"
  | "canceled"
  | "reversed";

export type MethodKind = "ewallet" | "qris" | "virtual_account" | "hosted";

export interface Item {
  readonly name: string;
  readonly quantity: number;
  /** Of one piece. */
  readonly price: number;
}

export interface Order {
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string | null;
  readonly items: readonly Item[];
  readonly shop_name: string;
  readonly payment_status: OrderStatus;
  readonly return_url: string | null;
  readonly expires_at: string | null;
}

export interface Method {
  readonly method: string;
  readonly account: string;
  readonly kind: MethodKind;
  readonly label: { readonly en: string; readonly id: string };
}

export type Action =
  | { readonly type: "qr"; readonly image_url: string; readonly qr_string: string | null }
  | { readonly type: "deeplink"; readonly url: string }
  | { readonly type: "redirect"; readonly url: string }
  | { readonly type: "va_number"; readonly bank: string; readonly number: string }
  | { readonly type: "bill"; readonly biller_code: string; readonly bill_key: string }
  | { readonly type: "payment_code"; readonly store: string; readonly code: string }
  | { readonly type: "snap_token" };

export interface Payment {
  readonly id: string;
  readonly status: PaymentStatus;
  readonly flags: readonly string[];
  readonly method: string;
  readonly actions: readonly Action[];
  readonly expires_at: string | null;
  readonly amount: number;
  readonly currency: string;
}

export interface State {
  readonly order: Order;
  /** Empty where the order takes no further payment. */
  readonly methods: readonly Method[];
  readonly payment: Payment | null;
  readonly server_time: string;
  readonly sandbox: boolean;
  readonly simulator_url: string | null;
}

/** Whether an answer is a state at all: a proxy's page of its own, for one, is not. */
export function isState(value: unknown): value is State {
  if (typeof value !== "object" || value === null) return false;
  const { order, methods, server_time } = value as Partial<Record<keyof State, unknown>>;
  return (
    typeof order === "object" && order !== null && Array.isArray(methods) && typeof server_time === "string" && !Number.isNaN(Date.parse(server_time))
  );
}

/** The action of a kind, if the payment has it. */
export function actionOf<T extends Action["type"]>(payment: Payment, type: T): Extract<Action, { type: T }> | undefined {
  return payment.actions.find((action): action is Extract<Action, { type: T }> => action.type === type);
}
