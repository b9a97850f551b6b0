// The baseline of `deliver`: a bare loop of POSTs by undici, so many at once.
import { Agent, request } from "undici";

export interface PostOrder {
  readonly url: string;
  readonly count: number;
  readonly concurrency: number;
  readonly bytes: number;
}

async function run({ url, count, concurrency, bytes }: PostOrder): Promise<{ per_second: number }> {
  const dispatcher = new Agent({ connections: concurrency });
  const body = JSON.stringify({ data: "x".repeat(bytes) });
  const headers = {
    "content-type": "application/json",
    "webhook-id": "evt_0000000000000000000000",
    "webhook-timestamp": "1790000000",
    "webhook-signature": `v1,${"A".repeat(44)}`,
  };
  let next = 0;
  const began = performance.now();
  const work = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      const response = await request(url, { method: "POST", headers, body, dispatcher });
      await response.body.dump();
      if (response.statusCode !== 204) throw new Error(`the receiver answered ${response.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const per_second = (count / (performance.now() - began)) * 1000;
  await dispatcher.close();
  return { per_second };
}

process.on("message", (order: PostOrder) => {
  run(order).then(
    (report) => process.send!(report),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
process.send!({ port: 0 });
// Whoever started us is gone.
process.once("disconnect", () => process.exit());
