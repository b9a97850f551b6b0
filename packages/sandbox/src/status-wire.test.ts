import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openBench } from "./testing/merchant.ts";

/** Signatures are computed here or typed in: nothing of the emulator's own code judges it. */

const sha512 = (text: string): string => createHash("sha512").update(text, "utf8").digest("hex");

describe("status and signature, by hand", () => {
  test("the signature is over the strings of the same body, with the code of that body", async () => {
    const { call, gopay, pay } = await openBench();
    await gopay("order-101", 44_000);
    const pending = await call("GET", "/v2/order-101/status");
    expect(pending.body.signature_key).toBe(sha512("order-10120144000.00SB-Mid-server-lunas-sandbox"));
    await pay("order-101");
    const paid = await call("GET", "/v2/order-101/status");
    expect(paid.body.signature_key).toBe(sha512("order-10120044000.00SB-Mid-server-lunas-sandbox"));
  });

  test("vectors V1 to V3 of midtrans.md §11.3 come out with their key", async () => {
    const key = "SB-Mid-server-EmulatorKey0000000001";
    const { call, sandbox, control, receiver } = await openBench({ acceptAnyKey: true });
    const authorization = `Basic ${Buffer.from(`${key}:`).toString("base64")}`;
    await call("POST", "/v2/charge", '{"payment_type":"gopay","transaction_details":{"order_id":"order-101","gross_amount":44000}}', {
      authorization,
    });
    await sandbox.idle();
    await control("/midtrans/order-101/pay");
    await sandbox.idle();
    await control("/midtrans/order-101/reverse");
    await sandbox.idle();
    expect(receiver.received.map(({ body }) => body.signature_key)).toEqual([
      "c05f604dd9ea1461d0e0a4e63024262929a0e4c1e372914895cdbb566862b0cde9950ab8bf08ce2ff615c87f7867285ba86c0218abc4d7e88f773422e1ed098d",
      "8fafce88af56cc4a005e322e6f0f4442703f53f5f50081a51fc0ba8968774fb4b0c7c49b9b3fe93e2b4013b0e55a2b2390c1b37e8912e6998a47f1054d6414bf",
      "fbf9dba1e7a2cacdf19bd6e522d0cb7db568c5e9ae2f5f67727c037bdb29fd84ea1c08bbe09b3ebdc048c78191a033273d2640573ffed51b34ceb0b9857ba56d",
    ]);
  });

  test("each state has its code in status answers and its own in notifications (midtrans.md §10)", async () => {
    const { call, gopay, control, receiver, sandbox } = await openBench({ switches: { midtrans: { wallet_failure_denies: true } } });
    for (const action of ["pay", "deny", "cancel", "expire"]) {
      await gopay(action);
      await control(`/midtrans/${action}/${action}`);
    }
    await sandbox.idle();
    const codes = async (id: string) => [
      (await call("GET", `/v2/${id}/status`)).body.status_code,
      receiver.received.findLast(({ body }) => body.order_id === id)!.body.status_code,
    ];
    expect(await codes("pay")).toEqual(["200", "200"]);
    expect(await codes("deny")).toEqual(["202", "202"]);
    expect(await codes("cancel")).toEqual(["200", "202"]);
    expect(await codes("expire")).toEqual(["407", "202"]);
  });

  test("custom fields and metadata come back", async () => {
    const { call } = await openBench();
    await call(
      "POST",
      "/v2/charge",
      '{"payment_type":"gopay","transaction_details":{"order_id":"A","gross_amount":1},"custom_field1":"one","metadata":{"cart":7}}',
    );
    expect((await call("GET", "/v2/A/status")).body).toMatchObject({ custom_field1: "one", metadata: { cart: 7 } });
  });

  test("a fee imposed on the payer makes the amount larger, and the original stands in the metadata", async () => {
    const { call, gopay, control } = await openBench();
    await gopay("INV-118", 10_000);
    await control("/midtrans/INV-118/pay", { fee: 71 });
    expect((await call("GET", "/v2/INV-118/status")).body).toMatchObject({
      gross_amount: "10071.00",
      signature_key: sha512("INV-11820010071.00SB-Mid-server-lunas-sandbox"),
      metadata: {
        extra_info: { gross_amount_info: { original_amount: "10000.00", gross_amount: "10071.00", customer_imposed_payment_fee: "71.00" } },
      },
    });
  });
});

describe("who asks", () => {
  test("another merchant's transaction does not exist", async () => {
    const { call, gopay } = await openBench({ acceptAnyKey: true });
    await gopay("A");
    const authorization = `Basic ${Buffer.from("SB-Mid-server-another:").toString("base64")}`;
    expect((await call("GET", "/v2/A/status", undefined, { authorization })).body.status_code).toBe("404");
  });

  test("no authorization, another scheme, rubbish, and the key with a password or without its colon are 401", async () => {
    const { call } = await openBench();
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
    const inexact = [
      "SB-Mid-server-lunas-sandbox:secret",
      "SB-Mid-server-lunas-sandbox",
      ":SB-Mid-server-lunas-sandbox",
      " SB-Mid-server-lunas-sandbox:",
    ];
    for (const authorization of ["", "Bearer SB-Mid-server-lunas-sandbox", "Basic %%%", "Basic", ...inexact.map(basic)]) {
      expect((await call("GET", "/v2/A/status", undefined, { authorization })).body).toEqual({
        status_code: "401",
        status_message: "Transaction cannot be authorized with the current client/server key.",
      });
    }
  });
});
