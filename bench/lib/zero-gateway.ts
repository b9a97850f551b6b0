import type { Gateway, Outcome, PaymentAnswer, PaymentSubject, Provider } from "@lunas/domain";
import { midtrans } from "@lunas/providers/midtrans";

/** A gateway without latency: whatever it is asked about is paid, whatever it is asked to open is pending. */
function gateway(): Gateway {
  const answer = (subject: PaymentSubject, status: "pending" | "paid" | "canceled"): Promise<Outcome<PaymentAnswer>> =>
    Promise.resolve({
      certainty: "did",
      value: {
        evidence: {
          status,
          provider_status: status === "paid" ? "settlement" : status,
          provider_id: `tx-${subject.reference}`,
          reference: subject.reference,
          currency: subject.amount.currency,
          amount: subject.amount.minor,
        },
        actions: [{ type: "qr", image_url: `http://127.0.0.1/${subject.reference}` }],
      },
      exchanges: [
        { method: "GET", url: `http://127.0.0.1/v2/${subject.reference}/status`, status: 200, response_body: "{}", asked_at: 0, elapsed_ms: 0 },
      ],
    });
  const never = (): never => {
    throw new Error("the bench refunds nothing");
  };
  return {
    open: (intent) => answer(intent, "pending"),
    get: (subject) => answer(subject, "paid"),
    cancel: (subject) => answer(subject, "canceled"),
    expire: (subject) => answer(subject, "canceled"),
    refund: never,
    getRefund: never,
  };
}

/** Midtrans in all but its gateway and its budget, so that the hub is measured and not a rate limit. */
export const zeroLatencyMidtrans: Provider = { ...(midtrans as unknown as Provider), budget: { per_second: 1e6, burst: 1e6 }, gateway };
