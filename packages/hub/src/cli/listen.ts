import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { DevelopmentHub } from "./development-hub.ts";

/** Below the hub's own patience, so that it hears of the failure and not of a silence. */
const FORWARD_PATIENCE_MS = 14_000;
const BODY_BYTES_MAX = 1024 * 1024;
/** What belongs to the message and not to its connection. */
const PASSED_ON = ["content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature"];
const DESCRIPTION = /^lunas listen, process (\d+)$/;

export interface ListenWish {
  /** A handler on this machine that gets every event as the hub sent it; without it they are only shown. */
  readonly forwardTo?: string | undefined;
  /** Types; all when absent. */
  readonly events?: readonly string[] | undefined;
  /** Gets each line for the developer. */
  readonly say: (line: string) => void;
}

export interface Listening {
  readonly endpoint_id: string;
  readonly secret: string;
  /** Takes the endpoint away. */
  stop(): Promise<void>;
}

/** Makes an endpoint of the development shop for as long as it runs, shows what comes, and passes it on. The handler's answer is the hub's answer. */
export async function listen(hub: DevelopmentHub, wish: ListenWish): Promise<Listening> {
  if (wish.forwardTo !== undefined && !/^https?:$/.test(URL.parse(wish.forwardTo)?.protocol ?? ""))
    throw new Error("--forward-to: is not a URL such as http://127.0.0.1:3000/webhook");
  await removeLeftOver(hub);
  const server = createServer((request, response) => {
    void receive(request, wish).then((status) => void response.writeHead(status).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  try {
    const made = await hub.api<{ id: string; secret: string }>("POST", "/v1/endpoints", {
      url,
      description: `lunas listen, process ${process.pid}`,
      ...(wish.events === undefined ? {} : { events: wish.events }),
    });
    wish.say(`endpoint ${made.id} listens; its secret is ${made.secret}`);
    const stop = async (): Promise<void> => {
      await hub.api("DELETE", `/v1/endpoints/${made.id}`).finally(close);
    };
    return { endpoint_id: made.id, secret: made.secret, stop };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @returns what the hub is answered. */
async function receive(request: IncomingMessage, { forwardTo, say }: ListenWish): Promise<number> {
  const body = await bodyOf(request).catch(() => undefined);
  if (body === undefined) return 400;
  const { status, said } = forwardTo === undefined ? { status: 200, said: "" } : await forward(forwardTo, request.headers, body);
  say(`${new Date().toISOString()}  ${typeOf(body).padEnd(24)} ${String(request.headers["webhook-id"] ?? "").padEnd(28)} ${status}${said}`);
  return status;
}

async function forward(url: string, headers: IncomingHttpHeaders, body: Buffer): Promise<{ status: number; said: string }> {
  const passed = Object.fromEntries(PASSED_ON.flatMap((name) => (typeof headers[name] === "string" ? [[name, headers[name]]] : [])));
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: passed,
      body: new Uint8Array(body),
      redirect: "manual",
      signal: AbortSignal.timeout(FORWARD_PATIENCE_MS),
    });
    await answer.body?.cancel();
    return { status: answer.status, said: ` from ${url}` };
  } catch (error) {
    const { cause, message } = error as Error;
    return { status: 502, said: `: ${url} does not answer (${cause instanceof Error ? cause.message : message})` };
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new Error("too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function typeOf(body: Buffer): string {
  try {
    const { type } = JSON.parse(body.toString()) as { type?: unknown };
    return typeof type === "string" ? type : "(no type)";
  } catch {
    return "(no JSON)";
  }
}

/** Of one that was killed: nothing listens there any more. */
async function removeLeftOver(hub: DevelopmentHub): Promise<void> {
  const { data } = await hub.api<{ data: { id: string; description: string | null }[] }>("GET", "/v1/endpoints?limit=100");
  for (const { id, description } of data) {
    const pid = DESCRIPTION.exec(description ?? "")?.[1];
    if (pid !== undefined && !lives(Number(pid))) await hub.api("DELETE", `/v1/endpoints/${id}`);
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
