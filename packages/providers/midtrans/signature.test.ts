import { describe, expect, test } from "vitest";
import { sign, verify } from "./signature.ts";

const EMULATOR_KEY = "SB-Mid-server-EmulatorKey0000000001";

/** Typed in from midtrans.md §11.3. */
const VECTORS: readonly (readonly [name: string, order_id: string, status_code: string, gross_amount: string, key: string, signature: string])[] = [
  [
    "V1",
    "order-101",
    "200",
    "44000.00",
    EMULATOR_KEY,
    "8fafce88af56cc4a005e322e6f0f4442703f53f5f50081a51fc0ba8968774fb4b0c7c49b9b3fe93e2b4013b0e55a2b2390c1b37e8912e6998a47f1054d6414bf",
  ],
  [
    "V2",
    "order-101",
    "201",
    "44000.00",
    EMULATOR_KEY,
    "c05f604dd9ea1461d0e0a4e63024262929a0e4c1e372914895cdbb566862b0cde9950ab8bf08ce2ff615c87f7867285ba86c0218abc4d7e88f773422e1ed098d",
  ],
  [
    "V3",
    "order-101",
    "202",
    "44000.00",
    EMULATOR_KEY,
    "fbf9dba1e7a2cacdf19bd6e522d0cb7db568c5e9ae2f5f67727c037bdb29fd84ea1c08bbe09b3ebdc048c78191a033273d2640573ffed51b34ceb0b9857ba56d",
  ],
  [
    "V5",
    "INV_2026~07.17-A",
    "200",
    "10000.00",
    "SB-Mid-server-abc",
    "6da726e4fa4a93f6dfcfff6b2ed824c365adf9ebbb2e55ea6a8d2cbcce85f10904ef39a60c0ef46f4f79d206d3186a6ec547d94ad823a436d2b641cb1d4fa32e",
  ],
  [
    "V6",
    "T-407",
    "407",
    "150000.00",
    "Mid-server-ProdKey_123",
    "741669c56ca9169a98222b75e56f753a8457832a0ab6adc4701420257f766d01dd600e6d9752da71193f52fcde65d481a93c438a41ca59c7df9df045dcfb57d3",
  ],
  [
    "V7",
    "refund-1",
    "200",
    "99999999999.00",
    "SB-Mid-server-abc",
    "0d930a3b01a6a1553cb02f51ab55becb7ccbb90bb440f02d33efbe1facab20545d101798d5fd1b0d31a392e9b9ba378969586ee1a3e4ff058dffb7b23d5fb444",
  ],
  [
    "V8",
    "INV-118",
    "200",
    "10071.00",
    EMULATOR_KEY,
    "f52dd316eb66265df4bd72b3a150b6723b631049239a4999a3571708d26d0c221f28b89ccd0cd914ec9393376c840fb4893467bbbe7c1c3bf8a2227c07d62394",
  ],
  [
    "V9",
    "PESAN-\u00e9",
    "200",
    "1.00",
    EMULATOR_KEY,
    "bd424728c3d0ecbc0d59a5ba6c61d15024d1381e940583cd2d6036cedc8a118392c3b21ee97bedfcff66a51bfd67e0fed3842d988c17ce9d90411fe748ed5ccd",
  ],
  [
    "D1",
    "1111",
    "200",
    "100000.00",
    "askvnoibnosifnboseofinbofinfgbiufglnbfg",
    "edc076b21793ebe3e17926350f5b8ae67d902fe657b3d0aa31b932d5c127e2375d308a2bc94f3265ac2d80a1f181a79b997ac178a236fcff35af263fc4d4c231",
  ],
];

const V4 = "a541e535f4e7bc6330c114c4eea552ae876df06d9a2687bef3257f6186327891a0af0d0e605a630c719e5be33b9c43cb6538e9874dd8fde8f1b59ec72dad2c93";

describe("the signature", () => {
  test.each(VECTORS)("of %s is the page's, byte for byte", (_name, order_id, status_code, gross_amount, key, signature) => {
    expect(sign({ order_id, status_code, gross_amount }, key)).toBe(signature);
    expect(verify({ order_id, status_code, gross_amount }, signature, key)).toBe(true);
  });

  test("V4: over an amount without its decimals is another one, and verifies nothing but itself", () => {
    const [, order_id, status_code, , key, v1] = VECTORS[0]!;
    expect(sign({ order_id, status_code, gross_amount: "44000" }, key)).toBe(V4);
    expect(verify({ order_id, status_code, gross_amount: "44000.00" }, V4, key)).toBe(false);
    expect(verify({ order_id, status_code, gross_amount: "44000" }, v1, key)).toBe(false);
  });

  test("of another code, key or order does not verify", () => {
    const [, order_id, status_code, gross_amount, key, v1] = VECTORS[0]!;
    expect(verify({ order_id, status_code: "201", gross_amount }, v1, key)).toBe(false);
    expect(verify({ order_id: "order-102", status_code, gross_amount }, v1, key)).toBe(false);
    expect(verify({ order_id, status_code, gross_amount }, v1, `${key}x`)).toBe(false);
  });

  test.each([
    ["nothing", ""],
    ["one character short", VECTORS[0]![5].slice(1)],
    ["one character long", `${VECTORS[0]![5]}0`],
    ["upper case", VECTORS[0]![5].toUpperCase()],
    ["a character whose low byte is the right one", `\u0138${VECTORS[0]![5].slice(1)}`],
    ["one wrong character at the end", `${VECTORS[0]![5].slice(0, -1)}e`],
  ])("is not matched by %s", (_name, signature) => {
    const [, order_id, status_code, gross_amount, key] = VECTORS[0]!;
    expect(verify({ order_id, status_code, gross_amount }, signature, key)).toBe(false);
  });
});
