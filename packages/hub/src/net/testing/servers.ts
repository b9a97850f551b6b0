import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSocketServer, type AddressInfo, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Resolver } from "../resolver.ts";

export interface Listening {
  readonly port: number;
  readonly url: string;
  /** Address of this machine that each connection went to. */
  readonly connections: string[];
  readonly requests: string[];
  /** Connections that were open at once, at most. */
  peak(): number;
}

async function listen(server: Server, host: string, requests: string[]): Promise<Listening> {
  const connections: string[] = [];
  const sockets = new Set<Socket>();
  let peak = 0;
  server.on("connection", (socket) => {
    connections.push(socket.localAddress ?? "");
    sockets.add(socket);
    peak = Math.max(peak, sockets.size);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, connections, requests, peak: () => peak };
}

/** An HTTP server of one test; gone when the test is over. */
export async function serve(answer: RequestListener, host = "127.0.0.1"): Promise<Listening> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  return listen(server, host, requests);
}

/** A server that speaks no HTTP of its own: `react` gets each connection's first bytes. */
export async function serveBytes(react: (socket: Socket) => void): Promise<Listening> {
  return listen(
    createSocketServer((socket) => socket.once("data", () => react(socket))),
    "127.0.0.1",
    [],
  );
}

export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Answers with these addresses, one list per question; the last one for ever after. */
export function resolverOf(...answers: readonly (readonly string[])[]): { resolve: Resolver; asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolver = async (hostname) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    return answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  return { resolve, asked };
}
