import { amountNumber, COLLECTED_STATUSES, LIVE_STATUSES, money, rfc3339 } from "@lunas/domain";
import { availableMethods, openUsable } from "../../collect/accounts.ts";
import { checkoutHash } from "../../collect/checkout-token.ts";
import { type OrderBundle, type PaymentRow, readBundle } from "../../collect/rows.ts";
import { orderOnly, paymentView } from "../../collect/views.ts";
import type { Hub } from "../../hub.ts";
import type { Db } from "../../store/index.ts";
import { methodView } from "../routes/methods.ts";

const TOKEN = /^[A-Za-z0-9_-]{32}$/;

/** The order behind a page's token, or undefined for a token that nobody was given. */
export async function findByToken(hub: Hub, token: string): Promise<OrderBundle | undefined> {
  if (!TOKEN.test(token)) return undefined;
  return hub.store.read(async (db) => {
    const order = await db.selectFrom("orders").selectAll().where("checkout_hash", "=", checkoutHash(token)).executeTakeFirst();
    return order && readBundle(db, order);
  });
}

export type CheckoutState = Awaited<ReturnType<typeof stateOf>>;

/** What the hosted page shows, by the business clock. Nothing in it is another buyer's or a secret of the shop. */
export async function stateOf(hub: Hub, token: string, bundle: OrderBundle) {
  const { order } = bundle;
  const payment = shownPayment(bundle);
  const read = await hub.store.read(async (db) => ({
    shop: await db.selectFrom("shops").select("name").where("id", "=", order.shop_id).executeTakeFirstOrThrow(),
    methods: isPayable(hub, bundle) ? await availableMethods(hub, db, order.shop_id) : [],
    sandbox: await sandboxOf(hub, db, order.shop_id, payment),
  }));
  const { reference, amount, currency, description, items, payment_status, return_url, expires_at } = orderOnly(hub, order);
  return {
    order: { reference, amount, currency, description, items, shop_name: read.shop.name, payment_status, return_url, expires_at },
    methods: read.methods.map(methodView),
    payment: payment ? paymentOf(hub, token, bundle, payment) : null,
    server_time: rfc3339(hub.clocks.business.now()),
    sandbox: read.sandbox.sandbox,
    simulator_url: read.sandbox.simulator_url,
  };
}

/** A payment that collected money is shown before one that is open, an open one before one that is over. */
export function shownPayment({ payments }: OrderBundle): PaymentRow | undefined {
  return (
    payments.findLast((payment) => COLLECTED_STATUSES.includes(payment.status)) ??
    payments.findLast((payment) => LIVE_STATUSES.includes(payment.status)) ??
    payments.at(-1)
  );
}

export function isPayable(hub: Pick<Hub, "clocks">, { order, payments }: OrderBundle): boolean {
  const collected = payments.some((payment) => COLLECTED_STATUSES.includes(payment.status));
  return order.closed === null && hub.clocks.business.now() < order.expires_at && !collected;
}

export function qrPath(token: string, payment_id: string): string {
  return `/pay/${token}/payments/${payment_id}/qr.png`;
}

function paymentOf(hub: Hub, token: string, bundle: OrderBundle, payment: PaymentRow) {
  const { id, status, flags, method, actions, expires_at } = paymentView(hub, bundle, payment);
  return {
    id,
    status,
    flags,
    method,
    // A path: the page may be open at another name of this hub, and shows images of its own origin only.
    actions: actions.map((action) => (action.type === "qr" ? { ...action, image_url: qrPath(token, id) } : action)),
    expires_at,
    amount: amountNumber(money(payment.amount, payment.currency)),
    currency: payment.currency,
  };
}

/** Whether the money is play money, and where a person plays the buyer's bank. */
async function sandboxOf(
  hub: Hub,
  db: Db,
  shop_id: string,
  payment: PaymentRow | undefined,
): Promise<{ sandbox: boolean; simulator_url: string | null }> {
  const accounts = db.selectFrom("accounts").selectAll().where("shop_id", "=", shop_id).orderBy("id");
  const rows = await (payment ? accounts.where("id", "=", payment.account_id) : accounts.where("status", "=", "active")).execute();
  const opened = openUsable(hub, rows).filter(({ provider, configs }) => provider.config.isSandbox(configs[0]));
  const base_url = (opened[0]?.configs[0] as { base_url?: unknown } | undefined)?.base_url;
  const simulator_url = payment && typeof base_url === "string" ? `${base_url}/simulator?q=${encodeURIComponent(payment.reference)}` : null;
  return { sandbox: opened.length > 0, simulator_url };
}
