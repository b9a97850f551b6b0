import { crc32, deflateSync } from "node:zlib";
import { encode } from "uqr";

/** CRC16-CCITT (polynomial 0x1021, initial 0xFFFF) as four upper-case hex digits: field 63 of an EMV code. */
export function crc16(text: string): string {
  let crc = 0xffff;
  for (const byte of Buffer.from(text, "utf8")) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc.toString(16).toUpperCase().padStart(4, "0");
}

const field = (tag: string, value: string): string => tag + String(value.length).padStart(2, "0") + value;

/** Nothing real has this number: a scan with a real wallet finds no merchant. */
export const FAKE_NMID = "ID0000000000000";

/**
 * A dynamic QRIS code in EMV form for an amount in whole rupiah. Valid in shape and checksum; merchant, acquirer and number are made up.
 * @param reference up to 25 characters; what makes the code of each transaction its own.
 */
export function qrisString(amount: number, reference: string): string {
  const acquirer = field("00", "COM.EXAMPLE.LUNAS") + field("01", "936000000000000000") + field("02", "LUNASSANDBOX") + field("03", "UME");
  const national = field("00", "ID.CO.QRIS.WWW") + field("02", FAKE_NMID) + field("03", "UME");
  const body =
    field("00", "01") +
    field("01", "12") +
    field("26", acquirer) +
    field("51", national) +
    field("52", "5399") +
    field("53", "360") +
    field("54", String(amount)) +
    field("58", "ID") +
    field("59", "LUNAS SANDBOX TOKO") +
    field("60", "JAKARTA") +
    field("61", "10110") +
    field("62", field("05", reference)) +
    "6304";
  return body + crc16(body);
}

const MODULE_PIXELS = 8;
const QUIET_MODULES = 4;
const LEAST_PIXELS = 300;

/** The text as a black and white PNG, at least 300 pixels wide. */
export function qrPng(text: string): Uint8Array {
  const { data, size } = encode(text, { ecc: "M", border: QUIET_MODULES });
  const scale = Math.max(MODULE_PIXELS, Math.ceil(LEAST_PIXELS / size));
  return greyPng(size * scale, (x, y) => (data[Math.floor(y / scale)]![Math.floor(x / scale)] ? 0 : 255));
}

function chunk(type: string, data: Uint8Array): Buffer {
  const head = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(head.length + 8);
  framed.writeUInt32BE(data.length, 0);
  head.copy(framed, 4);
  framed.writeUInt32BE(crc32(head), head.length + 4);
  return framed;
}

/** A square PNG of 8-bit grey. */
function greyPng(side: number, pixel: (x: number, y: number) => number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 8;
  // Each row begins with its filter, none.
  const rows = Buffer.alloc((side + 1) * side);
  for (let y = 0; y < side; y += 1) for (let x = 0; x < side; x += 1) rows[y * (side + 1) + 1 + x] = pixel(x, y);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", new Uint8Array())]);
}
