import type { Gateway, GatewayContext, Provider } from "@lunas/domain";
import type { Hub } from "../hub.ts";
import { runParkedJob } from "../ingest/parked.ts";
import { Inbox } from "../ingest/receive.ts";
import { startRouter } from "../ingest/router.ts";
import { releaseLeases } from "../reconcile/recover.ts";
import { HANDLERS, startWorker } from "../reconcile/worker.ts";
import { makeSignals } from "../signals.ts";
import type { Store } from "../store/index.ts";

/** A process dies at its `write`th write, counted from 1: just before it begins, or just after its commit. */
export interface CrashPoint {
  readonly write: number;
  readonly when: "before" | "after";
}

/** A hub as a process of its own on a database and a gateway that outlive it. */
export interface MortalHub {
  readonly hub: Hub;
  readonly inbox: Inbox;
  readonly dead: boolean;
  /** Does it, unless the process dies meanwhile. */
  live(act: () => Promise<unknown>): Promise<void>;
  /** Works off all that is due now. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

class Death extends Error {
  override name = "Death";
}

/** Starts as `main.ts` does, without the sweep: nothing may depend on being swept up. */
export async function startMortal(base: Hub, crash?: CrashPoint): Promise<MortalHub> {
  const end = Promise.withResolvers<void>();
  let writes = 0;
  let dead = false;
  const die = (): never => {
    dead = true;
    end.resolve();
    throw new Death();
  };
  const alive = (): void => {
    if (dead) throw new Death();
  };
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    alive();
    writes += 1;
    const fatal = crash?.write === writes;
    if (fatal && crash.when === "before") die();
    const value = await work();
    if (fatal) die();
    alive();
    return value;
  };
  const store: Store = {
    engine: base.store.engine,
    read: async (query) => {
      alive();
      return base.store.read(query);
    },
    write: (work) => counted(() => base.store.write(work)),
    recordNotifications: (records, keeping) => counted(() => base.store.recordNotifications(records, keeping)),
    close: async () => {},
  };
  const providers = new Map([...base.providers].map(([name, provider]) => [name, guarded(provider, () => dead)]));
  const hub: Hub = { ...base, store, providers, signals: makeSignals(), hold: { reason: undefined } };
  await releaseLeases(base.store);
  const router = startRouter(hub);
  const worker = startWorker(hub, { ...HANDLERS, parked: runParkedJob });
  const live = async (act: () => Promise<unknown>): Promise<void> => {
    const acting = act().catch((error: unknown) => {
      if (!dead) throw error;
    });
    await Promise.race([acting, end.promise]);
  };
  return {
    hub,
    inbox: new Inbox(hub),
    get dead() {
      return dead;
    },
    live,
    settle: () =>
      live(async () => {
        await router.idle();
        await worker.idle();
      }),
    stop: async () => {
      await router.stop();
      await worker.stop();
    },
  };
}

/** A dead process calls nobody. */
function guarded(provider: Provider, isDead: () => boolean): Provider {
  const guard = (gateway: Gateway): Gateway =>
    new Proxy(gateway, {
      get: (target, name: keyof Gateway) => {
        if (isDead()) throw new Death();
        return target[name];
      },
    });
  return { ...provider, gateway: (context: GatewayContext<unknown>) => guard(provider.gateway(context)) };
}
