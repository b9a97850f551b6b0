import { onTestFinished } from "vitest";
import { startShop, type RunningShop } from "../main.ts";
import type { NotificationView, OrderView, Way } from "../views.ts";
import { FakeHub, SECRET } from "./fake-hub.ts";

export const BUYER = { name: "Sari Wulandari", email: "sari@example.com", phone: "0812 3456 7890" };

let purchases = 0;

export interface Harness {
  hub: FakeHub;
  shop: RunningShop;
  /** What the shop told its operator. */
  reports: string[];
  post(url: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Buys two Gayo coffees (Rp 88.000) and gives the order's id. */
  buy(way?: Way): Promise<string>;
  order(id: string): Promise<OrderView>;
  stock(product_id: string): Promise<number>;
  log(): Promise<NotificationView[]>;
}

/** A shop with its own empty database and a scripted hub, both gone after the test. */
export async function startHarness(options: { hubDown?: boolean } = {}): Promise<Harness> {
  const hub = await new FakeHub().listen();
  if (options.hubDown) await hub.app.close();
  const reports: string[] = [];
  const shop = await startShop({
    port: 0,
    databasePath: ":memory:",
    lunas: { baseUrl: hub.url, apiKey: "sk_test_shop", webhookSecret: SECRET, runtime: { sleep: () => Promise.resolve() } },
    publicUrl: "http://shop.test",
    report: (message) => void reports.push(message),
  });
  onTestFinished(async () => {
    await shop.close();
    await hub.app.close();
  });

  const get = async <T>(url: string): Promise<T> => (await shop.app.inject(url)).json<T>();
  const post: Harness["post"] = async (url, body) => {
    const answer = await shop.app.inject({ method: "POST", url, payload: body as object });
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
  };
  return {
    hub,
    shop,
    reports,
    post,
    buy: async (way = "redirect") => {
      const answer = await post("/api/payments/create-transaction", purchase({ way }));
      return String(answer.body["order_id"]);
    },
    order: async (id) => (await get<{ order: OrderView }>(`/api/orders/${id}`)).order,
    stock: async (id) =>
      (await get<{ products: { id: string; stock: number }[] }>("/api/products")).products.find((product) => product.id === id)!.stock,
    log: async () => (await get<{ notifications: NotificationView[] }>("/api/notifications")).notifications,
  };
}

/** A cart with two Gayo coffees, as the browser sends it. */
export function purchase(more: Record<string, unknown> = {}): Record<string, unknown> {
  purchases += 1;
  return { checkout_id: `checkout-${purchases}`, items: [{ product_id: "kopi-gayo", quantity: 2 }], customer: BUYER, way: "redirect", ...more };
}
