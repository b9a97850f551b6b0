/** Headers of every answer but the callbacks'. Pages set a policy of their own in place of the strictest one. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

/** Only where buyers reach the hub by TLS. */
export const STRICT_TRANSPORT = "max-age=31536000";
