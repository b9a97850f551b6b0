import { expect, test } from "vitest";
import { safeLink } from "./links.ts";

test.each(["https://shop.example/done?order=1", "http://127.0.0.1:8070/orders/1", "gojek://gopay/merchanttransfer?tref=1", "shop://done"])(
  "%s may be a link",
  (url) => {
    expect(safeLink(url)).toBe(url);
  },
);

test.each([
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  " javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,x",
  "vbscript:x",
  "blob:https://x/1",
  "/relative",
  "",
  null,
  undefined,
])("%j may not", (url) => {
  expect(safeLink(url)).toBeUndefined();
});
