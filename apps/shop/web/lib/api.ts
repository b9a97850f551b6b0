import type { NotificationView, OrderView, ProblemView, RefundView, TransactionView, Way } from "../../server/views.ts";

export interface ProductView {
  id: string;
  name: string;
  note: { en: string; id: string };
  price: number;
  art: string;
  stock: number;
}

/** What the shop's backend said instead of doing it. `message` is for the buyer. */
export class ShopError extends Error {
  readonly code: string;
  readonly order_id: string | undefined;

  constructor(problem: ProblemView) {
    super(problem.message);
    this.code = problem.code;
    this.order_id = problem.order_id;
  }
}

async function call<T>(url: string, body?: unknown): Promise<T> {
  const init = body === undefined ? undefined : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    throw new ShopError({ code: "offline", message: "The shop cannot be reached. Check your connection and try again." });
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const problem = answer as ProblemView | undefined;
  throw new ShopError(problem?.message ? problem : { code: "internal", message: "Something went wrong in the shop. Try again in a moment." });
}

export interface Purchase {
  checkout_id: string;
  items: { product_id: string; quantity: number }[];
  customer: { name: string; email: string; phone: string };
  way: Way;
}

export const api = {
  products: () => call<{ products: ProductView[] }>("/api/products").then((answer) => answer.products),
  orders: () => call<{ orders: OrderView[] }>("/api/orders").then((answer) => answer.orders),
  order: (id: string) => call<{ order: OrderView }>(`/api/orders/${encodeURIComponent(id)}`).then((answer) => answer.order),
  notifications: () => call<{ notifications: NotificationView[] }>("/api/notifications").then((answer) => answer.notifications),
  createTransaction: (purchase: Purchase) => call<TransactionView>("/api/payments/create-transaction", purchase),
  pay: (id: string, way: Way) => call<TransactionView>(`/api/orders/${encodeURIComponent(id)}/pay`, { way }),
  refund: (id: string, wish: { refund_id: string; amount?: number; reason?: string }) =>
    call<{ refund: RefundView }>(`/api/orders/${encodeURIComponent(id)}/refund`, wish),
};
