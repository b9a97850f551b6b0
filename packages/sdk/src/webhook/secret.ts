const PREFIX = "whsec_";

/** 24 to 64 bytes are what Standard Webhooks asks of a secret; fewer than this are surely a mistake of copying. */
const MIN_BYTES = 16;

export function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The bytes of a `whsec_…` secret. Throws a TypeError that does not quote it: a wrong secret is a mistake of the program, not of the sender. */
export function secretBytes(secret: string): Uint8Array {
  if (typeof secret !== "string" || secret === "") throw new TypeError("The webhook secret is missing. Give the whsec_… of the endpoint.");
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  } catch {
    throw new TypeError("The webhook secret is not base64. Give the whsec_… of the endpoint exactly as it was shown.");
  }
  if (bytes.length < MIN_BYTES) throw new TypeError("The webhook secret is too short. Give the whsec_… of the endpoint exactly as it was shown.");
  return bytes;
}
