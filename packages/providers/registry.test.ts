import { describe, expect, test } from "vitest";
import { providers } from "./registry.ts";

test("the registry knows each provider by its own name", () => {
  expect([...providers.keys()]).toEqual(["midtrans"]);
  for (const [name, provider] of providers) expect(provider.name).toBe(name);
});

describe.each([...providers.values()])("$name", (provider) => {
  test("takes its own sandbox credentials, and knows them again, so that production can refuse them", () => {
    const parsed = provider.config.parse(provider.config.sandbox(`http://127.0.0.1:8090/${provider.name}`));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    expect(provider.config.isSandbox(parsed.config)).toBe(true);
  });

  test("refuses empty credentials, naming every required field", () => {
    const parsed = provider.config.parse({});
    const required = provider.config.fields.filter((field) => field.required).map((field) => field.name);
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.field)).toEqual(required);
  });

  test("states for every method an expiry that lies within its own limits, and a label in both languages", () => {
    for (const [name, method] of Object.entries(provider.capabilities.methods)) {
      const { min, max, default: usual } = method.expiry_s;
      expect(min > 0 && min <= usual && usual <= max, name).toBe(true);
      expect(method.label.en && method.label.id, name).toBeTruthy();
    }
  });

  test("answers no notification with a redirect or a 500", () => {
    for (const outcome of ["stored", "repeated", "forged", "unreadable", "storage_down", "unknown_account", "too_large"] as const) {
      const { status } = provider.callbacks.reply(outcome);
      expect(status < 300 || status >= 400).toBe(true);
      expect(status).not.toBe(500);
    }
  });
});

test("Midtrans has the methods of its page, with the windows that it states", () => {
  const { methods } = providers.get("midtrans")!.capabilities;
  expect(Object.keys(methods)).toEqual(["gopay", "qris", "bca_va", "bni_va", "bri_va", "permata_va", "snap"]);
  expect(methods["gopay"]).toMatchObject({ kind: "ewallet", refund: "full_and_partial", refund_window_days: 45, polls: "wallet", firm_after_s: 0 });
  expect(methods["qris"]).toMatchObject({ kind: "qris", polls: "wallet", expiry_s: { default: 900 } });
  expect(methods["bca_va"]).toMatchObject({
    kind: "virtual_account",
    refund: "none",
    polls: "va",
    expiry_s: { min: 20, max: 15_552_000, default: 86_400 },
  });
  expect(methods["permata_va"]?.firm_after_s).toBe(360);
  expect(methods["snap"]).toMatchObject({ kind: "hosted", polls: "va", firm_after_s: 360 });
});
