import type { ReactElement } from "react";
import { api, type ProductView } from "../lib/api.ts";
import { addToCart, cart } from "../lib/cart.ts";
import { rupiah } from "../lib/money.ts";
import { language, useTexts } from "../lib/texts.ts";
import { useLoaded } from "../lib/use-loaded.ts";
import { Art } from "../parts/art.tsx";
import { CartBox } from "../parts/cart-box.tsx";
import { Loading, Problem } from "../parts/small.tsx";

function Card({ product }: { product: ProductView }): ReactElement {
  const t = useTexts();
  const lang = language.use();
  const inCart = cart.use().lines.find((line) => line.product_id === product.id)?.quantity ?? 0;
  const left = product.stock - inCart;
  return (
    <li className="card" data-testid={`product-${product.id}`}>
      <div className="art">
        <Art name={product.art} />
      </div>
      <h3>{product.name}</h3>
      <p className="muted">{product.note[lang]}</p>
      <p className="price">
        {rupiah(product.price)} <small data-testid={`stock-${product.id}`}>{product.stock > 0 ? t.left(product.stock) : t.soldOut}</small>
      </p>
      <button type="button" data-testid="add-to-cart" data-product={product.id} disabled={left <= 0} onClick={() => addToCart(product.id)}>
        {left > 0 ? t.add : t.soldOut}
      </button>
    </li>
  );
}

export function Catalog(): ReactElement {
  const t = useTexts();
  const products = useLoaded(api.products);
  return (
    <>
      <section className="hero">
        <h1>{t.hero}</h1>
        <p>{t.heroNote}</p>
      </section>
      {products.error && <Problem error={products.error} retry={products.reload} />}
      {products.value ? (
        <div className="with-side">
          <ul className="cards">
            {products.value.map((product) => (
              <Card key={product.id} product={product} />
            ))}
          </ul>
          <aside>
            <CartBox products={products.value} withCheckout />
          </aside>
        </div>
      ) : (
        !products.error && <Loading />
      )}
    </>
  );
}
