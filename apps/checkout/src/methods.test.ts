import { expect, test } from "vitest";
import type { Method, MethodKind } from "./contract.ts";
import { bankName, groupMethods, markOf, methodName } from "./methods.ts";
import { sampleState } from "./sample.test-data.ts";

const method = (name: string, kind: MethodKind, account = "midtrans"): Method => ({
  method: name,
  account,
  kind,
  label: { en: `${name} en`, id: `${name} id` },
});

test("methods are grouped by kind in the page's order, whatever order the hub has", () => {
  const groups = groupMethods([
    method("snap", "hosted"),
    method("bni_va", "virtual_account"),
    method("bca_va", "virtual_account"),
    method("gopay", "ewallet"),
  ]);
  expect(groups.map(({ kind, methods }) => [kind, methods.map((one) => one.method)])).toEqual([
    ["ewallet", ["gopay"]],
    ["virtual_account", ["bni_va", "bca_va"]],
    ["hosted", ["snap"]],
  ]);
});

test("a method that two accounts offer is shown once, by the first", () => {
  expect(groupMethods([method("qris", "qris", "one"), method("qris", "qris", "two")])[0]?.methods).toEqual([method("qris", "qris", "one")]);
});

test("a method is called as the hub calls it, and by a plain name once the shop has dropped it", () => {
  const state = sampleState({ methods: [method("gopay", "ewallet")] });
  expect(methodName(state, "gopay", "id")).toBe("gopay id");
  expect(methodName(state, "bca_va", "id")).toBe("BCA Virtual Account");
  expect(methodName(state, "some_wallet", "en")).toBe("some wallet");
});

test("badges and banks carry their own names", () => {
  expect(["gopay", "qris", "bca_va", "permata_va", "snap"].map(markOf)).toEqual(["GoPay", "QRIS", "BCA", "Permata", "• • •"]);
  expect(["bca", "permata", "BRI"].map(bankName)).toEqual(["BCA", "Permata", "BRI"]);
});
