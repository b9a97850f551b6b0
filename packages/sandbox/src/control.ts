import type { Emulator } from "@lunas/domain";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { BusinessClock } from "./business-clock.ts";
import type { Faults } from "./faults.ts";
import { FAULTS, faultListSchema } from "./faults.ts";
import type { Log } from "./log.ts";

const LONG_POLL_MAX_S = 60;

export interface ControlParts {
  readonly emulators: ReadonlyMap<string, Emulator>;
  readonly faults: Faults;
  readonly clock: BusinessClock;
  readonly log: Log;
  readonly advance: (by_ms: number) => void;
  readonly reset: (options: { clock: boolean }) => void;
  readonly setNotifyUrl: (provider: string, url: string | null) => boolean;
  readonly notifyUrls: () => Readonly<Record<string, string | null>>;
  /** After a person's act something may be due. */
  readonly onHandled: () => void;
}

const advanceSchema = z.strictObject({
  advance_s: z
    .number()
    .min(0)
    .max(10 * 366 * 86_400),
});
const resetSchema = z.strictObject({ clock: z.boolean().optional() });
const notifySchema = z.record(z.string(), z.url({ protocol: /^https?$/ }).nullable());
const objectSchema = z.record(z.string(), z.unknown());
const clockQuerySchema = z.object({ after: z.coerce.number().int().optional(), wait_s: z.coerce.number().min(0).max(LONG_POLL_MAX_S).optional() });
const logQuerySchema = z.object({
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).optional(),
  kind: z.enum(["request", "notification"]).optional(),
  order_id: z.string().optional(),
  transaction_id: z.string().optional(),
});

class Unacceptable extends Error {}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new Unacceptable(z.prettifyError(result.error));
  return result.data;
}

/** An empty body is an empty object. */
function bodyOf(request: FastifyRequest): unknown {
  const text = Buffer.isBuffer(request.body) ? request.body.toString("utf8").trim() : "";
  if (!text) return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Unacceptable("the body is not JSON");
  }
}

const guard =
  (work: (request: FastifyRequest, reply: FastifyReply) => unknown) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    try {
      return await work(request, reply);
    } catch (error) {
      if (error instanceof Unacceptable) return reply.code(400).send({ error: error.message });
      throw error;
    }
  };

/** The same as the simulator pages and more, for tools and tests. Without authentication: the sandbox holds nothing real. */
export function addControl(app: FastifyInstance, parts: ControlParts): void {
  addWorld(app, parts);
  addRecords(app, parts);
  app.post<{ Params: { provider: string; subject: string; action: string } }>("/_control/:provider/:subject/:action", async (request, reply) =>
    guard(() => {
      const { provider, subject, action } = request.params;
      const emulator = parts.emulators.get(provider);
      if (!emulator) return reply.code(404).send({ error: `no provider ${provider}` });
      const answer = emulator.control(subject, action, read(objectSchema, bodyOf(request)));
      parts.onHandled();
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    })(request, reply),
  );
}

function addWorld(app: FastifyInstance, parts: ControlParts): void {
  app.get("/_control/faults", async () => ({ armed: parts.faults.list(), known: FAULTS }));
  app.put(
    "/_control/faults",
    guard((request) => {
      parts.faults.set(read(faultListSchema, bodyOf(request)));
      return { armed: parts.faults.list() };
    }),
  );
  app.delete("/_control/faults", async () => {
    parts.faults.set([]);
    return { armed: [] };
  });
  app.post(
    "/_control/clock",
    guard((request) => {
      parts.advance(Math.round(read(advanceSchema, bodyOf(request)).advance_s * 1_000));
      return parts.clock.read();
    }),
  );
  app.get(
    "/_control/clock",
    guard(async (request, reply) => {
      const { after, wait_s = 0 } = read(clockQuerySchema, request.query);
      if (after === undefined) return parts.clock.read();
      const gone = new AbortController();
      // Of this answer, not of its connection, which lives on for the next request.
      reply.raw.once("close", () => gone.abort());
      return parts.clock.changed(after, wait_s * 1_000, gone.signal);
    }),
  );
  app.post(
    "/_control/reset",
    guard((request) => {
      const { clock = false } = read(resetSchema, bodyOf(request));
      parts.reset({ clock });
      return { status: "reset", clock: parts.clock.read() };
    }),
  );
  app.get("/_control/notify", async () => parts.notifyUrls());
  app.put(
    "/_control/notify",
    guard((request) => {
      const urls = read(notifySchema, bodyOf(request));
      for (const [provider, url] of Object.entries(urls)) if (!parts.setNotifyUrl(provider, url)) throw new Unacceptable(`no provider ${provider}`);
      return parts.notifyUrls();
    }),
  );
}

function addRecords(app: FastifyInstance, parts: ControlParts): void {
  app.get("/_control/ledger", async () => [...parts.emulators.values()].flatMap((emulator) => emulator.ledger()));
  app.get(
    "/_control/log",
    guard((request) => {
      const { after, limit, kind, order_id, transaction_id } = read(logQuerySchema, request.query);
      const entries = parts.log
        .read(after)
        .filter(
          (entry) =>
            (!kind || entry.kind === kind) &&
            (!order_id || entry.order_id === order_id) &&
            (!transaction_id || entry.transaction_id === transaction_id),
        );
      return limit ? entries.slice(-limit) : entries;
    }),
  );
  app.get<{ Params: { provider: string } }>("/_control/:provider/switches", async (request, reply) => {
    const emulator = parts.emulators.get(request.params.provider);
    return emulator ? emulator.switches() : reply.code(404).send({ error: "no such provider" });
  });
  app.put<{ Params: { provider: string } }>("/_control/:provider/switches", async (request, reply) =>
    guard(() => {
      const emulator = parts.emulators.get(request.params.provider);
      if (!emulator) return reply.code(404).send({ error: "no such provider" });
      const problems = emulator.setSwitches(read(objectSchema, bodyOf(request)));
      return problems.length > 0 ? reply.code(400).send({ error: problems.join("; ") }) : emulator.switches();
    })(request, reply),
  );
}
