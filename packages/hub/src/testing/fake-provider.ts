import type {
  CallbackOutcome,
  CallbackReading,
  ConfigResult,
  Gateway,
  GatewayContext,
  MethodCapability,
  PaymentObservation,
  Provider,
  RawCallback,
} from "@lunas/domain";

import type { FakeClaims } from "./fake-gateway.ts";

export interface FakeConfig {
  readonly secret: string;
  readonly merchant?: string;
  readonly base_url?: string;
}

/** Credentials of the accounts that tests make. */
export const FAKE_CREDENTIALS = { secret: "fake-secret", merchant: "M-1" } as const;
/** Production refuses it. */
export const FAKE_SANDBOX_SECRET = "fake-sandbox-secret";

function method(kind: MethodCapability["kind"], label: string, refund: MethodCapability["refund"], polls: "wallet" | "va"): MethodCapability {
  const default_s = polls === "wallet" ? 900 : 86_400;
  return { label: { en: label, id: label }, kind, refund, expiry_s: { min: 20, max: 604_800, default: default_s }, firm_after_s: 0, polls };
}

const METHODS: Readonly<Record<string, MethodCapability>> = {
  gopay: method("ewallet", "GoPay", "full_and_partial", "wallet"),
  qris: method("qris", "QRIS", "full", "wallet"),
  bca_va: method("virtual_account", "BCA", "none", "va"),
  snap: method("hosted", "Snap", "full_and_partial", "va"),
};

const FIELDS = ["secret", "merchant", "base_url"] as const;

function parse(input: Readonly<Record<string, unknown>>): ConfigResult<FakeConfig> {
  const problems: { field: string; message: string }[] = [];
  if (typeof input["secret"] !== "string" || input["secret"] === "") problems.push({ field: "secret", message: "is required" });
  for (const field of Object.keys(input))
    if (!(FIELDS as readonly string[]).includes(field)) problems.push({ field, message: "is not a field of this provider" });
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config: input as unknown as FakeConfig };
}

const STATUS_OF: Readonly<Record<CallbackOutcome, number>> = {
  stored: 200,
  repeated: 200,
  forged: 403,
  unreadable: 400,
  storage_down: 503,
  unknown_account: 404,
  too_large: 413,
};

function read(raw: RawCallback): CallbackReading<FakeConfig> {
  let body: { reference?: unknown; status?: unknown; proof?: unknown } & FakeClaims;
  try {
    body = JSON.parse(Buffer.from(raw.body).toString("utf8")) as typeof body;
  } catch {
    return { readable: false, problem: "not JSON" };
  }
  const { reference, status, proof, provider_id, refunded, confirmed } = body;
  if (typeof reference !== "string" || typeof status !== "string") return { readable: false, problem: "reference and status are required" };
  return {
    readable: true,
    subject: { kind: "payment", reference, ...(provider_id ? { provider_id } : {}) },
    event_key: `${reference}:${status}`,
    verify: (credentials) => {
      const credential_index = credentials.findIndex((one) => one.secret === proof);
      return credential_index === -1 ? { verdict: "forged" } : { verdict: "weak", credential_index };
    },
    translate: () => ({
      observation: status as PaymentObservation,
      provider_status: status,
      ...(provider_id ? { provider_id } : {}),
      ...(refunded ? { refunded: BigInt(refunded) } : {}),
      ...(confirmed ? { confirmed: BigInt(confirmed) } : {}),
    }),
  };
}

/** A provider without a wire: its gateway is what the test gives it, its callbacks carry the secret itself as proof. */
export function fakeProvider(name: string, gateway: (context: GatewayContext<FakeConfig>) => Gateway): Provider<FakeConfig> {
  return {
    name,
    label: "Fake",
    roles: ["gateway"],
    config: {
      fields: [
        { name: "secret", label: "Secret", description: "Proof of callbacks.", secret: true, required: true },
        { name: "merchant", label: "Merchant", description: "Public.", secret: false, required: false },
        { name: "base_url", label: "Base URL", description: "Of an emulator.", secret: false, required: false },
      ],
      parse,
      sandbox: (base_url) => ({ secret: FAKE_SANDBOX_SECRET, base_url }),
      isSandbox: (config) => config.secret === FAKE_SANDBOX_SECRET,
    },
    budget: { per_second: 1_000, burst: 1_000 },
    capabilities: {
      methods: METHODS,
      currencies: ["IDR"],
      fractional_amounts: false,
      reference: { max_length: 50, extra_characters: "-_" },
      refund_retry_days: 7,
    },
    gateway,
    callbacks: {
      read,
      reply: (outcome) => ({ status: STATUS_OF[outcome], body: JSON.stringify({ status: outcome }), content_type: "application/json" }),
      proof_covers: "reference",
    },
  };
}
