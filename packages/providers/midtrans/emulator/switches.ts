/**
 * Choices where the provider's documentation is silent or contradicts itself (midtrans.md §21), and a few that a test may want to turn.
 * One table: name, default, help.
 */
export const SWITCHES = {
  http_401: { default: 401, help: "HTTP status of a Core answer with body code 401. A recording of 2014 has 200; the clients take both." },
  http_402: { default: 200, help: "HTTP status of a Core answer with body code 402 (payment type not activated)." },
  http_406: { default: 200, help: "HTTP status of a Core answer with body code 406 (duplicate order_id or refund key)." },
  http_413: { default: 413, help: "HTTP status of a Core answer with body code 413 (malformed body)." },
  http_414: { default: 200, help: "HTTP status of a Core answer with body code 414 (a refund of an amount that cannot be)." },
  http_429: { default: 429, help: "HTTP status of a Core answer with body code 429 (too many charges)." },
  http_500: { default: 500, help: "HTTP status of a Core answer to the JSON body `null`." },
  message_401: { default: "Transaction cannot be authorized with the current client/server key.", help: "Three generations of this text are known." },
  message_gopay: { default: "GoPay transaction is created", help: "Older answers: `GO-PAY transaction is created`, `GO-PAY billing created`." },
  strict_order_id: { default: false, help: "Refuse order ids with other characters than letters, digits, `-` `_` `~` `.`." },
  wallet_failure_denies: {
    default: false,
    help: "A failure in the wallet app denies the transaction. The real one leaves it pending until it expires.",
  },
  direct_refund_denied: { default: false, help: "The bank denies direct refunds: body code 202, the transaction stays settled." },
  refund_confirm_delay_s: { default: 10, help: "Business seconds from an accepted refund to the bank's confirmation; -1: only by `refund-confirm`." },
  refund_answer_cumulative: {
    default: false,
    help: "`refund_amount` in the answer to a refund is the sum of all refunds; otherwise this one's amount. In status and notifications it is always the sum.",
  },
  notify_on_merchant_close: { default: true, help: "A cancel or expire by the merchant is notified too." },
  charges_per_minute: { default: 0, help: "Charges that one merchant may make per business minute before 429; 0: no limit." },
  notification_timeout_s: {
    default: 15,
    help: "Real seconds that an address has for its answer to a notification; fifteen is documented, and a test may want less.",
  },
  retry_shift_min: { default: -0.25, help: "Lower end of the random shift of a retry, as a share of its gap." },
  retry_shift_max: { default: 0.1, help: "Upper end of it." },
  qris_on_us: {
    default: false,
    help: "QRIS is paid with the acquirer's own wallet: `on-us`, refunds for 45 days. Otherwise `off-us`, refunds for 7 days.",
  },
  snap_denials: { default: 3, help: "Denied attempts after which the hosted page ends as failed and leads to the error address." },
  dashboard_finish_url: { default: "", help: "Finish redirect URL of the dashboard, used where a transaction names none." },
  dashboard_unfinish_url: {
    default: "",
    help: "Unfinish redirect URL of the dashboard; without one the payer who goes back before paying comes to the finish URL.",
  },
  dashboard_error_url: {
    default: "",
    help: "Error redirect URL of the dashboard, used where a transaction names none; without either it is the finish URL.",
  },
  dashboard_gopay_callback_url: { default: "", help: "Callback of GoPay where `enable_callback` is true and no `callback_url` is given." },
} as const;

type Widen<T> = T extends boolean ? boolean : T extends number ? number : string;
export type SwitchName = keyof typeof SWITCHES;
export type Switches = { -readonly [Name in SwitchName]: Widen<(typeof SWITCHES)[Name]["default"]> };

export function defaultSwitches(): Switches {
  return Object.fromEntries(Object.entries(SWITCHES).map(([name, { default: value }]) => [name, value])) as Switches;
}

/** Sets the given switches; gives back what is wrong, and then sets none. */
export function applySwitches(switches: Switches, values: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const known = Object.hasOwn(SWITCHES, name) ? SWITCHES[name as SwitchName] : undefined;
    if (!known) problems.push(`there is no switch ${name}`);
    else if (typeof value !== typeof known.default) problems.push(`${name} must be a ${typeof known.default}`);
    else if (typeof value === "number" && !Number.isFinite(value)) problems.push(`${name} must be a finite number`);
    else if (name.startsWith("http_") && !(Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599))
      problems.push(`${name} must be an HTTP status`);
  }
  if (problems.length === 0) Object.assign(switches, values);
  return problems;
}
