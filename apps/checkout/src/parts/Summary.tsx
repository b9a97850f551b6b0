import type { Order } from "../contract.ts";
import { formatMoney } from "../format.ts";
import { useMedia } from "../hooks.ts";
import { useSpeech } from "../texts/index.ts";

/** What is paid for. On a narrow screen the items are folded away, the amount never. */
export function Summary({ order }: { readonly order: Order }) {
  const { texts, language } = useSpeech();
  const wide = useMedia("(min-width: 860px)");
  const money = (amount: number): string => formatMoney(amount, order.currency, language);
  const pieces = order.items.reduce((sum, item) => sum + item.quantity, 0);
  return (
    <section className="summary" aria-label={texts.page.details}>
      <p className="quiet">{texts.page.total}</p>
      <p className="amount" data-testid="amount">
        {money(order.amount)}
      </p>
      <p className="quiet small reference">
        {texts.page.order} <span data-testid="reference">{order.reference}</span>
      </p>
      {order.description !== null && <p className="small">{order.description}</p>}
      {order.items.length > 0 && (
        <details className="items" open={wide} key={String(wide)}>
          <summary>
            {texts.page.details} <span className="quiet">({texts.page.item_count(pieces)})</span>
          </summary>
          <ul>
            {order.items.map((item, index) => (
              <li key={`${index} ${item.name}`}>
                <span>
                  {item.name} {item.quantity > 1 && <span className="quiet">× {item.quantity}</span>}
                </span>
                <span className="money">{money(item.price * item.quantity)}</span>
              </li>
            ))}
          </ul>
          <p className="sum">
            <span>{texts.page.total}</span>
            <span className="money">{money(order.amount)}</span>
          </p>
        </details>
      )}
    </section>
  );
}
