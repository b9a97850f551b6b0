import { startSandbox, type Sandbox } from "@lunas/sandbox";
import { expect, onTestFinished, test } from "vitest";
import { applyAnswer, signatureIsRight, startShop, type ShopOrder } from "./shop.ts";

const KEYS = { serverKey: "SB-Mid-server-lunas-sandbox", clientKey: "SB-Mid-client-lunas-sandbox" };

interface Bench {
  sandbox: Sandbox;
  url: string;
  /** Orders, opens the hosted page and chooses GoPay there; gives the order's id. */
  order(): Promise<string>;
  read(id: string): Promise<ShopOrder>;
  control(id: string, action: string): Promise<void>;
}

async function start(): Promise<Bench> {
  const sandbox = await startSandbox();
  const shop = await startShop({ port: 0, sandbox: `${sandbox.url}/midtrans`, ...KEYS });
  onTestFinished(async () => {
    await sandbox.close();
    await shop.close();
  });
  return {
    sandbox,
    url: shop.url,
    order: async () => {
      const made = (await (await fetch(`${shop.url}/create-transaction`, { method: "POST" })).json()) as {
        order_id: string;
        token: string;
        redirect_url: string;
      };
      expect(made.redirect_url).toContain(made.token);
      await fetch(`${made.redirect_url}/choose`, { method: "POST", body: new URLSearchParams({ method: "gopay" }) });
      await sandbox.idle();
      return made.order_id;
    },
    read: async (id) => (await (await fetch(`${shop.url}/orders/${id}`)).json()) as ShopOrder,
    control: async (id, action) => {
      const answer = await fetch(`${sandbox.url}/_control/midtrans/${id}/${action}`, { method: "POST" });
      expect(answer.status, await answer.text()).toBe(200);
      await sandbox.idle();
    },
  };
}

test("an order is pending when the buyer has chosen, and paid when the gateway says so", async () => {
  const { order, read, control } = await start();
  const id = await order();
  expect((await read(id)).payment_status).toBe("pending");
  await control(id, "pay");
  expect(await read(id)).toMatchObject({
    payment_status: "paid",
    handed_out: 1,
    payment_gateway_transaction_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

test("an order whose time is over is failed", async () => {
  const { order, read, control } = await start();
  const id = await order();
  await control(id, "expire");
  expect(await read(id)).toMatchObject({ payment_status: "failed", handed_out: 0 });
});

test("repeated notifications hand the goods out once", async () => {
  const { sandbox, order, read, control } = await start();
  sandbox.setFaults([{ provider: "midtrans", fault: "duplicate", on: "notification", times: null, probability: 1 }]);
  const id = await order();
  await control(id, "pay");
  expect(await read(id)).toMatchObject({ payment_status: "paid", handed_out: 1 });
  expect(sandbox.log().filter((entry) => entry.kind === "notification" && entry.http_status === 200)).toHaveLength(4);
});

/** What each fault of the sandbox does to an order that is paid: the status right afterwards, and when what was held or refused has come again. */
const STRUCK = [
  // Believed to be sent: nobody here ever hears of it. That is what the hub asks for.
  ["drop", "pending", "pending"],
  ["delay", "pending", "paid"],
  ["reorder", "pending", "paid"],
  // The shop asks the gateway, and believes that.
  ["wrong-amount", "paid", "paid"],
  // Refused; the genuine one comes with the retry.
  ["forge-signature", "pending", "paid"],
] as const;

test.each(STRUCK)("%s: the order is %s at first and %s in the end, and goods go out at most once", async (fault, first, last) => {
  const { sandbox, order, read, control } = await start();
  const id = await order();
  sandbox.setFaults([{ provider: "midtrans", fault, on: "notification", times: 1, ms: 60_000 }]);
  await control(id, "pay");
  expect(await read(id)).toMatchObject({ payment_status: first, handed_out: first === "paid" ? 1 : 0 });
  sandbox.advance(24 * 3_600_000);
  await sandbox.idle();
  expect(await read(id)).toMatchObject({ payment_status: last, handed_out: last === "paid" ? 1 : 0 });
  expect(sandbox.log().filter((entry) => entry.faults.includes(fault))).not.toEqual([]);
});

test("a notification with a wrong signature is refused and changes nothing", async () => {
  const { url, order, read } = await start();
  const id = await order();
  const forged = { order_id: id, status_code: "200", gross_amount: "44000.00", transaction_status: "settlement", signature_key: "0".repeat(128) };
  const answer = await fetch(`${url}/notification`, { method: "POST", body: JSON.stringify(forged) });
  expect([answer.status, (await read(id)).payment_status]).toEqual([403, "pending"]);
});

test("a notification that is signed rightly but lies about its status is not believed", async () => {
  const { sandbox, order, read } = await start();
  sandbox.setFaults([{ provider: "midtrans", fault: "forge-status", on: "notification", times: null, probability: 1 }]);
  const id = await order();
  expect(await read(id)).toMatchObject({ payment_status: "pending", handed_out: 0 });
  const [lie] = sandbox.log().filter((entry) => entry.faults.includes("forge-status"));
  expect(lie).toMatchObject({ http_status: 200, request_body: expect.stringContaining('"transaction_status":"settlement"') });
});

test("the signature is that of the protocol's vector, over the strings as they came", () => {
  // midtrans.md §11.3, V1 and V4.
  const signature_key =
    "8fafce88af56cc4a005e322e6f0f4442703f53f5f50081a51fc0ba8968774fb4b0c7c49b9b3fe93e2b4013b0e55a2b2390c1b37e8912e6998a47f1054d6414bf";
  const notification = { order_id: "order-101", status_code: "200", gross_amount: "44000.00", signature_key };
  const key = "SB-Mid-server-EmulatorKey0000000001";
  expect(signatureIsRight(notification, key)).toBe(true);
  expect(signatureIsRight({ ...notification, gross_amount: "44000" }, key)).toBe(false);
  expect(signatureIsRight({ ...notification, gross_amount: 44000 }, key)).toBe(false);
  expect(signatureIsRight({ ...notification, signature_key: "" }, key)).toBe(false);
  expect(signatureIsRight({}, key)).toBe(false);
});

test("an answer that lies behind, or is of another order or amount, changes nothing", () => {
  const order: ShopOrder = { id: "A", amount: 44_000, payment_status: "paid", payment_gateway_transaction_id: "t", handed_out: 1 };
  const answer = { order_id: "A", gross_amount: "44000.00", transaction_id: "t2" };
  applyAnswer(order, { ...answer, transaction_status: "pending" });
  applyAnswer(order, { ...answer, transaction_status: "a-new-word" });
  applyAnswer(order, { ...answer, transaction_status: "expire", order_id: "B" });
  applyAnswer(order, { ...answer, transaction_status: "expire", gross_amount: "1.00" });
  expect(order).toEqual({ id: "A", amount: 44_000, payment_status: "paid", payment_gateway_transaction_id: "t", handed_out: 1 });
});
