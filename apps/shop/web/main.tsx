import { StrictMode, useEffect, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { usePath } from "./lib/router.ts";
import { language, useTexts } from "./lib/texts.ts";
import { CheckoutPage } from "./pages/checkout.tsx";
import { Catalog } from "./pages/catalog.tsx";
import { NotificationsPage } from "./pages/notifications.tsx";
import { FailurePage, OrderPage, SuccessPage } from "./pages/order.tsx";
import { OrdersPage } from "./pages/orders.tsx";
import { Frame } from "./parts/frame.tsx";
import { Link } from "./parts/link.tsx";
import "./style.css";

function NotFound(): ReactElement {
  const t = useTexts();
  return (
    <p>
      {t.notFound} <Link href="/">{t.keepShopping}</Link>
    </p>
  );
}

function Page(): ReactElement {
  const path = usePath();
  const [, place, id, part] = path.replace(/\/+$/, "").split("/");
  if (!place) return <Catalog />;
  if (place === "checkout" && !id) return <CheckoutPage />;
  if (place === "notifications" && !id) return <NotificationsPage />;
  if (place === "orders" && !id) return <OrdersPage />;
  if (place === "orders" && id && part === "success") return <SuccessPage key={id} id={id} />;
  if (place === "orders" && id && part === "failure") return <FailurePage key={id} id={id} />;
  if (place === "orders" && id && !part) return <OrderPage key={id} id={id} />;
  return <NotFound />;
}

function App(): ReactElement {
  const lang = language.use();
  useEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);
  return (
    <Frame>
      <Page />
    </Frame>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
