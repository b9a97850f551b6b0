import type { EmulatorNotification, HttpFault, HttpResult, NotificationPolicy } from "@lunas/domain";
import { Agent, request } from "undici";

const ANSWER_KEEP_BYTES = 64 * 1024;

const FAULT_OF_CODE: Readonly<Record<string, HttpFault>> = {
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ECONNREFUSED: "connect",
  EHOSTUNREACH: "connect",
  ENETUNREACH: "connect",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  ETIMEDOUT: "timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
};

function faultOf(error: unknown): HttpFault {
  if (error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError")) return "timeout";
  const code = (error as { code?: string }).code ?? (error as { cause?: { code?: string } }).cause?.code ?? "";
  if (/^ERR_(?:TLS|SSL)|CERT|^EPROTO$/.test(code)) return "tls";
  return FAULT_OF_CODE[code] ?? "internal";
}

async function readSome(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= ANSWER_KEEP_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_KEEP_BYTES);
}

/** Sends notifications. Unlike the real provider it takes any address, since a shop in development is at home (midtrans.md §1). */
export class Sender {
  #agent = new Agent({ connections: 32, pipelining: 1, keepAliveTimeout: 4_000 });

  /** One attempt, its allowed redirects included. Never throws. */
  async send(notification: Pick<EmulatorNotification, "url" | "headers" | "body">, policy: NotificationPolicy): Promise<HttpResult> {
    const started = performance.now();
    const elapsed = (): number => Math.round(performance.now() - started);
    const signal = AbortSignal.timeout(policy.timeout_ms);
    let url = notification.url;
    try {
      for (let hop = 0; ; hop += 1) {
        const answer = await request(url, {
          method: "POST",
          headers: notification.headers,
          body: notification.body,
          dispatcher: this.#agent,
          signal,
        });
        const body = await readSome(answer.body);
        const location = answer.headers.location;
        const next = typeof location === "string" ? URL.parse(location, url) : null;
        if (next && policy.followed_redirects.includes(answer.statusCode) && hop < policy.max_hops) {
          url = next.href;
          continue;
        }
        const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
        return { ok: true, status: answer.statusCode, headers, body, elapsed_ms: elapsed() };
      }
    } catch (error) {
      return { ok: false, fault: faultOf(error), message: error instanceof Error ? error.message : String(error), elapsed_ms: elapsed() };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
