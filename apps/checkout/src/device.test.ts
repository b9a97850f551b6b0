import { expect, test } from "vitest";
import { isHandheld } from "./device.ts";

test.each([
  ["an Android phone", "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", 5, true],
  ["an iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1", 5, true],
  ["an iPad, which calls itself a Mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15", 5, true],
  ["a Mac", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15", 0, false],
  ["a Windows laptop with a touch screen", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", 10, false],
])("%s", (_what, userAgent, maxTouchPoints, handheld) => {
  expect(isHandheld({ userAgent, maxTouchPoints })).toBe(handheld);
});

test("a browser that says it is mobile is believed", () => {
  expect(isHandheld({ userAgent: "frozen", maxTouchPoints: 0, mobile: true })).toBe(true);
});
