import type { ReactElement } from "react";
import type { ProductView } from "../lib/api.ts";
import { cart, setQuantity } from "../lib/cart.ts";
import { go } from "../lib/router.ts";
import { rupiah } from "../lib/money.ts";
import { useTexts } from "../lib/texts.ts";
import { Link } from "./link.tsx";

/** What the cart comes to with today's prices. The backend reckons again. */
export function cartTotal(products: readonly ProductView[], lines: readonly { product_id: string; quantity: number }[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * (products.find((product) => product.id === line.product_id)?.price ?? 0), 0);
}

export function CartBox({ products, withCheckout = false }: { products: readonly ProductView[]; withCheckout?: boolean }): ReactElement {
  const t = useTexts();
  const { lines } = cart.use();
  const known = lines.flatMap((line) => {
    const product = products.find((each) => each.id === line.product_id);
    return product ? [{ ...line, product }] : [];
  });
  return (
    <section className="box cart" aria-label={t.cart}>
      <h2>{t.cart}</h2>
      {known.length === 0 && (
        <p className="muted">
          {t.emptyCart} {!withCheckout && <Link href="/">{t.keepShopping}</Link>}
        </p>
      )}
      <ul className="lines">
        {known.map(({ product_id, quantity, product }) => (
          <li key={product_id}>
            <span className="grow">
              {product.name}
              <small className="muted">{rupiah(product.price)}</small>
            </span>
            <span className="stepper">
              <button type="button" aria-label={`− ${product.name}`} onClick={() => setQuantity(product_id, quantity - 1)}>
                −
              </button>
              <output data-testid={`quantity-${product_id}`}>{quantity}</output>
              <button
                type="button"
                aria-label={`+ ${product.name}`}
                disabled={quantity >= product.stock}
                onClick={() => setQuantity(product_id, quantity + 1)}
              >
                +
              </button>
            </span>
            <span className="number">{rupiah(product.price * quantity)}</span>
          </li>
        ))}
      </ul>
      {known.length > 0 && (
        <p className="sum">
          <span>{t.total}</span>
          <strong data-testid="cart-total">{rupiah(cartTotal(products, lines))}</strong>
        </p>
      )}
      {withCheckout && (
        <button type="button" className="primary wide" data-testid="checkout" disabled={known.length === 0} onClick={() => go("/checkout")}>
          {t.checkout}
        </button>
      )}
    </section>
  );
}
