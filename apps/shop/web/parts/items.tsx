import type { ReactElement } from "react";
import type { OrderItem } from "../../server/views.ts";
import { rupiah } from "../lib/money.ts";
import { useTexts } from "../lib/texts.ts";

/** What was bought, line by line, with its sum. */
export function Items({ items, amount }: { items: readonly OrderItem[]; amount: number }): ReactElement {
  const t = useTexts();
  return (
    <table className="items">
      <tbody>
        {items.map((item) => (
          <tr key={item.product_id}>
            <td>
              {item.quantity} × {item.name}
            </td>
            <td className="number">{rupiah(item.price * item.quantity)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">{t.total}</th>
          <td className="number" data-testid="order-amount">
            {rupiah(amount)}
          </td>
        </tr>
      </tfoot>
    </table>
  );
}
