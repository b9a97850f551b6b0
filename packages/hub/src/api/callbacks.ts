import type { RawCallback } from "@lunas/domain";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";
import { CALLBACK_BYTES_MAX, type CallbackReply, type Inbox } from "../ingest/receive.ts";

const EMPTY = Buffer.alloc(0);
/** Stands for a body that was too large to be read, so that the provider's own reply to such a one is given. */
const OVERSIZED = Buffer.alloc(CALLBACK_BYTES_MAX + 1);

interface Params {
  readonly account: string;
  readonly topic?: string;
}

/**
 * Where providers call us. The hot path: raw bytes in, the inbox's reply out; no schema, no authentication, no hook.
 * Any content type is taken, for what counts are the bytes. It never redirects, and answers 5xx only when nothing could be stored.
 */
export function callbackRoutes(hub: Pick<Hub, "log">, inbox: Pick<Inbox, "receive">): FastifyPluginAsync {
  const receive = async (request: FastifyRequest, body: Uint8Array): Promise<CallbackReply> => {
    const { account, topic } = request.params as Params;
    const at = request.url.indexOf("?");
    const raw: RawCallback = {
      method: request.method,
      headers: request.headers as Record<string, string>,
      query: at === -1 ? "" : request.url.slice(at + 1),
      body,
      ...(topic === undefined ? {} : { topic }),
    };
    return inbox.receive(account, raw, request.ip);
  };
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: CALLBACK_BYTES_MAX }, (_request, body, done) => done(null, body));
    app.setErrorHandler(async (error: { code?: string; statusCode?: number }, request, reply) => {
      // A content type that nobody can parse is no reason to lose money's news: the bytes are still unread then.
      const late = error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE" ? await readBytes(request.raw) : undefined;
      if (late) return answer(reply, await receive(request, late));
      if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") return answer(reply.header("connection", "close"), await receive(request, OVERSIZED));
      const status = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : 503;
      if (status === 503) hub.log.error({ err: error }, "a callback could not be taken in");
      return reply.code(status).type("application/json").send('{"status":"not stored"}');
    });
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      answer(reply, await receive(request, (request.body as Buffer | undefined) ?? EMPTY));
    for (const url of ["/callbacks/:account", "/callbacks/:account/:topic"]) {
      app.route({ method: ["GET", "POST"], url, schema: { hide: true }, handler });
    }
  };
}

function answer(reply: FastifyReply, { status, body, content_type }: CallbackReply): FastifyReply {
  return reply.code(status).header("content-type", content_type).send(body);
}

/** The whole body, one byte more than is allowed where it is longer; undefined when it breaks off. */
async function readBytes(stream: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > CALLBACK_BYTES_MAX) return OVERSIZED;
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
