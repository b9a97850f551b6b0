import { describe, expect, test } from "vitest";
import { faultOf, messageOf, TotalTimeoutError } from "./faults.ts";
import { BlockedError } from "./guard.ts";

const coded = (code: string, cause?: unknown): Error => Object.assign(new Error(code, { cause }), { code });

describe("an error's code says whose fault it was", () => {
  test.each([
    ["dns", ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "ESERVFAIL", "ENODATA"]],
    ["connect", ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "UND_ERR_CONNECT_TIMEOUT"]],
    ["timeout", ["ETIMEDOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]],
    [
      "tls",
      [
        "CERT_HAS_EXPIRED",
        "ERR_TLS_CERT_ALTNAME_INVALID",
        "ERR_SSL_WRONG_VERSION_NUMBER",
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "SELF_SIGNED_CERT_IN_CHAIN",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        "EPROTO",
      ],
    ],
    ["reset", ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "HPE_INVALID_CONSTANT", "UND_ERR_HEADERS_OVERFLOW"]],
    ["internal", ["ERR_INVALID_URL", "UND_ERR_INVALID_ARG", "UND_ERR_DESTROYED", "SOMETHING_NEW", ""]],
  ] as const)("%s", (fault, codes) => {
    for (const code of codes) expect(faultOf(coded(code)), code).toBe(fault);
  });

  test("also when it is the cause of another error", () => {
    expect(faultOf(new TypeError("fetch failed", { cause: coded("ENOTFOUND") }))).toBe("dns");
    expect(faultOf(new Error("outer", { cause: new BlockedError("no") }))).toBe("blocked");
  });

  test("and our own verdicts are themselves", () => {
    expect(faultOf(new BlockedError("no"))).toBe("blocked");
    expect(faultOf(new TotalTimeoutError(15))).toBe("timeout");
    expect(faultOf("a thrown text")).toBe("internal");
  });
});

test("a message is never empty", () => {
  expect(messageOf(new AggregateError([new Error("connect ECONNREFUSED ::1"), new Error("connect ECONNREFUSED 127.0.0.1")]))).toBe(
    "connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1",
  );
  expect(messageOf(new Error())).toBe("Error");
  expect(messageOf("text")).toBe("text");
});
