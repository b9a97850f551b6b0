import { expect, test } from "vitest";
import { guardedHttp } from "../net/http.ts";
import { makeStage, receiver } from "./testing/stage.ts";

test("one of a hundred endpoints hangs: the others get all of theirs while it still hangs (F5)", async () => {
  const letGo = Promise.withResolvers<void>();
  const { url, received } = await receiver(async ({ path }) => {
    if (path === "/hang") await letGo.promise;
    return 200;
  });
  const stage = await makeStage("sqlite", guardedHttp({ allow: ["127.0.0.0/8"] }));
  const hanging = await stage.endpoint(`${url}/hang`);
  for (let made = 1; made < 100; made += 1) await stage.endpoint(`${url}/${made}`);
  // The one that hangs has the longest backlog, and it is the oldest.
  for (let made = 0; made < 20; made += 1) await stage.event();
  const dispatcher = stage.start();
  await stage.written("delivered", 99 * 20);
  const held = received.filter((one) => one.path === "/hang").length;
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThanOrEqual(16);
  expect((await stage.deliveries(hanging)).every((one) => one.attempts === 0)).toBe(true);
  letGo.resolve();
  await dispatcher.idle();
  expect((await stage.deliveries()).every((one) => one.status === "delivered" && one.attempts === 1)).toBe(true);
  expect(received).toHaveLength(100 * 20);
});

test("many hanging endpoints with long backlogs do not use up the room of the others", async () => {
  const letGo = Promise.withResolvers<void>();
  const hung = new Set<string>();
  const stage = await makeStage("sqlite", async (request) => {
    if (request.url.includes("hang")) {
      hung.add(request.url);
      await letGo.promise;
    }
    return { ok: true, status: 200, headers: {}, body: new Uint8Array(), elapsed_ms: 1 };
  });
  for (let made = 0; made < 40; made += 1) await stage.endpoint(`https://hang-${made}.test/`, { events: ["payment.paid"] });
  for (let made = 0; made < 100; made += 1) await stage.event("payment.paid");
  const fine = await stage.endpoint("https://fine.test/", { events: ["order.paid"] });
  const dispatcher = stage.start();
  for (let made = 0; made < 300; made += 1) await stage.event("order.paid");
  stage.hub.signals.emit({ kind: "deliveries" });
  await stage.written("delivered", 300);
  expect(hung.size).toBe(40);
  expect((await stage.deliveries(fine)).every((one) => one.status === "delivered")).toBe(true);
  letGo.resolve();
  await dispatcher.idle();
  expect((await stage.deliveries()).every((one) => one.status === "delivered")).toBe(true);
});
