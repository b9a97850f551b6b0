import { createHash, timingSafeEqual } from "node:crypto";
import { LunasError } from "@lunas/domain";
import type { FastifyRequest } from "fastify";
import type { Hub } from "../hub.ts";

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
/** What proxies add. A proxy on this machine is no reason to answer the whole world. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Who may read `/metrics`: with a token whoever shows it; without one everybody in development, and in production this machine itself.
 * @returns a check that throws LunasError unauthorized.
 */
export function metricsGuard({ mode }: Pick<Hub, "mode">, token: string | undefined): (request: FastifyRequest) => void {
  if (token !== undefined) {
    const expected = digest(`Bearer ${token}`);
    return ({ headers }) => {
      if (!timingSafeEqual(digest(headers.authorization ?? ""), expected)) throw new LunasError("unauthorized");
    };
  }
  if (mode === "development") return () => {};
  return ({ headers, socket }) => {
    const here = LOOPBACK.test(socket.remoteAddress ?? "") && !FORWARDED.some((name) => name in headers);
    if (!here) throw new LunasError("unauthorized", { detail: "Without LUNAS_METRICS_TOKEN the metrics are told to this machine only." });
  };
}
