/** What the shop's backend answers its pages. Types only: both sides import them. */

export interface OrderItem {
  product_id: string;
  name: string;
  quantity: number;
  /** Of one piece, whole rupiah. */
  price: number;
}

export interface Buyer {
  name: string;
  email: string;
  phone: string;
}

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

export interface RefundView {
  id: string;
  amount: number;
  status: string;
  reason: string | null;
  created_at: number;
}

export interface OrderView {
  id: string;
  customer: Buyer;
  items: OrderItem[];
  amount: number;
  payment_status: OrderStatus;
  payment_gateway_transaction_id: string | null;
  payment_method: string | null;
  amount_paid: number;
  amount_refunded: number;
  checkout_url: string | null;
  problem: string | null;
  stock_taken: boolean;
  oversold: boolean;
  /** Money came after the order was canceled or its time was over: a person decides. */
  paid_after_end: boolean;
  refunds: RefundView[];
  created_at: number;
  updated_at: number;
}

export type Way = "redirect" | "snap";

/** `POST /api/payments/create-transaction` and `POST /api/orders/:id/pay`. */
export interface TransactionView {
  order_id: string;
  redirect_url: string;
  transaction_token?: string;
  client_key?: string;
  script_url?: string;
}

/** What went wrong, for the buyer to read. */
export interface ProblemView {
  code: string;
  message: string;
  /** The order that was kept all the same, where there is one. */
  order_id?: string;
}

export type NotificationOutcome = "applied" | "duplicate" | "stale" | "ignored" | "unknown_order" | "mismatch" | "rejected";

export interface NotificationView {
  id: number;
  received_at: number;
  outcome: NotificationOutcome;
  detail: string | null;
  webhook_id: string | null;
  event_type: string | null;
  order_id: string | null;
  sequence: number | null;
  body: string;
}
