import { invariant, SECOND_MS } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { GroupCommit } from "../store/group-commit.ts";
import { claimDeliveries, type DeliveryRow, type EndpointRow, pauseDeliveries, readParts, releaseDeliveries } from "./claim.ts";
import { Lanes } from "./lanes.ts";
import { type AttemptResult, saveResults } from "./results.ts";
import type { SendAttempt } from "./send.ts";

/** Longer than all the tries that one claim can hold of one endpoint: see `Lanes`. */
const LEASE_MS = 150 * SECOND_MS;
/** Deliveries that are held at once, over all endpoints. */
const HELD_MAX = 512;
const RESULTS_PER_COMMIT_MAX = 128;
/** The table is looked at this often even when nothing woke us: another hub may have written. */
const IDLE_LOOK_MS = 1_000;

export interface Dispatcher {
  /** Resolves when nothing is due and nothing is under way, at the business time of the call. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Sends due deliveries until it is stopped. Each endpoint has a lane of its own, so that one which hangs keeps nobody else waiting.
 * Results are written many to a commit. What was sent but not written is sent again after the lease: at least once, same webhook-id.
 */
export function startDispatcher(hub: Hub, send: SendAttempt): Dispatcher {
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  const waiting: (() => void)[] = [];
  const results = new GroupCommit<AttemptResult, void>({ flush: (group) => saveResults(hub, group), max_items: RESULTS_PER_COMMIT_MAX });

  const attempt = async (delivery: DeliveryRow, endpoint: EndpointRow, body: string): Promise<boolean> => {
    const result = await send(delivery, endpoint, body);
    await results.add(result);
    return result.verdict === "delivered";
  };
  const lanes = new Lanes({
    now: () => hub.clocks.wall.now(),
    attempt,
    release: (deliveries, wait_ms) => releaseDeliveries(hub.store, deliveries, hub.clocks.business.now() + wait_ms),
    lost: (error, delivery) => hub.log.error({ err: error, delivery: delivery.id }, "a delivery's result could not be written; it is sent again after its lease"),
    settled: () => wake(),
  });

  const look = async (): Promise<void> => {
    do {
      again = false;
      const room = HELD_MAX - lanes.held;
      if (room <= HELD_MAX / 4 || stopping) break;
      const claimed = await claimDeliveries(hub.store, hub.clocks.business.now(), LEASE_MS, Math.min(room, 256), lanes.busy());
      if (claimed.length === 0) break;
      const { bodies, endpoints } = await readParts(hub.store, claimed);
      const stopped: DeliveryRow[] = [];
      for (const delivery of claimed) {
        const endpoint = endpoints.get(delivery.endpoint_id);
        const body = bodies.get(delivery.event_id);
        invariant(endpoint && body !== undefined, `delivery ${delivery.id} has lost its endpoint or event`);
        if (endpoint.status === "active") lanes.add(delivery, endpoint, body);
        else stopped.push(delivery);
      }
      await pauseDeliveries(hub.store, stopped);
      again = true;
    } while (again && !stopping);
    if (lanes.held === 0) for (const resolve of waiting.splice(0)) resolve();
  };
  const wake = (): void => {
    if (stopping) return;
    again = true;
    if (looking) return;
    clearTimeout(timer);
    looking = look()
      .catch((error: unknown) => hub.log.error({ err: error }, "the deliveries could not be read"))
      .finally(() => {
        looking = undefined;
        if (!stopping) timer = setTimeout(wake, IDLE_LOOK_MS);
      });
  };
  const off = hub.signals.on("deliveries", wake);
  wake();
  return {
    idle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        wake();
      }),
    stop: async () => {
      stopping = true;
      off();
      clearTimeout(timer);
      await looking;
      await lanes.stop();
    },
  };
}
