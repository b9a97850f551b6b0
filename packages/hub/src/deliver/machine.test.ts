import { decide, DELIVERY_INPUTS, DELIVERY_STATUSES, type DeliveryInput, deliveryMachine, type DeliveryStatus } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { replayEndpoint, resendEvent } from "./again.ts";
import { claimDeliveries, type ClaimedDelivery, pauseDeliveries } from "./claim.ts";
import { deleteEndpoint, pauseEndpoint, resumeEndpoint } from "./operations.ts";
import { type AttemptResult, saveResults } from "./results.ts";
import { answer, ENGINES, makeStage, played, type Stage } from "./testing/stage.ts";

// The hub moves deliveries by SQL, many at a time. Here each of its operations is held to the table of the domain, which the documentation shows.

const LEASE_MS = 150_000;

interface Scene {
  readonly stage: Stage;
  readonly endpoint: string;
  readonly event: string;
  /** What an attempt knows of the delivery that it began with: it may have lost it since. */
  readonly claimed: ClaimedDelivery;
}

/** @param room none: leases are looked at, and nothing is taken. The scenes of one database are of different endpoints. */
function claim({ store, clock }: Stage, endpoint: string, room: number): ReturnType<typeof claimDeliveries> {
  return claimDeliveries(store, { now_ms: clock.now(), lease_ms: LEASE_MS, total: 100, room: (id) => (id === endpoint ? room : 0) });
}

/** One delivery that an attempt was begun for, and which is now in the given state, by the hub's own operations. */
async function sceneIn(stage: Stage, status: DeliveryStatus): Promise<Scene> {
  const endpoint = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
  const event = await stage.event();
  const [claimed] = (await claim(stage, endpoint, 1)).deliveries;
  const scene: Scene = { stage, endpoint, event, claimed: claimed! };
  if (status === "due" || status === "paused") {
    stage.advance(LEASE_MS);
    await claim(stage, endpoint, 0);
  }
  if (status === "paused") await pauseEndpoint(stage.hub, stage.shop_id, endpoint, "test");
  if (status === "delivered") await came(scene, "delivered");
  if (status === "exhausted") await came(scene, "exhausted");
  expect(await statusOf(scene)).toBe(status);
  return scene;
}

async function came({ stage, claimed }: Scene, verdict: AttemptResult["verdict"]): Promise<void> {
  const started_at = stage.clock.now();
  const delivered = verdict === "delivered";
  const due_at = verdict === "retry" ? started_at + 5_000 : null;
  const result = { delivery: claimed, started_at, elapsed_ms: 3, status: delivered ? 200 : 500, fault: delivered ? null : ("http" as const) };
  await saveResults(stage.hub, [{ ...result, response_body: null, verdict, due_at }]);
}

async function statusOf({ stage, endpoint }: Scene): Promise<DeliveryStatus> {
  return (await stage.deliveries(endpoint))[0]!.status;
}

/** What the hub does when this is heard. */
const INPUTS: Readonly<Record<DeliveryInput, (scene: Scene) => Promise<unknown>>> = {
  claim: ({ stage, endpoint }) => claim(stage, endpoint, 1),
  lease_lost: async ({ stage, endpoint }) => {
    stage.advance(LEASE_MS);
    await claim(stage, endpoint, 0);
  },
  success: (scene) => came(scene, "delivered"),
  retry: (scene) => came(scene, "retry"),
  give_up: (scene) => came(scene, "exhausted"),
  // What waits is held at once; what an attempt was about to begin for is given back by the dispatcher.
  pause: async ({ stage, endpoint, claimed }) => {
    await pauseEndpoint(stage.hub, stage.shop_id, endpoint, "test");
    await pauseDeliveries(stage.store, [claimed]);
  },
  rearm: async ({ stage, endpoint, event }) => {
    // Only an active endpoint is resent to.
    await stage.store.write((tx) => tx.updateTable("endpoints").set({ status: "active" }).where("id", "=", endpoint).execute());
    await resendEvent(stage.hub, stage.shop_id, event, endpoint);
  },
};

/** What becomes of a delivery in this state by this, and what the table says of it. */
async function play(stage: Stage, status: DeliveryStatus, input: DeliveryInput, how: (scene: Scene) => Promise<unknown>): Promise<[string, string]> {
  const scene = await sceneIn(stage, status);
  await how(scene);
  const after = await statusOf(scene);
  // So that the next scene's event does not go there, too.
  await deleteEndpoint(stage.hub, stage.shop_id, scene.endpoint);
  const decision = decide(deliveryMachine, status, input);
  return [after, typeof decision === "string" ? status : decision.to];
}

describe.each(ENGINES)("a delivery, on %s", (engine) => {
  test.each(DELIVERY_STATUSES)("that is %s does on every input what the domain's table says", { timeout: 60_000 }, async (status) => {
    const stage = await makeStage(engine, played(() => answer(200)).http);
    const [became, says]: [Record<string, string>, Record<string, string>] = [{}, {}];
    for (const input of DELIVERY_INPUTS) [became[input], says[input]] = await play(stage, status, input, INPUTS[input]);
    expect(became).toEqual(says);
  });

  // These pick what they arm anew; what they pick goes where the table says, and the rest stays.
  test.each(DELIVERY_STATUSES)("that is %s is armed anew by a resume and a replay only as the table allows", { timeout: 60_000 }, async (status) => {
    const stage = await makeStage(engine, played(() => answer(200)).http);
    const others: readonly ((scene: Scene) => Promise<unknown>)[] = [
      ({ endpoint }) => resumeEndpoint(stage.hub, stage.shop_id, endpoint),
      ({ endpoint }) => replayEndpoint(stage.hub, stage.shop_id, endpoint, { only: "missing" }).catch(() => undefined),
      ({ endpoint }) => replayEndpoint(stage.hub, stage.shop_id, endpoint, { only: "all", since: 0 }).catch(() => undefined),
    ];
    for (const other of others) {
      const [after, says] = await play(stage, status, "rearm", other);
      expect([status, says]).toContain(after);
    }
  });
});
