// The baseline of `ingest`: a bare Fastify route that parses the same JSON and answers 200.
import Fastify from "fastify";

const app = Fastify();
app.post("/callbacks/midtrans", async (request, reply) => {
  void (request.body as { order_id: string }).order_id;
  return reply.code(200).send('{"status":"ok"}');
});
await app.listen({ host: "127.0.0.1", port: 0 });
process.send!({ port: (app.server.address() as { port: number }).port });
// Whoever started us is gone.
process.once("disconnect", () => process.exit());
