import { crc32, inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { crc16, FAKE_NMID, qrisString, qrPng } from "./qr.ts";

/** Fields of an EMV code: tag, length, value. */
function fields(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    const length = Number(text.slice(at + 2, at + 4));
    found.set(text.slice(at, at + 2), text.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

describe("the QRIS string", () => {
  test("its checksum is CRC16-CCITT over all that stands before it", () => {
    // The known check value of CRC-16/CCITT-FALSE.
    expect(crc16("123456789")).toBe("29B1");
    const text = qrisString(44_000, "Ab12Cd34Ef");
    expect(text.slice(-8, -4)).toBe("6304");
    expect(crc16(text.slice(0, -4))).toBe(text.slice(-4));
    expect(crc16(text.slice(0, -4).replace("44000", "44001"))).not.toBe(text.slice(-4));
  });

  test("is a dynamic code in rupiah with the amount, the reference and a number that is clearly made up", () => {
    const read = fields(qrisString(44_000, "Ab12Cd34Ef"));
    expect(Object.fromEntries(read)).toMatchObject({ "00": "01", "01": "12", "53": "360", "54": "44000", "58": "ID" });
    expect(fields(read.get("51")!).get("02")).toBe(FAKE_NMID);
    expect(FAKE_NMID).toMatch(/^ID0+$/);
    expect(fields(read.get("62")!).get("05")).toBe("Ab12Cd34Ef");
  });
});

/** A reader that knows only what the PNG specification says. */
function readPng(bytes: Buffer): { side: number; pixel: (x: number, y: number) => number } {
  expect(bytes.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const head = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(head));
    chunks.set(head.subarray(0, 4).toString("latin1"), head.subarray(4));
    at += 12 + length;
  }
  expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  const header = chunks.get("IHDR")!;
  const side = header.readUInt32BE(0);
  expect([header.readUInt32BE(4), header[8], header[9]]).toEqual([side, 8, 0]);
  const rows = inflateSync(chunks.get("IDAT")!);
  expect(rows).toHaveLength((side + 1) * side);
  return { side, pixel: (x, y) => rows[y * (side + 1) + 1 + x]! };
}

describe("the QR picture", () => {
  test("is a whole PNG of at least 300 pixels, with a quiet zone and the three finder patterns", () => {
    const { side, pixel } = readPng(Buffer.from(qrPng(qrisString(44_000, "Ab12Cd34Ef"))));
    expect(side).toBeGreaterThanOrEqual(300);
    // The first dark pixel of the diagonal is the finder pattern's corner, four modules in.
    let quiet = 0;
    while (pixel(quiet, quiet) === 255) quiet += 1;
    const scale = quiet / 4;
    expect(Number.isInteger(scale)).toBe(true);
    const module = (x: number, y: number): number => pixel((x + 4) * scale, (y + 4) * scale);
    const count = side / scale - 8;
    for (const [x, y] of [
      [0, 0],
      [count - 7, 0],
      [0, count - 7],
    ] as const) {
      const row = Array.from({ length: 7 }, (_, index) => module(x + index, y + 1));
      expect(row).toEqual([0, 255, 255, 255, 255, 255, 0]);
    }
    for (let index = 0; index < side; index += 1) expect(pixel(index, 0)).toBe(255);
  });

  test("a short text is as large as a long one at least", () => {
    expect(readPng(Buffer.from(qrPng("x"))).side).toBeGreaterThanOrEqual(300);
  });
});
