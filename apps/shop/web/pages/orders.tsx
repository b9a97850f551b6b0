import { useRef, useState, type FormEvent, type ReactElement } from "react";
import type { OrderView } from "../../server/views.ts";
import { api } from "../lib/api.ts";
import { newId } from "../lib/cart.ts";
import { rupiah } from "../lib/money.ts";
import { language, useTexts } from "../lib/texts.ts";
import { useLoaded } from "../lib/use-loaded.ts";
import { Link } from "../parts/link.tsx";
import { Loading, Problem, Status } from "../parts/small.tsx";

const POLL_MS = 2_000;

/** What may still go back: refunds that have not failed are counted as gone. */
function refundable(order: OrderView): number {
  const going = order.refunds.filter((refund) => refund.status !== "failed").reduce((sum, refund) => sum + refund.amount, 0);
  return order.amount_paid - Math.max(going, order.amount_refunded);
}

function RefundDialog({ order, done }: { order: OrderView; done: () => void }): ReactElement {
  const t = useTexts();
  // One name for one opened dialog: a second click, or a retry after a lost answer, is the same refund.
  const [refund_id] = useState(newId);
  const [amount, setAmount] = useState(refundable(order));
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const dialog = useRef<HTMLDialogElement>(null);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.refund(order.id, { refund_id, amount, reason: reason || undefined });
      dialog.current?.close();
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setBusy(false);
    }
  };
  const attach = (element: HTMLDialogElement | null): void => {
    dialog.current = element;
    if (element && !element.open) element.showModal();
  };
  return (
    <dialog ref={attach} onClose={done} aria-labelledby="refund-title">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="refund-title">{t.refundTitle}</h2>
        <p className="muted">
          {order.id} · {order.customer.name}
        </p>
        <label>
          {t.refundAmount}
          <input
            type="number"
            data-testid="refund-amount"
            required
            min={1}
            max={refundable(order)}
            value={amount}
            onChange={(event) => setAmount(event.target.valueAsNumber || 0)}
          />
        </label>
        <label>
          {t.refundReason}
          <input data-testid="refund-reason" maxLength={200} value={reason} onChange={(event) => setReason(event.target.value)} />
        </label>
        {error && <Problem error={error} />}
        <p className="actions">
          <button type="submit" className="primary" data-testid="refund-confirm" disabled={busy}>
            {busy ? t.oneMoment : t.refundDo}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {t.cancel}
          </button>
        </p>
      </form>
    </dialog>
  );
}

function Row({ order, refund }: { order: OrderView; refund: () => void }): ReactElement {
  const t = useTexts();
  const lang = language.use();
  const pending = order.refunds.filter((each) => each.status !== "succeeded" && each.status !== "failed");
  return (
    <li className="order-row" data-testid="order-row" data-order={order.id}>
      <Link href={`/orders/${order.id}`} className="grow">
        <strong>{order.id}</strong>
        <small className="muted">
          {order.customer.name} ·{" "}
          {new Date(order.created_at).toLocaleString(lang === "id" ? "id-ID" : "en-GB", { dateStyle: "medium", timeStyle: "short" })}
        </small>
        <small className="muted">{order.items.map((item) => `${item.quantity} × ${item.name}`).join(", ")}</small>
        {order.paid_after_end && <small data-testid="paid-after-end">{t.paidAfterEndShop}</small>}
        {pending.length > 0 && <small data-testid="refund-pending">{t.refundSent}</small>}
      </Link>
      <span className="number">{rupiah(order.amount)}</span>
      <Status status={order.payment_status} testId="order-row-status" />
      <button type="button" data-testid="refund" data-order={order.id} disabled={refundable(order) <= 0} onClick={refund}>
        {t.refund}
      </button>
    </li>
  );
}

export function OrdersPage(): ReactElement {
  const t = useTexts();
  const orders = useLoaded(api.orders, POLL_MS);
  const [refunding, setRefunding] = useState<OrderView>();
  const done = (): void => {
    setRefunding(undefined);
    orders.reload();
  };
  return (
    <>
      <h1>{t.orders}</h1>
      {orders.error && <Problem error={orders.error} retry={orders.reload} />}
      {!orders.value && !orders.error && <Loading />}
      {orders.value?.length === 0 && <p className="muted">{t.noOrders}</p>}
      <ul className="rows">
        {orders.value?.map((order) => (
          <Row key={order.id} order={order} refund={() => setRefunding(order)} />
        ))}
      </ul>
      {refunding && <RefundDialog key={refunding.id} order={refunding} done={done} />}
    </>
  );
}
