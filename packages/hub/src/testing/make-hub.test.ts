import { money } from "@lunas/domain";
import { expect, test } from "vitest";
import { createOrder } from "../collect/orders.ts";
import { createPayment } from "../collect/payments.ts";
import { makeTestHub } from "./make-hub.ts";

test("the test hub opens and collects a payment by its fake gateway", async () => {
  const made = await makeTestHub();
  const { hub, gateway, shop_id } = made;
  const wish = { reference: "INV-1", amount: money(4_400_000n, "IDR"), items: [], customer: {}, expires_in_s: 3600, metadata: {} };
  const { order } = await createOrder(hub, shop_id, wish, async () => {});
  const { payment } = await createPayment(hub, shop_id, order.id, { method: "gopay" }, "api", async () => {});
  expect(payment).toMatchObject({ status: "pending", provider: "fake", collected: 0n });
  expect(gateway.transactions.get(payment.reference)).toMatchObject({ amount: 4_400_000n, status: "pending" });
  await made.close();
});
