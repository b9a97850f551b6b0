import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { MINUTE_MS } from "@lunas/domain";
import type { Context } from "./context.ts";
import { isObject, json, part, readBody } from "./context.ts";
import type { Merchant } from "./transaction.ts";

const KIND = "idempotency";
const KEEP_MS = 5 * MINUTE_MS;
/** A longer key is ignored. */
const KEY_MAX = 46;

interface Kept {
  readonly id: string;
  readonly response: EmulatorResponse;
  readonly until: number;
}

/** Permata has none (midtrans.md §12). */
function isPermataCharge(request: EmulatorRequest): boolean {
  if (!request.path.endsWith("/charge")) return false;
  const read = readBody(request);
  const body = read.kind === "value" && isObject(read.value) ? read.value : {};
  return body.payment_type === "permata" || (body.payment_type === "bank_transfer" && (part(body.bank_transfer).bank ?? "permata") === "permata");
}

/** Codes of a success: done, waiting for the payer, and what an expire answers. 202 is a denial, of a charge or of a refund (midtrans.md §9). */
const SUCCESSES: readonly unknown[] = ["200", "201", "407"];

/** Only successes are kept (midtrans.md §12). What Snap answers has no code: there HTTP says it. */
function succeeded(response: EmulatorResponse): boolean {
  if (response.status >= 300) return false;
  return SUCCESSES.includes(part(JSON.parse(String(response.body))).status_code ?? "200");
}

/**
 * `Idempotency-Key`: one merchant, every POST endpoint, whatever the body; successes are repeated for five minutes,
 * and a repetition while the first still runs is HTTP 202 (midtrans.md §12).
 */
export class Idempotency {
  #context: Context;
  #running = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  async around(request: EmulatorRequest, merchant: Merchant, work: () => EmulatorResponse): Promise<EmulatorResponse> {
    const key = request.headers["idempotency-key"]?.trim() ?? "";
    const counts = request.method === "POST" && key !== "" && key.length <= KEY_MAX && !isPermataCharge(request);
    if (!counts) {
      await request.arrived;
      return work();
    }
    const id = `${merchant.merchant_id} ${key}`;
    if (this.#running.has(id)) return json(202, {});
    this.#running.add(id);
    try {
      await request.arrived;
      return this.#context.world.store.transaction(() => this.#kept(id) ?? this.#keep(id, work()));
    } finally {
      this.#running.delete(id);
    }
  }

  #kept(id: string): EmulatorResponse | undefined {
    const kept = this.#context.world.store.get<Kept>(KIND, id);
    return kept && kept.until > this.#context.world.business.now() ? kept.response : undefined;
  }

  #keep(id: string, response: EmulatorResponse): EmulatorResponse {
    if (!succeeded(response)) return response;
    const { store, business } = this.#context.world;
    const until = business.now() + KEEP_MS;
    store.remove(KIND, id);
    store.insert(KIND, id, { id, response, until } satisfies Kept, { due_at: until });
    return response;
  }

  /** Forgets what is too old. */
  tick(): void {
    const { store, business } = this.#context.world;
    for (const kept of store.due<Kept>(KIND, business.now())) store.remove(KIND, kept.id);
  }
}
