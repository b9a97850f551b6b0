import type { HttpFault } from "@lunas/domain";
import { BlockedError } from "./guard.ts";

/** The whole call took longer than it may. */
export class TotalTimeoutError extends Error {
  override name = "TotalTimeoutError";
  constructor(timeout_ms: number) {
    super(`no whole answer within ${timeout_ms} ms`);
  }
}

/** Codes of Node, OpenSSL and undici. */
const BY_CODE: readonly (readonly [RegExp, HttpFault])[] = [
  [/^(ENOTFOUND|EAI_.*|ENODATA|ESERVFAIL|EREFUSED|EBADNAME|ENONAME)$/, "dns"],
  [/^(ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|EACCES|EPERM|EINVAL|UND_ERR_CONNECT_TIMEOUT)$/, "connect"],
  [/^(ETIMEDOUT|UND_ERR_(HEADERS|BODY)_TIMEOUT)$/, "timeout"],
  [/^(CERT_|ERR_TLS|ERR_SSL|ERR_OSSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|CRL_)/, "tls"],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_.*|UND_ERR_RESPONSE.*|UND_ERR_HEADERS_OVERFLOW|HPE_.*)$/, "reset"],
];

/** Whose fault it was. A word that is not in the list is ours until somebody has looked at it. */
export function faultOf(error: unknown): HttpFault {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BlockedError) return "blocked";
    if (cause instanceof TotalTimeoutError) return "timeout";
    // Closed before the TLS handshake was over: Node gives this the code of any closed connection.
    if (/before secure TLS connection was established/.test(cause.message)) return "tls";
    // An answer that is no HTTP: undici's parser often gives it no code.
    if (cause.name === "HTTPParserError") return "reset";
    const code = String((cause as NodeJS.ErrnoException).code ?? "");
    const known = BY_CODE.find(([pattern]) => pattern.test(code));
    if (known) return known[1];
  }
  return "internal";
}

/** A message for the attempt log. Never empty: an AggregateError's own message is. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const parts = error instanceof AggregateError ? error.errors.map((one) => messageOf(one)) : [];
  return error.message || parts.join("; ") || error.name;
}
