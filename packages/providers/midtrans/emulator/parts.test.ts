import { walkMachine } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { expiryOf, LIFE_MS, parseZoned, readLife } from "./expiry.ts";
import { html, rp } from "./html.ts";
import { transactionMachine } from "./machine.ts";
import { retriesFor, RETRY_GAPS_MS, urlsOfHeader } from "./notify.ts";
import { withQuery } from "./open.ts";
import { applySwitches, defaultSwitches, SWITCHES } from "./switches.ts";

test("the emulator's machine is sound", () => {
  expect(walkMachine(transactionMachine)).toEqual([]);
});

describe("times", () => {
  const core = { start: "order_time", length: "expiry_duration", default_unit: "minute" };

  test("are read with their zone, and nothing else is", () => {
    expect(parseZoned("2026-07-17 10:00:00 +0700")).toBe(Date.UTC(2026, 6, 17, 3, 0, 0));
    expect(parseZoned("2026-07-17 10:00:00 +07:00")).toBe(Date.UTC(2026, 6, 17, 3, 0, 0));
    for (const text of ["2026-07-17 10:00:00", "2026-07-17T10:00:00Z", "2026-13-40 10:00:00 +0700", 7, null])
      expect(parseZoned(text)).toBeUndefined();
  });

  test("units are taken in the singular and the plural", () => {
    for (const [unit, ms] of [
      ["second", 1_000],
      ["minutes", 60_000],
      ["Hours", 3_600_000],
      ["day", 86_400_000],
    ] as const) {
      expect(readLife({ expiry_duration: 30, unit }, "custom_expiry", core)).toEqual({ ok: true, life: { length_ms: 30 * ms } });
    }
    expect(readLife({ expiry_duration: 0, unit: "fortnight" }, "custom_expiry", core)).toMatchObject({
      ok: false,
      problems: [expect.stringContaining("unit"), expect.stringContaining("expiry_duration")],
    });
  });

  test("too long is cut to the longest, too short and already over are refused", () => {
    const now = Date.UTC(2026, 6, 17);
    expect(expiryOf("gopay", undefined, now)).toBe(now + LIFE_MS.gopay.default);
    expect(expiryOf("gopay", { length_ms: 30 * 86_400_000 }, now)).toBe(now + LIFE_MS.gopay.max);
    expect(expiryOf("gopay", { length_ms: 19_000 }, now)).toBeUndefined();
    expect(expiryOf("gopay", { length_ms: 60_000, start_at: now - 60_000 }, now)).toBeUndefined();
  });
});

describe("addresses", () => {
  test("parameters go behind what is there and before the fragment, byte for byte", () => {
    expect(withQuery("shop://done", { order_id: "A 1" })).toBe("shop://done?order_id=A%201");
    expect(withQuery("https://s.example/a?x=%7E&y#top", { result: "success" })).toBe("https://s.example/a?x=%7E&y&result=success#top");
    expect(withQuery("https://s.example/?", { a: "b" })).toBe("https://s.example/?a=b");
  });

  test("of a header are at most three, and empty is none", () => {
    expect(urlsOfHeader("https://a.example, http://b.example,https://c.example,https://d.example")).toHaveLength(3);
    for (const header of [undefined, "", " , ", "not an address", "ftp://a.example"]) expect(urlsOfHeader(header)).toBeUndefined();
  });
});

test("retries: five gaps, and a faulty connection earns all of them", () => {
  expect(RETRY_GAPS_MS.map((gap) => gap / 60_000)).toEqual([2, 10, 30, 90, 210]);
  expect(retriesFor({ ok: false, fault: "tls", message: "", elapsed_ms: 0 })).toBe(5);
});

describe("switches", () => {
  test("each has a default and a sentence about it", () => {
    for (const { help } of Object.values(SWITCHES)) expect(help).toMatch(/\.$|`\.$/);
  });

  test("one that is wrong leaves all as they were", () => {
    const switches = defaultSwitches();
    expect(applySwitches(switches, { strict_order_id: true, charges_per_minute: Infinity })).toHaveLength(1);
    expect(switches).toEqual(defaultSwitches());
    expect(applySwitches(switches, { strict_order_id: true })).toEqual([]);
    expect(switches.strict_order_id).toBe(true);
  });
});

test("text in pages is escaped, amounts are written the Indonesian way", () => {
  expect(html`<p title="${`"'`}">${"<&>"}${[html`<b>${1}</b>`, " x"]}${undefined}${false}</p>`.text).toBe(
    '<p title="&quot;&#39;">&lt;&amp;&gt;<b>1</b> x</p>',
  );
  expect([rp(0), rp(999), rp(44_000), rp(1_234_567)]).toEqual(["Rp 0", "Rp 999", "Rp 44.000", "Rp 1.234.567"]);
});
