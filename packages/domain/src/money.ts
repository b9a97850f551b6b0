/** Money is a count of ISO 4217 minor units and a currency. Floats never touch it. */

/** Decimals of each currency that Lunas takes. IDR has two on paper (sen); every Indonesian gateway takes whole rupiah. */
export const CURRENCY_DECIMALS = { IDR: 2, USD: 2, SGD: 2, MYR: 2, JPY: 0 } as const;

export type Currency = keyof typeof CURRENCY_DECIMALS;

export interface Money {
  /** Minor units: Rp 44.000 is `4400000n`. */
  readonly minor: bigint;
  readonly currency: Currency;
}

/** The largest amount that a JSON number carries exactly for a two-decimal currency, in minor units. */
export const AMOUNT_MAX_MINOR = 900_000_000_000_000n;

export type AmountResult = { ok: true; money: Money } | { ok: false; message: string };

const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d+))?$/;

export function isCurrency(word: string): word is Currency {
  return Object.hasOwn(CURRENCY_DECIMALS, word);
}

/**
 * Reads an amount in major units as it stands on our wire: a JSON number or a decimal string.
 * `44000`, `"44000"` and `"44000.00"` are Rp 44.000; more decimals than the currency has is an error, never a rounding.
 */
export function parseAmount(input: number | string, currency: Currency): AmountResult {
  const text = typeof input === "number" ? String(input) : input.trim();
  const match = DECIMAL.exec(text);
  if (!match) return { ok: false, message: 'must be a number or a decimal string in major units, such as 44000 or "44000.50"' };
  const [, sign, whole, fraction = ""] = match;
  const decimals = CURRENCY_DECIMALS[currency];
  const significant = fraction.replace(/0+$/, "");
  if (significant.length > decimals) return { ok: false, message: `has more than ${decimals} decimals, which ${currency} does not have` };
  const minor = BigInt(whole + significant.padEnd(decimals, "0")) * (sign === "-" ? -1n : 1n);
  if (minor > AMOUNT_MAX_MINOR || minor < -AMOUNT_MAX_MINOR) return { ok: false, message: "is larger than the largest amount, 9000000000000" };
  return { ok: true, money: { minor, currency } };
}

/** The amount in major units as a decimal string with all of the currency's decimals: `"44000.00"`. */
export function formatAmount(money: Money): string {
  const decimals = CURRENCY_DECIMALS[money.currency];
  const sign = money.minor < 0n ? "-" : "";
  const digits = (money.minor < 0n ? -money.minor : money.minor).toString().padStart(decimals + 1, "0");
  if (decimals === 0) return sign + digits;
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The amount in major units as a JSON number, as our answers carry it. Exact up to `AMOUNT_MAX_MINOR`. */
export function amountNumber(money: Money): number {
  return Number(formatAmount(money));
}

/** Whole major units, or undefined where the amount has a fraction: for providers that take whole rupiah only. */
export function wholeUnits(money: Money): number | undefined {
  const unit = 10n ** BigInt(CURRENCY_DECIMALS[money.currency]);
  return money.minor % unit === 0n ? Number(money.minor / unit) : undefined;
}

export function money(minor: bigint, currency: Currency): Money {
  return { minor, currency };
}
