import type { Order, Payment, State } from "./contract.ts";

/* Samples for the tests of this folder. */

export const NOW = Date.parse("2026-11-21T10:00:00.000Z");

export const sampleOrder = (change: Partial<Order> = {}): Order => ({
  reference: "INV-1",
  amount: 44000,
  currency: "IDR",
  description: null,
  items: [],
  shop_name: "Toko",
  payment_status: "unpaid",
  return_url: null,
  expires_at: "2026-11-22T10:00:00.000Z",
  ...change,
});

export const samplePayment = (change: Partial<Payment> = {}): Payment => ({
  id: "pay_1",
  status: "pending",
  flags: [],
  method: "gopay",
  actions: [],
  expires_at: "2026-11-21T10:15:00.000Z",
  amount: 44000,
  currency: "IDR",
  ...change,
});

export const sampleState = (change: Partial<State> = {}): State => ({
  order: sampleOrder(),
  methods: [{ method: "gopay", account: "midtrans", kind: "ewallet", label: { en: "GoPay", id: "GoPay" } }],
  payment: null,
  server_time: "2026-11-21T10:00:00.000Z",
  sandbox: false,
  simulator_url: null,
  ...change,
});
