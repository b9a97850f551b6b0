import { expect, test } from "vitest";
import { Lunas, signWebhook, verifyWebhook } from "../../packages/sdk/src/index.ts";
import { codeBlocks, readPage } from "./pages.ts";

const page = readPage("packages/sdk/README.md");

test("the SDK's page lists exactly what its client can do", () => {
  const lunas = new Lunas({ apiKey: "sk_test_page", baseUrl: "http://127.0.0.1:1" });
  const methods = Object.entries(lunas).flatMap(([group, resource]) =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(resource))
      .filter((name) => name !== "constructor")
      .map((name) => `${group}.${name}`),
  );
  const listed = [...page.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| ((?:`[\w.]+`(?:, |; )?)+) \|$/gm)].flatMap(([, groups = "", names = ""]) =>
    codesOf(groups).flatMap((group) => codesOf(names).flatMap((name) => (name.includes(".") ? [] : [`${group}.${name}`]))),
  );
  // "`events`, `deliveries` | `get`, `list`; `events.resend`": a name with its group belongs to that one alone.
  const single = codesOf(page).filter((code) => /^(events)\.\w+$/.test(code) && code !== "events.id");
  expect([...new Set([...listed, ...single])].sort()).toEqual(methods.sort());
});

function codesOf(text: string): string[] {
  return [...text.matchAll(/`([\w.]+)`/g)].map((match) => match[1] ?? "");
}

test("the headers that its page makes for a test of a handler verify", () => {
  const block = codeBlocks(page, "ts").find((one) => one.includes("signWebhook")) ?? "";
  const body = /JSON\.stringify\((\{.*\})\)/.exec(block)?.[1];
  expect(body, "the page shows an event").toBeDefined();
  // The page writes it as JavaScript: names without quotes.
  const event = JSON.stringify(JSON.parse((body ?? "").replaceAll(/(\w+):/g, '"$1":')));
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  expect(verifyWebhook(event, signWebhook(event, secret, { id: "evt_1" }), secret)).toMatchObject({ id: "evt_1", type: "order.paid" });
});
