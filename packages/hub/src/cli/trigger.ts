import type { DevelopmentHub } from "./development-hub.ts";

/** Notifications are sent at once on the sandbox, and asked about at once. */
const PATIENCE_MS = 15_000;
const LIVE = ["created", "submitted", "pending", "authorized"];

export interface TriggerWish {
  /** Of the order that is paid; a new one is made where there is none. */
  readonly reference?: string | undefined;
  /** After it has expired. */
  readonly late?: boolean | undefined;
  /** How often the notification comes. */
  readonly times?: number | undefined;
}

interface Payment {
  readonly id: string;
  readonly status: string;
  readonly flags: readonly string[];
  readonly provider: string;
  readonly provider_reference: string;
}
interface Order {
  readonly id: string;
  readonly reference: string;
  readonly payments: readonly Payment[];
}

/** What can be made to happen, by the type of the event that follows. */
export const TRIGGERS: Readonly<Record<string, (hub: DevelopmentHub, wish: TriggerWish) => Promise<Payment>>> = {
  "payment.paid": async (hub, wish) => {
    const payment = await openPayment(hub, wish.reference);
    if (wish.late) await close(hub, payment);
    if (wish.times !== undefined && wish.times > 1) await repeat(hub, payment, wish.times - 1);
    await act(hub, payment, "pay");
    return reach(hub, payment, "paid");
  },
  "payment.expired": async (hub, wish) => close(hub, await openPayment(hub, wish.reference)),
};

/** Makes it happen at the sandbox and waits until the hub knows. @returns the payment, and what was told of it and of its order. */
export async function trigger(hub: DevelopmentHub, type: string, wish: TriggerWish) {
  const run = Object.hasOwn(TRIGGERS, type) ? TRIGGERS[type] : undefined;
  if (!run) throw new Error(`${type} cannot be triggered; there are ${Object.keys(TRIGGERS).join(", ")}`);
  const payment = await run(hub, wish);
  const { data } = await hub.api<{ data: { type: string; id: string; data: object }[] }>("GET", "/v1/events?limit=20");
  const events = data.filter((event) => JSON.stringify(event.data).includes(payment.id)).map(({ type: name, id }) => ({ type: name, id }));
  return { payment, events: events.reverse() };
}

/** The order's open payment, or a new one by GoPay. */
async function openPayment(hub: DevelopmentHub, reference: string | undefined): Promise<Payment> {
  const order = await orderOf(hub, reference ?? `trigger-${crypto.randomUUID().slice(0, 8)}`);
  const open = order.payments.findLast((payment) => LIVE.includes(payment.status));
  return open ?? hub.api<Payment>("POST", `/v1/orders/${order.id}/payments`, { method: "gopay" });
}

async function orderOf(hub: DevelopmentHub, reference: string): Promise<Order> {
  const { data } = await hub.api<{ data: Order[] }>("GET", `/v1/orders?reference=${encodeURIComponent(reference)}`);
  return data[0] ?? hub.api<Order>("POST", "/v1/orders", { reference, amount: 44_000, items: [{ name: "Trigger", quantity: 1, price: 44_000 }] });
}

const act = (hub: DevelopmentHub, { provider, provider_reference }: Payment, action: string): Promise<unknown> =>
  hub.control("POST", `/${provider}/${encodeURIComponent(provider_reference)}/${action}`);

async function close(hub: DevelopmentHub, payment: Payment): Promise<Payment> {
  await act(hub, payment, "expire");
  return reach(hub, payment, "expired");
}

async function reach(hub: DevelopmentHub, { id }: Payment, status: string): Promise<Payment> {
  return hub.until(
    () => hub.api<Payment>("GET", `/v1/payments/${id}`),
    (payment) => payment.status === status,
    PATIENCE_MS,
    (last) => `the hub still has ${id} as ${last.status}: does the sandbox notify it? See /_control/notify and /_control/log of the sandbox`,
  );
}

/** The notification of this payment's money comes so many times more. Faults that are armed stay so, with the strikes that they have left. */
async function repeat(hub: DevelopmentHub, { provider, provider_reference }: Payment, more: number): Promise<void> {
  const { armed } = await hub.control<{ armed: { times?: number | null; struck: number }[] }>("GET", "/faults");
  const left = armed.flatMap(({ struck, ...rule }) => {
    const times = rule.times === undefined || rule.times === null ? rule.times : rule.times - struck;
    return times === 0 ? [] : [{ ...rule, times }];
  });
  const mine = { provider, fault: "duplicate", on: "notification", times: 1, match: `settlement ${provider_reference}` };
  await hub.control("PUT", "/faults", [...left, ...Array.from({ length: more }, () => mine)]);
}
