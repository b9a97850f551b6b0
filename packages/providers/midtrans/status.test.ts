import { describe, expect, test } from "vitest";
import { FRAUD_STATUSES, observationOf, statusCodeOf, TRANSACTION_STATUSES } from "./status.ts";

/** Section 10 of midtrans.md, typed in: word, fraud (- is absent), code, and what it means to us (- is nothing). */
const ROWS: readonly (readonly [status: string, fraud: string, code: string, means: string])[] = [
  ["pending", "-", "201", "pending"],
  ["pending", "accept", "201", "pending"],
  ["authorize", "accept", "200", "authorized"],
  ["authorize", "-", "200", "authorized"],
  ["capture", "accept", "200", "paid"],
  ["capture", "-", "200", "paid"],
  ["capture", "challenge", "201", "authorized"],
  ["capture", "deny", "200", "-"],
  ["capture", "accept", "201", "-"],
  ["settlement", "accept", "200", "paid"],
  ["settlement", "-", "200", "paid"],
  ["settlement", "challenge", "200", "-"],
  ["settlement", "deny", "200", "-"],
  ["settlement", "accept", "201", "-"],
  ["settlement", "accept", "202", "-"],
  ["settlement", "accept", "407", "-"],
  ["deny", "deny", "202", "failed"],
  ["deny", "deny", "200", "failed"],
  ["deny", "accept", "202", "failed"],
  ["cancel", "accept", "200", "canceled"],
  ["cancel", "-", "202", "canceled"],
  ["expire", "accept", "407", "expired"],
  ["expire", "-", "202", "expired"],
  ["expire", "-", "200", "-"],
  ["failure", "-", "202", "failed"],
  ["failure", "-", "500", "failed"],
  ["refund", "accept", "200", "refunded"],
  ["partial_refund", "accept", "200", "partially_refunded"],
  ["chargeback", "accept", "200", "reversed"],
  ["partial_chargeback", "-", "200", "paid"],
  ["pending", "-", "200", "-"],
  ["pending", "-", "404", "-"],
  ["settled", "accept", "200", "-"],
  ["SETTLEMENT", "accept", "200", "-"],
  ["", "-", "200", "-"],
  ["settlement", "maybe", "200", "-"],
  ["__proto__", "-", "200", "-"],
];

describe("the provider's words", () => {
  test.each(ROWS)("%s with fraud %s and code %s mean: %s", (status, fraud, code, means) => {
    expect(observationOf(status, fraud === "-" ? undefined : fraud, code) ?? "-").toBe(means);
  });

  test("each of them is believed with the code that its answers and notifications carry", () => {
    for (const status of TRANSACTION_STATUSES) {
      const fraud = status === "deny" ? "deny" : "accept";
      for (const where of ["answer", "notification"] as const) {
        expect(observationOf(status, fraud, statusCodeOf(status, fraud, where)), `${status} in a ${where}`).toBeDefined();
      }
    }
    expect(observationOf("capture", "challenge", statusCodeOf("capture", "challenge", "notification"))).toBe("authorized");
  });

  test("money is said to be there only with code 200 and no doubt about fraud", () => {
    for (const status of TRANSACTION_STATUSES)
      for (const fraud of [undefined, ...FRAUD_STATUSES])
        for (let code = 100; code < 1000; code += 1) {
          if (observationOf(status, fraud, String(code)) !== "paid") continue;
          expect([["settlement", "capture", "partial_chargeback"].includes(status), fraud === undefined || fraud === "accept", code]).toEqual([
            true,
            true,
            200,
          ]);
        }
  });

  test.each([
    ["expire", "407", "202"],
    ["cancel", "200", "202"],
    ["pending", "201", "201"],
    ["settlement", "200", "200"],
    ["deny", "202", "202"],
    ["authorize", "200", "200"],
  ] as const)("%s carries code %s in answers and %s in notifications", (status, answer, notification) => {
    expect([statusCodeOf(status, "accept", "answer"), statusCodeOf(status, "accept", "notification")]).toEqual([answer, notification]);
  });
});
