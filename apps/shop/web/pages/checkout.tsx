import { useCheckout } from "@lunas/sdk/react";
import { useState, type FormEvent, type ReactElement } from "react";
import type { TransactionView, Way } from "../../server/views.ts";
import { api, ShopError } from "../lib/api.ts";
import { buyer, cart, fillCart, renewCheckout } from "../lib/cart.ts";
import { rupiah } from "../lib/money.ts";
import { go } from "../lib/router.ts";
import { language, useTexts } from "../lib/texts.ts";
import { useLoaded } from "../lib/use-loaded.ts";
import { CartBox, cartTotal } from "../parts/cart-box.tsx";
import { Link } from "../parts/link.tsx";
import { Loading, Problem } from "../parts/small.tsx";

function BuyerFields(): ReactElement {
  const t = useTexts();
  const who = buyer.use();
  const field = (
    name: keyof typeof who,
    label: string,
    more: { type: string; autoComplete: string; placeholder: string; pattern?: string },
  ): ReactElement => (
    <label>
      {label}
      <input
        name={name}
        required
        value={who[name]}
        {...more}
        onChange={(event) => {
          buyer.set({ ...who, [name]: event.target.value });
          // Another buyer is another order.
          renewCheckout();
        }}
      />
    </label>
  );
  return (
    <fieldset>
      <legend>{t.yourDetails}</legend>
      {field("name", t.name, { type: "text", autoComplete: "name", placeholder: "Sari Wulandari" })}
      {field("email", t.email, { type: "email", autoComplete: "email", placeholder: "sari@example.com" })}
      {field("phone", t.phone, { type: "tel", autoComplete: "tel", placeholder: "0812 3456 7890", pattern: "[+]?[0-9 \\-]{8,20}" })}
    </fieldset>
  );
}

function WayFields({ way, choose }: { way: Way; choose: (way: Way) => void }): ReactElement {
  const t = useTexts();
  const option = (value: Way, label: string, note: string): ReactElement => (
    <label className="choice">
      <input
        type="radio"
        name="way"
        aria-label={label}
        value={value}
        data-testid={`way-${value}`}
        checked={way === value}
        onChange={() => choose(value)}
      />
      <span>
        <strong>{label}</strong>
        <small className="muted">{note}</small>
      </span>
    </label>
  );
  return (
    <fieldset>
      <legend>{t.howToPay}</legend>
      {option("redirect", t.wayRedirect, t.wayRedirectNote)}
      {option("snap", t.waySnap, t.waySnapNote)}
    </fieldset>
  );
}

export function CheckoutPage(): ReactElement {
  const t = useTexts();
  const products = useLoaded(api.products);
  const { lines, checkout_id } = cart.use();
  const lang = language.use();
  const [way, choose] = useState<Way>("redirect");

  const paying = useCheckout<TransactionView>({
    way,
    language: lang,
    createPayment: () => api.createTransaction({ checkout_id, items: lines, customer: buyer.get(), way }),
    onStep: (step, target) => {
      // From here on the order page is what counts, whichever way the buyer takes and whatever the popup says.
      if (step.status === "popup") return;
      fillCart([]);
      const order = `/orders/${target.order_id}`;
      // The popup may speak again after the buyer was taken to the order, whose page knows better by then.
      if (step.status !== "redirecting" && !location.pathname.startsWith(order)) go(`${order}?popup=${step.status}`);
    },
  });

  if (products.error) return <Problem error={products.error} retry={products.reload} />;
  if (!products.value) return <Loading />;
  const kept = paying.error instanceof ShopError ? paying.error.order_id : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void paying.start();
  };
  return (
    <form className="with-side" onSubmit={submit}>
      <div className="box">
        <h1>{t.checkout}</h1>
        <BuyerFields />
        <WayFields way={way} choose={choose} />
      </div>
      <aside>
        <CartBox products={products.value} />
        {paying.error && <Problem error={paying.error} />}
        {kept && (
          <p>
            <Link href={`/orders/${kept}`}>
              {t.yourOrder} {kept}
            </Link>
          </p>
        )}
        <button type="submit" className="primary wide" data-testid="pay" data-status={paying.status} disabled={paying.busy || lines.length === 0}>
          {paying.busy ? t.oneMoment : t.pay(rupiah(cartTotal(products.value, lines)))}
        </button>
      </aside>
    </form>
  );
}
