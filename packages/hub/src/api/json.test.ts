import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, parseJsonBody } from "./json.ts";

const parse = (text: string | Buffer): unknown => parseJsonBody(Buffer.from(text));

describe("a JSON body", () => {
  test("of any value is read as it was written", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/\\u0000|\\ud[89a-f]|"(__proto__|constructor|prototype)"/i.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each([
    ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}', "the same key in different objects"],
    ['{"a":"a","b":"a"}', "a value that is called like a key"],
    ['{"a\\"":1,"a\\\\":2}', "keys with quotes and backslashes"],
    [`${"[".repeat(64)}${"]".repeat(64)}`, "64 levels"],
    ['"\\ud83d\\ude00"', "a whole character, escaped"],
  ])("%s is taken: %s", (text) => expect(parse(text)).toEqual(JSON.parse(text)));

  test.each([
    ['{"a":1,"a":2}', "twice"],
    ['{"x":{"a":1,"\\u0061":2}}', "twice"],
    ['{"a":[],"b":{},"a":""}', "twice"],
    [`${"[".repeat(65)}${"]".repeat(65)}`, "deeper than 64"],
    ['{"__proto__":1}', "not allowed"],
    ['{"a":{"\\u005f_proto__":1}}', "not allowed"],
    ['"\\udc00"', "lone surrogate"],
    ['{"\\ud800":1}', "lone surrogate"],
    ['"\\u0000"', "U+0000"],
    ["{a:1}", "not JSON"],
    ["{} {}", "not JSON"],
  ])("%s is refused: %s", (text, why) => expect(() => parse(text)).toThrow(why));

  test("that is no UTF-8 is refused, and none at all is undefined", () => {
    expect(() => parse(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toThrow("UTF-8");
    expect(parse("")).toBeUndefined();
  });
});

test("the canonical text is the same whatever the order of keys, and says the whole value", () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, one]) => [key, shuffled(one)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
