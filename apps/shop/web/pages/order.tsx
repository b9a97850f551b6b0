import { PayButton } from "@lunas/sdk/react";
import { useEffect, useRef, type ReactElement } from "react";
import type { OrderView, TransactionView } from "../../server/views.ts";
import { api } from "../lib/api.ts";
import { fillCart } from "../lib/cart.ts";
import { rupiah } from "../lib/money.ts";
import { go } from "../lib/router.ts";
import { useTexts } from "../lib/texts.ts";
import { PAYABLE, useOrder } from "../lib/use-order.ts";
import { Items } from "../parts/items.tsx";
import { Link } from "../parts/link.tsx";
import { Loading, Problem, Status } from "../parts/small.tsx";

type LostStatus = "failed" | "expired" | "canceled";
const isLost = (status: string): status is LostStatus => status === "failed" || status === "expired" || status === "canceled";

function orderAgain(order: OrderView): void {
  fillCart(order.items.map(({ product_id, quantity }) => ({ product_id, quantity })));
  go("/checkout");
}

function Facts({ order }: { order: OrderView }): ReactElement {
  const t = useTexts();
  const rows: [string, ReactElement | string, string][] = [];
  if (order.payment_method) rows.push([t.method, order.payment_method, "payment-method"]);
  if (order.payment_gateway_transaction_id) rows.push([t.transaction, order.payment_gateway_transaction_id, "gateway-transaction"]);
  if (order.amount_paid > 0) rows.push([t.paidAmount, rupiah(order.amount_paid), "amount-paid"]);
  if (order.amount_refunded > 0) rows.push([t.refundedAmount, rupiah(order.amount_refunded), "amount-refunded"]);
  return (
    <dl className="facts">
      {rows.map(([term, value, testId]) => (
        <div key={testId}>
          <dt>{term}</dt>
          <dd data-testid={testId}>{value}</dd>
        </div>
      ))}
      {order.refunds.map((refund) => (
        <div key={refund.id}>
          <dt>{t.refund}</dt>
          <dd data-testid="refund-row" data-status={refund.status}>
            {rupiah(refund.amount)} · {refund.status}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function PayAgain({ order }: { order: OrderView }): ReactElement {
  const t = useTexts();
  return (
    <PayButton<TransactionView>
      className="primary"
      {...{ "data-testid": "pay" }}
      createPayment={() => api.pay(order.id, "redirect")}
      busyLabel={t.oneMoment}
      renderError={(error) => <Problem error={error} />}
    >
      {t.continuePaying}
    </PayButton>
  );
}

/** What the buyer is told of goods: none are promised where a person has to decide. */
function noteOf(order: OrderView, t: ReturnType<typeof useTexts>): string | undefined {
  if (order.paid_after_end) return order.payment_status === "paid" ? t.paidAfterEnd : undefined;
  if (order.oversold) return t.oversold;
  return order.payment_status === "paid" ? t.thanksNote : undefined;
}

/** What is to be said first, by the order's status alone: nothing in the address or in the popup's answer counts. */
function Banner({ order }: { order: OrderView }): ReactElement {
  const t = useTexts();
  const status = order.payment_status;
  if (isLost(status)) {
    return (
      <section className="banner bad" data-testid="payment-failure">
        <h1>{t.notPaid}</h1>
        <p>{t.notPaidNote[status]}</p>
        <p className="actions">
          {status === "failed" && <PayAgain order={order} />}
          <button type="button" data-testid="order-again" onClick={() => orderAgain(order)}>
            {t.orderAgain}
          </button>
        </p>
      </section>
    );
  }
  if (PAYABLE.includes(status)) {
    return (
      <section className="banner waiting" data-testid="payment-waiting">
        <h1>
          <span className="dots" aria-hidden="true" />
          {t.waiting}
        </h1>
        <p>{new URLSearchParams(location.search).has("popup") ? t.popupReturned : t.waitingNote}</p>
        {order.problem && <Problem error={new Error(order.problem)} />}
        <p className="actions">
          <PayAgain order={order} />
        </p>
      </section>
    );
  }
  return (
    <section className={`banner ${status === "paid" ? "good" : "plain"}`} data-testid={status === "paid" ? "payment-success" : "payment-closed"}>
      <h1>{status === "paid" ? t.thanks : `${t.order} ${order.id}`}</h1>
      {noteOf(order, t) && <p data-testid="paid-note">{noteOf(order, t)}</p>}
    </section>
  );
}

function Details({ order }: { order: OrderView }): ReactElement {
  const t = useTexts();
  return (
    <section className="box">
      <p className="headline">
        <span>
          {t.order} <strong data-testid="order-id">{order.id}</strong>
        </span>
        <span aria-live="polite">
          <Status status={order.payment_status} />
        </span>
      </p>
      <Items items={order.items} amount={order.amount} />
      <Facts order={order} />
    </section>
  );
}

/** `/orders/:id` follows the order; when it becomes paid or is lost while being watched, it goes on to the page for that. */
export function OrderPage({ id }: { id: string }): ReactElement {
  const order = useOrder(id);
  const before = useRef<string>(undefined);
  const status = order.value?.payment_status;
  useEffect(() => {
    const was = before.current;
    before.current = status;
    if (was === undefined || was === status) return;
    if (status === "paid") go(`/orders/${id}/success`, { replace: true });
    else if (status && isLost(status)) go(`/orders/${id}/failure`, { replace: true });
  }, [id, status]);

  if (!order.value) return order.error ? <Problem error={order.error} retry={order.reload} /> : <Loading />;
  return (
    <div className="narrow">
      {order.error && <Problem error={order.error} />}
      <Banner order={order.value} />
      <Details order={order.value} />
    </div>
  );
}

/** `/orders/:id/success`: only for an order that is paid; for any other it is the order's page. */
export function SuccessPage({ id }: { id: string }): ReactElement {
  const t = useTexts();
  const order = useOrder(id).value;
  const paid = order?.payment_status === "paid";
  useEffect(() => {
    if (order && !paid) go(`/orders/${id}`, { replace: true });
  }, [id, order, paid]);
  if (!order || !paid) return <Loading />;
  return (
    <div className="narrow">
      <section className="banner good" data-testid="payment-success">
        <span className="tick" aria-hidden="true">
          ✓
        </span>
        <h1>{t.thanks}</h1>
        <p data-testid="paid-note">{noteOf(order, t)}</p>
        <p className="actions">
          <Link href="/" className="button">
            {t.keepShopping}
          </Link>
          <Link href={`/orders/${id}`} className="button">
            {t.seeOrder}
          </Link>
        </p>
      </section>
      <Details order={order} />
    </div>
  );
}

/** `/orders/:id/failure`: only for an order that was not paid; late money takes the buyer to the order's page. */
export function FailurePage({ id }: { id: string }): ReactElement {
  const order = useOrder(id).value;
  const lost = order !== undefined && isLost(order.payment_status);
  useEffect(() => {
    if (order && !lost) go(`/orders/${id}`, { replace: true });
  }, [id, order, lost]);
  if (!order || !lost) return <Loading />;
  return (
    <div className="narrow">
      <Banner order={order} />
      <Details order={order} />
    </div>
  );
}
