import type { Refusal, RefusalCode } from "@lunas/domain";
import { coreBodySchema, snapErrorSchema, type CoreBody } from "./wire.ts";

/** An answer of the Core API, judged by its body's code first and then by its HTTP status (midtrans.md §9). */
export type CoreReply =
  | { readonly kind: "body"; readonly code: string; readonly body: CoreBody }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "unknown"; readonly reason: string };

/** What came over the network, before it is judged. `json` is absent where the body was no JSON object. */
export interface Received {
  readonly http: number;
  readonly json?: Readonly<Record<string, unknown>>;
  readonly retry_after_s?: number;
}

/** Meanings of the body's codes below 500 (midtrans.md §9). Success, 202, 407 and 5xx are read where they are met. */
const MEANING: Readonly<Record<string, RefusalCode>> = {
  "202": "declined",
  "400": "invalid",
  "401": "unauthorized",
  "402": "unsupported",
  "403": "invalid",
  "404": "not_found",
  "405": "unsupported",
  "406": "conflict",
  "407": "state",
  "408": "invalid",
  "409": "rate_limited",
  "410": "declined",
  "411": "invalid",
  "412": "state",
  "413": "invalid",
  "414": "amount",
  "429": "rate_limited",
};

/** Their names of what the caller of our API can do something about, in our names. */
const OUR_FIELDS: readonly (readonly [RegExp, string])[] = [
  [/^transaction_details\.gross_amount/, "amount"],
  [/^item_details/, "items"],
  [/^customer_details\.(first_name|last_name)/, "customer.name"],
  [/^customer_details\./, "customer."],
  [/^(gopay\.callback_url)/, "callback_url"],
  [/^(callbacks\.)(finish|error)/, "return_url"],
];

/** `transaction_details.gross_amount must be …` as a field and its message. Messages in another shape stay with the operator. */
function fieldsOf(messages: readonly string[]): { field: string; message: string }[] {
  return messages.flatMap((message) => {
    const [, path, words] = /^([a-z_][.[\]\w]*) (.+)$/.exec(message) ?? [];
    const known = path === undefined ? undefined : OUR_FIELDS.find(([pattern]) => pattern.test(path));
    return path === undefined || words === undefined || !known ? [] : [{ field: path.replace(known[0], known[1]), message: words }];
  });
}

function refusal(code: RefusalCode, message: string, messages: readonly string[], retry_after_s?: number): Refusal {
  const fields = fieldsOf(messages);
  return {
    code,
    message: [message, ...messages]
      .filter((part) => part !== "")
      .join(" | ")
      .slice(0, 1000),
    ...(fields.length > 0 ? { fields } : {}),
    ...(retry_after_s === undefined ? {} : { retry_after_s }),
  };
}

function words(message: CoreBody["status_message"]): string {
  return Array.isArray(message) ? message.join(", ") : (message ?? "");
}

/** The key is good, and so may the request be: what is missing is in the merchant's contract. */
const NOT_ACTIVATED = "Midtrans has not activated this payment method for the account";

/** The refusal that a body's code stands for, or undefined for a code that surely refuses nothing. */
export function refusalOf(body: CoreBody): Refusal | undefined {
  const code = MEANING[body.status_code];
  const said = body.status_code === "402" ? [NOT_ACTIVATED, words(body.status_message)].join(" | ") : words(body.status_message);
  return code && refusal(code, said, body.validation_messages ?? []);
}

/**
 * 401, 403 and 429 without a code in the body come from the door and say that nothing went in.
 * A 404 without one may be any web server's page and says nothing about a payment (midtrans.md §9, quirk 24).
 */
export function judgeCore({ http, json, retry_after_s }: Received): CoreReply {
  if (http === 429) return { kind: "refused", refusal: refusal("rate_limited", "HTTP 429", [], retry_after_s) };
  if (http >= 500) return { kind: "unknown", reason: `HTTP ${http}` };
  if (!json) return { kind: "unknown", reason: `HTTP ${http} without a JSON object` };
  const parsed = coreBodySchema.safeParse(json);
  if (parsed.success && /^\d{3}$/.test(parsed.data.status_code)) {
    const code = parsed.data.status_code;
    if (http >= 300 && code < "300") return { kind: "unknown", reason: `HTTP ${http} with code ${code} in its body` };
    return { kind: "body", code, body: parsed.data };
  }
  if (http === 401 || http === 403) return { kind: "refused", refusal: refusal("unauthorized", `HTTP ${http}`, []) };
  return { kind: "unknown", reason: `HTTP ${http} with a body that has no readable status_code` };
}

/** An answer of the Snap backend, which uses HTTP status codes and `error_messages` (midtrans.md §3). */
export type SnapReply =
  | { readonly kind: "body"; readonly json: Readonly<Record<string, unknown>> }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly messages: readonly string[] }
  | { readonly kind: "unknown"; readonly reason: string };

const TAKEN = /order_id has been paid|order_id has already been taken|already been utilized|sudah digunakan/i;
// An empty key is answered so by the sandbox.
const NO_MERCHANT = /merchant is required|unauthorized transaction/i;

export function judgeSnap({ http, json, retry_after_s }: Received): SnapReply {
  if (http === 429) return { kind: "refused", refusal: refusal("rate_limited", "HTTP 429", [], retry_after_s), messages: [] };
  if (http >= 500) return { kind: "unknown", reason: `HTTP ${http}` };
  if (!json) return { kind: "unknown", reason: `HTTP ${http} without a JSON object` };
  const errors = snapErrorSchema.safeParse(json);
  if (!errors.success) {
    if (http === 401 || http === 403) return { kind: "refused", refusal: refusal("unauthorized", `HTTP ${http}`, []), messages: [] };
    return http >= 200 && http < 300 ? { kind: "body", json } : { kind: "unknown", reason: `HTTP ${http} with an unreadable body` };
  }
  const messages = errors.data.error_messages;
  const all = messages.join(" | ");
  let code: RefusalCode = http === 404 ? "not_found" : "invalid";
  if (http === 401 || http === 403 || NO_MERCHANT.test(all)) code = "unauthorized";
  else if (TAKEN.test(all)) code = "conflict";
  return { kind: "refused", refusal: refusal(code, "", messages), messages };
}
