import type { Language } from "./language.ts";

/**
 * An amount in major units for people: `Rp 44.000`, decimals only where there are any.
 * Rupiah are written the Indonesian way in both languages: that is how the buyer's bank and wallet show them.
 */
export function formatMoney(amount: number, currency: string, language: Language): string {
  if (currency === "IDR") {
    const digits = Number.isInteger(amount) ? 0 : 2;
    const number = new Intl.NumberFormat("id-ID", { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(Math.abs(amount));
    return `${amount < 0 ? "-" : ""}Rp ${number}`;
  }
  return new Intl.NumberFormat(language === "id" ? "id-ID" : "en-GB", { style: "currency", currency, currencyDisplay: "code" })
    .format(amount)
    .replaceAll("\u00a0", " ");
}

/** Splits a long number into groups of four to be read aloud or typed; the last group may be shorter. */
export function groupDigits(number: string): string[] {
  return number.match(/.{1,4}/gu) ?? [];
}

/** A moment for people, with its zone: `22 Nov 2026, 15.30 WIB`. `zone` is the browser's own unless given. */
export function formatMoment(at_ms: number, language: Language, zone?: string): string {
  return new Intl.DateTimeFormat(language === "id" ? "id-ID" : "en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone: zone,
  }).format(at_ms);
}
