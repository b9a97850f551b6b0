// A merchant's server as a process of its own: answers 204 at once, but never on /hang. Tells when what arrived, by path.
import { createServer, type ServerResponse } from "node:http";

interface Question {
  readonly do: "forget" | "count" | "report";
}

export interface ReceiverReport {
  readonly received: number;
  /** Arrivals, epoch milliseconds, of all paths but /hang. */
  readonly at: readonly number[];
  /** The most connections that were open at once: each carries one request at a time. */
  readonly connections: number;
}

let at: number[] = [];
let open = 0;
let most = 0;
const hanging = new Set<ServerResponse>();

const server = createServer((request, response) => {
  if (request.url === "/hang") {
    hanging.add(response);
    request.resume();
    return;
  }
  request.resume();
  request.on("end", () => {
    at.push(performance.timeOrigin + performance.now());
    response.writeHead(204).end();
  });
});
server.keepAliveTimeout = 60_000;
server.on("connection", (socket) => {
  open += 1;
  most = Math.max(most, open);
  socket.once("close", () => (open -= 1));
});
server.listen(0, "127.0.0.1", () => process.send!({ port: (server.address() as { port: number }).port }));

process.on("message", (question: Question) => {
  const report: ReceiverReport = { received: at.length, at: question.do === "report" ? at : [], connections: most };
  if (question.do === "forget") {
    at = [];
    most = open;
    for (const response of hanging) response.destroy();
    hanging.clear();
  }
  process.send!(report);
});
// Whoever started us is gone.
process.once("disconnect", () => process.exit());
