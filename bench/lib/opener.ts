// A shop as a process of its own, that opens orders with their payments one after another over one connection.
import { Agent, request } from "undici";

export interface OpenOrder {
  readonly base: string;
  readonly api_key: string;
  readonly count: number;
  /** Whether this is the hub: the bare server gets the same two requests and knows only one path. */
  readonly hub: boolean;
}

async function run({ base, api_key, count, hub }: OpenOrder): Promise<{ each_ms: number[] }> {
  const dispatcher = new Agent({ connections: 1 });
  const run_id = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
  const post = async (path: string, body: object, key: string): Promise<{ id?: string }> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${api_key}`, "idempotency-key": key };
    const response = await request(`${base}${path}`, { method: "POST", headers, body: JSON.stringify(body), dispatcher });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${path} answered ${response.statusCode}: ${text}`);
    return JSON.parse(text) as { id?: string };
  };
  const each_ms: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const reference = `${run_id}-${n}`;
    const order = {
      reference,
      amount: 44_000,
      currency: "IDR",
      items: [{ name: "Pulsa 40.000", quantity: 1, price: 44_000 }],
      customer: { name: "Budi", email: "budi@example.com" },
    };
    const began = performance.now();
    const { id } = await post(hub ? "/v1/orders" : "/callbacks/midtrans", order, `o-${reference}`);
    await post(hub ? `/v1/orders/${id}/payments` : "/callbacks/midtrans", { method: "gopay" }, `p-${reference}`);
    each_ms.push(performance.now() - began);
  }
  await dispatcher.close();
  return { each_ms };
}

process.on("message", (order: OpenOrder) => {
  run(order).then(
    (report) => process.send!(report),
    (error: unknown) => process.send!({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.send!({ port: 0 });
// Whoever started us is gone.
process.once("disconnect", () => process.exit());
