import type { ReactElement, ReactNode } from "react";
import { cart } from "../lib/cart.ts";
import { usePath } from "../lib/router.ts";
import { language, useTexts } from "../lib/texts.ts";
import { Link } from "./link.tsx";

/** What every page has around it. */
export function Frame({ children }: { children: ReactNode }): ReactElement {
  const t = useTexts();
  const path = usePath();
  const lang = language.use();
  const count = cart.use().lines.reduce((sum, line) => sum + line.quantity, 0);
  const item = (href: string, label: string): ReactElement => (
    <Link href={href} aria-current={path === href ? "page" : undefined}>
      {label}
    </Link>
  );
  return (
    <>
      <header className="top">
        <div className="top-row">
          <Link href="/" className="brand">
            <img src="/favicon.svg" width="34" height="34" alt="" />
            <span>
              <strong>Toko Lestari</strong>
              <small>{t.tagline}</small>
            </span>
          </Link>
          <button type="button" className="language" data-testid="language" onClick={() => language.set(lang === "en" ? "id" : "en")}>
            {lang === "en" ? "Bahasa Indonesia" : "English"}
          </button>
          <Link href="/checkout" className="cart-link" data-testid="cart-link">
            {t.cart}
            <span className="count" data-testid="cart-count">
              {count}
            </span>
          </Link>
        </div>
        <nav>
          {item("/", t.shop)}
          {item("/orders", t.orders)}
          {item("/notifications", t.notifications)}
        </nav>
      </header>
      <main>{children}</main>
      <footer>
        <p>{t.demo}</p>
      </footer>
    </>
  );
}
