import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; an empty object where it is none. */
  readonly body: Record<string, unknown>;
}

export type Reply = { readonly status: number; readonly headers?: Record<string, string> } | "cut" | "silent";

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** How the coming requests are answered; 200 at first. */
  answer(reply: Reply | ((request: Received) => Reply)): void;
  /** Words of `transaction_status`, in order of arrival. */
  statuses(): unknown[];
  close(): Promise<void>;
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A merchant's notification address that remembers what it got. */
export async function startReceiver(): Promise<Receiver> {
  let reply: Reply | ((request: Received) => Reply) = { status: 200 };
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const entry: Received = { path: request.url ?? "", method: request.method ?? "", headers: request.headers, text, body: parsed(text) };
      received.push(entry);
      const now = typeof reply === "function" ? reply(entry) : reply;
      if (now === "cut") request.socket.destroy();
      else if (now !== "silent") response.writeHead(now.status, now.headers).end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (next) => {
      reply = next;
    },
    statuses: () => received.map(({ body }) => body.transaction_status),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
