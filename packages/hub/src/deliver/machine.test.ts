import { decide, DELIVERY_INPUTS, DELIVERY_STATUSES, type DeliveryInput, deliveryMachine, type DeliveryStatus } from "@lunas/domain";
import { describe, expect, test } from "vitest";
import { replayEndpoint, resendEvent } from "./again.ts";
import { claimDeliveries, type ClaimedDelivery, pauseDeliveries } from "./claim.ts";
import { pauseEndpoint, resumeEndpoint } from "./operations.ts";
import { type AttemptResult, saveResults } from "./results.ts";
import { answer, ENGINES, type Engine, makeStage, played, type Stage } from "./testing/stage.ts";

// The hub moves deliveries by SQL, many at a time. Here each of its operations is held to the table of the domain, which the documentation shows.

const LEASE_MS = 150_000;

interface Scene {
  readonly stage: Stage;
  readonly endpoint: string;
  readonly event: string;
  /** What an attempt knows of the delivery that it began with: it may have lost it since. */
  readonly claimed: ClaimedDelivery;
}

/** @param room none: leases are looked at, and nothing is taken. */
function claim({ store, clock }: Stage, room: number): ReturnType<typeof claimDeliveries> {
  return claimDeliveries(store, { now_ms: clock.now(), lease_ms: LEASE_MS, total: 100, room: () => room });
}

/** One delivery that an attempt was begun for, and which is now in the given state, by the hub's own operations. */
async function sceneIn(engine: Engine, status: DeliveryStatus): Promise<Scene> {
  const stage = await makeStage(engine, played(() => answer(200)).http);
  const endpoint = await stage.endpoint("https://shop.test/", { events: ["payment.paid"] });
  const event = await stage.event();
  const [claimed] = (await claim(stage, 1)).deliveries;
  const scene: Scene = { stage, endpoint, event, claimed: claimed! };
  if (status === "due" || status === "paused") {
    stage.advance(LEASE_MS);
    await claim(stage, 0);
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

async function statusOf({ stage }: Scene): Promise<DeliveryStatus> {
  return (await stage.deliveries())[0]!.status;
}

/** What the hub does when this is heard. */
const INPUTS: Readonly<Record<DeliveryInput, (scene: Scene) => Promise<unknown>>> = {
  claim: ({ stage }) => claim(stage, 1),
  lease_lost: async ({ stage }) => {
    stage.advance(LEASE_MS);
    await claim(stage, 0);
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

const PAIRS = DELIVERY_STATUSES.flatMap((status) => DELIVERY_INPUTS.map((input) => [status, input] as const));

describe.each(ENGINES)("a delivery, on %s", (engine) => {
  test.each(PAIRS)("that is %s does on %s what the domain's table says", async (status, input) => {
    const scene = await sceneIn(engine, status);
    await INPUTS[input](scene);
    const decision = decide(deliveryMachine, status, input);
    expect(await statusOf(scene)).toBe(typeof decision === "string" ? status : decision.to);
  });

  // These pick what they arm anew; what they pick goes where the table says, and the rest stays.
  test.each(DELIVERY_STATUSES)("that is %s is armed anew by a resume, a replay and a first success only as the table allows", async (status) => {
    const others: readonly ((scene: Scene) => Promise<unknown>)[] = [
      ({ stage, endpoint }) => resumeEndpoint(stage.hub, stage.shop_id, endpoint),
      ({ stage, endpoint }) => replayEndpoint(stage.hub, stage.shop_id, endpoint, { only: "missing" }).catch(() => undefined),
      ({ stage, endpoint }) => replayEndpoint(stage.hub, stage.shop_id, endpoint, { only: "all", since: 0 }).catch(() => undefined),
    ];
    const decision = decide(deliveryMachine, status, "rearm");
    for (const other of others) {
      const scene = await sceneIn(engine, status);
      await other(scene);
      expect([status, typeof decision === "string" ? status : decision.to]).toContain(await statusOf(scene));
    }
  });
});
