/** States as the hub tells them on GET /pay/{token}/state, typed in by hand from its contract. */

export const TOKEN = "tok_9fK2mZpQ7";

export type Json = Readonly<Record<string, unknown>>;

export interface FakeState extends Json {
  readonly server_time: string;
  /** Not of the contract: how far the server's clock is from the device's. */
  readonly skew_ms: number;
}

const METHODS = [
  { method: "gopay", account: "midtrans", kind: "ewallet", label: { en: "GoPay", id: "GoPay" } },
  { method: "qris", account: "midtrans", kind: "qris", label: { en: "QRIS", id: "QRIS" } },
  { method: "bca_va", account: "midtrans", kind: "virtual_account", label: { en: "BCA virtual account", id: "Virtual account BCA" } },
  { method: "bni_va", account: "midtrans", kind: "virtual_account", label: { en: "BNI virtual account", id: "Virtual account BNI" } },
  { method: "bri_va", account: "midtrans", kind: "virtual_account", label: { en: "BRI virtual account", id: "Virtual account BRI" } },
  { method: "permata_va", account: "midtrans", kind: "virtual_account", label: { en: "Permata virtual account", id: "Virtual account Permata" } },
  { method: "snap", account: "midtrans", kind: "hosted", label: { en: "Other methods", id: "Metode lain" } },
];

export const MINUTE_MS = 60_000;

export function order(change: Json = {}): Json {
  return {
    reference: "INV-2026-0042",
    amount: 44000,
    currency: "IDR",
    description: null,
    items: [
      { name: "Kopi Gayo 200 g", quantity: 1, price: 30000 },
      { name: "Gula aren", quantity: 2, price: 7000 },
    ],
    shop_name: "Toko Kopi Senja",
    payment_status: "unpaid",
    return_url: "https://shop.example/orders/42",
    expires_at: null,
    ...change,
  };
}

export function payment(method: string, actions: readonly Json[], change: Json = {}, skew_ms = 0): Json {
  return {
    id: `pay_${method}`,
    status: "pending",
    flags: [],
    method,
    actions,
    expires_at: new Date(Date.now() + skew_ms + 15 * MINUTE_MS).toISOString(),
    amount: 44000,
    currency: "IDR",
    ...change,
  };
}

export const QR = { type: "qr", image_url: `/pay/${TOKEN}/payments/pay_gopay/qr.png`, qr_string: null };
export const DEEPLINK = { type: "deeplink", url: "gojek://gopay/merchanttransfer?tref=1&amount=44000" };

export const gopay = (change: Json = {}, skew_ms = 0): Json => payment("gopay", [QR, DEEPLINK], change, skew_ms);
export const bca = (change: Json = {}): Json => payment("bca_va", [{ type: "va_number", bank: "bca", number: "12345678901" }], change);

interface Parts {
  readonly order?: Json;
  readonly payment?: Json | null;
  readonly methods?: readonly Json[];
  readonly sandbox?: boolean;
  readonly simulator_url?: string | null;
  readonly skew_ms?: number;
}

export function stateWith(parts: Parts): FakeState {
  const { skew_ms = 0, sandbox = false, simulator_url = null } = parts;
  return {
    order: parts.order ?? order(parts.payment ? { payment_status: "pending" } : {}),
    methods: parts.methods ?? METHODS,
    payment: parts.payment ?? null,
    server_time: new Date(Date.now() + skew_ms).toISOString(),
    sandbox,
    simulator_url,
    skew_ms,
  };
}
