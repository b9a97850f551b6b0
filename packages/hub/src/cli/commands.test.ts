import { afterEach, describe, expect, test } from "vitest";
import { timelineOf } from "../api/timeline.ts";
import { askGateway } from "../collect/ask.ts";
import { findBundle } from "../collect/rows.ts";
import { readHold } from "../store/hold.ts";
import { type DrivenHub, driveHub } from "../testing/drive.ts";
import { forbiddenUrl } from "../net/url.ts";
import { parseCidr } from "../net/ranges.ts";
import { COMMANDS } from "./commands.ts";

describe("an operator's command", () => {
  let hub: DrivenHub;
  afterEach(() => hub.close());

  /** In production, where one private network is opened. */
  async function run(name: string, input: Record<string, unknown>): Promise<unknown> {
    const command = COMMANDS[name]!;
    const policy = { allow: [parseCidr("10.1.0.0/16")], https_only: true };
    return command.run({ ...hub.hub, checkEndpointUrl: (url) => forbiddenUrl(url, policy) }, command.input.parse(input));
  }
  const problem = (field: string, message: string | RegExp) => ({ errors: [{ field, message: expect.stringMatching(message) }] });

  test("makes an endpoint only where the hub may send to", async () => {
    hub = await driveHub();
    for (const [url, why] of [
      ["http://toko.example/hook", "must start with https://"],
      ["https://127.0.0.1/hook", "leads to an address that is not allowed"],
      ["https://10.2.0.1/hook", "leads to an address that is not allowed"],
      ["https://u:p@toko.example/hook", "must not carry a user name or password"],
      ["toko.example", "is not a URL"],
    ] as const)
      await expect(run("endpoints-create", { url })).rejects.toMatchObject(problem("url", why));
    expect(await run("endpoints-list", {})).toEqual([]);
    expect(await run("endpoints-create", { url: "https://10.1.2.3/hook" })).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });
    expect(await run("endpoints-list", {})).toMatchObject([{ url: "https://10.1.2.3/hook", status: "active" }]);
  });

  test("disables an account, which then has no methods", async () => {
    hub = await driveHub();
    expect(await run("accounts-disable", { slug: "fake" })).toMatchObject({ id: hub.account_id, status: "disabled" });
    expect(await run("accounts-list", {})).toMatchObject([{ slug: "fake", status: "disabled" }]);
    expect(await hub.openRefused((await hub.order()).id)).toBe("method_not_available");
    await expect(run("accounts-disable", { slug: "none" })).rejects.toMatchObject({ code: "not_found" });
  });

  test("makes an account with a slug that is free, and says what is wrong with its credentials", async () => {
    hub = await driveHub();
    const wish = { provider: "fake", slug: "second", credentials: { secret: "s" } };
    expect(await run("accounts-create", wish)).toMatchObject({ callback_url: "https://hub.test/callbacks/second" });
    await expect(run("accounts-create", wish)).rejects.toMatchObject(problem("slug", "is taken"));
    await expect(run("accounts-create", { ...wish, slug: "third", credentials: {} })).rejects.toMatchObject(
      problem("credentials.secret", "is required"),
    );
    await expect(run("accounts-create", { ...wish, provider: "other" })).rejects.toMatchObject(problem("provider", "must be one of fake"));
  });

  test("holds at once, and keeps the first reason", async () => {
    hub = await driveHub();
    expect(await run("hold", { reason: "restored" })).toEqual({ hold: "restored" });
    expect(hub.hub.hold.reason).toBe("restored");
    expect(await run("hold", { reason: "again" })).toEqual({ hold: "restored" });
    expect(await readHold(hub.store)).toBe("restored");
    expect(await hub.openRefused((await hub.order()).id)).toBe("on_hold");
    expect(await run("reconcile", { after_restore: true })).toMatchObject({ hold: null });
    expect(await hub.open((await hub.order()).id)).toMatchObject({ status: "pending" });
  });

  test("reconciles without an account that is left out, and since a time that the operator knows", async () => {
    hub = await driveHub();
    await hub.open((await hub.order()).id);
    await run("hold", { reason: "restored" });
    const wish = { after_restore: true, skip_accounts: ["fake"], since: "2026-11-21T09:00:00Z" };
    expect(await run("reconcile", wish)).toEqual({ asked: 0, unclear: 0, unclear_accounts: {}, skipped: { fake: 1 }, hold: null });
    await expect(run("reconcile", { skip_accounts: ["none"] })).rejects.toMatchObject(problem("skip_accounts", "there is no account none"));
    await expect(run("reconcile", { since: "yesterday" })).rejects.toThrow("must be a time such as");
  });

  test("doctor shows unmatched money one by one, with what it takes to find it at the gateway", async () => {
    hub = await driveHub();
    const { shop_id, account_id } = hub;
    const money = { shop_id, account_id, currency: "IDR", answer_id: "ans_x", payment_id: null, matched_at: null, asked_at: null };
    const found_at = Date.UTC(2026, 10, 21);
    await hub.store.write((tx) =>
      tx
        .insertInto("unmatched_money")
        .values([
          { ...money, id: "umm_1", reference: "INV-9", provider_id: "t-9", amount: 4_400_000n, refunded: null, status: "paid", found_at },
          {
            ...money,
            id: "umm_2",
            reference: "INV-8",
            provider_id: "t-8",
            amount: 100_000n,
            refunded: 100_000n,
            status: "refunded",
            found_at: found_at - 1,
          },
        ])
        .execute(),
    );
    expect(await run("doctor", {})).toMatchObject({
      unmatched_money: 1,
      unmatched: [
        {
          account: "fake",
          provider_reference: "INV-9",
          provider_id: "t-9",
          amount: 44_000,
          currency: "IDR",
          status: "paid",
          found_at: "2026-11-21T00:00:00.000Z",
        },
        { provider_reference: "INV-8", amount_refunded: 1_000, status: "refunded" },
      ],
    });
  });

  test("acknowledges what waited for a person: doctor no longer counts it, the timeline shows the note", async () => {
    hub = await driveHub();
    const payment = await hub.open((await hub.order()).id);
    hub.gateway.pay(payment.reference, 9_900_000n);
    await askGateway(hub.hub, payment.id, "get", "test", 0);
    expect(await run("doctor", {})).toMatchObject({ payments_needing_attention: 1 });
    await run("acknowledge", { payment_id: payment.id, note: "paid back in cash" });
    expect(await run("doctor", {})).toMatchObject({ payments_needing_attention: 0 });
    const bundle = await hub.store.read((db) => findBundle(db, undefined, payment.order_id));
    const shown = (await timelineOf(hub.hub, bundle!, bundle!.payments[0]!)).find((entry) => entry.actor.startsWith("acknowledged"));
    expect(shown).toMatchObject({ kind: "transition", actor: "acknowledged: paid back in cash", summary: "payment: paid → paid (overpaid)" });
  });

  test("revokes a key once, and asks which shop is meant where there are several", async () => {
    hub = await driveHub();
    const made = (await run("keys-create", { new_shop: "Toko Kedua", label: "web" })) as { id: string; key: string };
    expect(made.key).toMatch(/^sk_test_/);
    await expect(run("keys-create", {})).rejects.toMatchObject(problem("shop", /name one of: .*Toko Kedua/));
    expect(await run("keys-create", { shop: "Toko Kedua" })).toMatchObject({ shop_id: expect.any(String) });
    expect(await run("keys-revoke", { id: made.id })).toEqual({ id: made.id, revoked: true });
    await expect(run("keys-revoke", { id: made.id })).rejects.toMatchObject({ code: "not_found" });
  });
});
