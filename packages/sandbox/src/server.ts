import type { Emulator, EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Fastify from "fastify";
import type { Faults, StruckFault } from "./faults.ts";
import type { Log } from "./log.ts";

export const BODY_LIMIT_BYTES = 1024 * 1024;

interface Parts {
  readonly emulators: ReadonlyMap<string, Emulator>;
  readonly faults: Faults;
  readonly log: Log;
  readonly pause: (ms: number) => Promise<void>;
  /** After each request: the emulator may have made something due. */
  readonly onHandled: () => void;
  /** Only requests that name a host of this machine are answered: a page elsewhere must not reach the sandbox through its visitor's browser. */
  readonly loopback_only: boolean;
}

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|[a-z0-9-]+\.localhost)(:\d+)?$/i;

function headersOf(request: FastifyRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]));
}

/** Why a browser on a strange page may not do this, or undefined. */
function strangePage(request: FastifyRequest): string | undefined {
  if (!LOOPBACK_HOST.test(request.headers.host ?? "localhost")) return "this sandbox answers on loopback addresses only";
  const { origin } = request.headers;
  if (!origin || request.method === "GET" || request.method === "HEAD") return undefined;
  return LOOPBACK_HOST.test(URL.parse(origin)?.host ?? "") ? undefined : "a page of another origin may not do this";
}

/** The HTTP front. Bodies are raw bytes: the emulators take what official clients send, `null` and empty JSON bodies among it. */
export function makeServer(parts: Parts): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 2_000 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", async (request, reply) => {
    const problem = parts.loopback_only ? strangePage(request) : undefined;
    if (problem) return reply.code(403).send({ error: problem });
  });
  // Browsers ask for it with every page.
  app.get("/favicon.ico", async (_request, reply) => reply.code(204).send());
  app.get("/", async (_request, reply) => reply.redirect(`/${[...parts.emulators.keys()][0]}/simulator`, 302));
  app.get("/healthz", async () => ({ status: "ok" }));
  for (const emulator of parts.emulators.values()) {
    const prefix = `/${emulator.provider}`;
    app.get(prefix, async (_request, reply) => reply.redirect(`${prefix}/simulator`, 302));
    app.all(`${prefix}/*`, async (request, reply) => serve(parts, emulator, request, reply));
  }
  return app;
}

function requestOf(parts: Parts, emulator: Emulator, request: FastifyRequest, slow: StruckFault | undefined, noted: StruckFault[]): EmulatorRequest {
  const raw = request.raw.url ?? "/";
  const mark = raw.indexOf("?");
  const path = (mark < 0 ? raw : raw.slice(0, mark)).slice(emulator.provider.length + 1) || "/";
  const subject = `${request.method} ${path}`;
  return {
    method: request.method,
    path,
    query: mark < 0 ? "" : raw.slice(mark + 1),
    headers: headersOf(request),
    body: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
    ...(slow ? { arrived: parts.pause(slow.ms) } : {}),
    lags: (age_ms) => {
      const struck = parts.faults.draw(emulator.provider, "api", subject, "lagging-status", age_ms);
      noted.push(...struck);
      return struck.length > 0;
    },
  };
}

async function serve(parts: Parts, emulator: Emulator, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const started = performance.now();
  const noted: StruckFault[] = [];
  const probe = requestOf(parts, emulator, request, undefined, noted);
  if (emulator.isApi(probe)) noted.push(...parts.faults.draw(emulator.provider, "api", `${probe.method} ${probe.path}`));
  const has = (name: string): StruckFault | undefined => noted.find(({ fault }) => fault === name);
  const asked = requestOf(parts, emulator, request, has("slow"), noted);
  const write = (outcome: string, answer?: EmulatorResponse): void =>
    parts.log.write({
      kind: "request",
      provider: emulator.provider,
      method: request.method,
      url: request.raw.url ?? "",
      ...answer?.about,
      http_status: answer?.status ?? null,
      outcome,
      faults: noted.map(({ fault }) => fault),
      elapsed_ms: Math.round(performance.now() - started),
      ...(asked.body.length > 0 ? { request_body: Buffer.from(asked.body).toString("utf8") } : {}),
      ...(typeof answer?.body === "string" && !String(answer.headers["content-type"]).startsWith("text/") ? { response_body: answer.body } : {}),
    });

  if (has("reset")) {
    write("cut");
    request.raw.socket.resetAndDestroy();
    return reply.hijack();
  }
  if (has("http-5xx")) {
    const answer: EmulatorResponse = {
      status: 503,
      headers: { "content-type": "text/html" },
      body: "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>",
    };
    write("answered", answer);
    return send(reply, answer);
  }
  const answer = await emulator.handle(asked);
  parts.onHandled();
  const silence = has("timeout-after-success");
  if (silence) {
    write("done, but not answered", answer);
    // The connection closes earlier where the client gives up first.
    await Promise.race([parts.pause(silence.ms), new Promise((resolve) => reply.raw.once("close", resolve))]);
    request.raw.socket.destroy();
    return reply.hijack();
  }
  if (has("garbage")) {
    const garbled = { ...answer, status: 200, body: `<!doctype html><p>${"�".repeat(8)}{"status_co` };
    write("done, but garbled", garbled);
    return send(reply, garbled);
  }
  write("answered", answer);
  return send(reply, answer);
}

/** Bytes, so that the content type stays as the emulator has it. */
function send(reply: FastifyReply, answer: EmulatorResponse): unknown {
  return reply
    .code(answer.status)
    .headers(answer.headers)
    .send(Buffer.from(answer.body as string));
}
