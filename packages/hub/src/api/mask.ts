/** What stands in the place of something that is not shown. */
export const MASK = "•••";

const SECRET =
  /secret|signature|token|passw|authorization|server_?key|api_?key|credential|private|^pin$|^key$|card_number|masked_card|cvv|saved_token/i;
const PERSONAL =
  /^(customer|customer_.*|buyer|buyer_.*|payer|payer_.*|first_?name|last_?name|full_?name|given_names|surname|email|phone|phone_.*|mobile_.*|address|billing_address|shipping_address|postal_code|city)$/i;

/** A value with its secrets and customers' data masked, wherever they stand in it. */
export function maskValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, SECRET.test(key) || PERSONAL.test(key) ? hide(one) : maskValue(one)]));
}

/** Absence is no secret. */
function hide(value: unknown): unknown {
  return value === null || value === undefined || value === "" ? value : MASK;
}

/** A body as text: JSON and forms keep their shape; of anything else only the size is told, for nobody knows what is in it. */
export function maskBody(text: string): string {
  if (text === "") return "";
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return JSON.stringify(maskValue(value));
  } catch {
    // No JSON.
  }
  if (/^[\w.%+~*\-[\]]+=[^\s<>{}]*$/.test(text)) return maskQuery(text);
  return `(${Buffer.byteLength(text)} bytes)`;
}

/** `a=1&secret=2` */
export function maskQuery(text: string): string {
  return [...new URLSearchParams(text)]
    .map(([key, value]) => `${key}=${SECRET.test(key) || PERSONAL.test(key) ? MASK : encodeURIComponent(value)}`)
    .join("&");
}

export function maskUrl(text: string): string {
  const at = text.indexOf("?");
  return at === -1 ? text : `${text.slice(0, at)}?${maskQuery(text.slice(at + 1))}`;
}

/** Of a secret's text no more than its end, and only where enough stays hidden. */
export function maskSecret(secret: string): string {
  return secret.length >= 16 ? `${MASK}${secret.slice(-4)}` : MASK;
}
