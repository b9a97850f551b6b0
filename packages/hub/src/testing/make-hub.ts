import { createHash } from "node:crypto";
import { type Http, type HttpRequest, type HttpResult, idMaker, ManualClock, type Provider, seededRandom } from "@lunas/domain";
import { pino } from "pino";
import type { Hub } from "../hub.ts";
import { makeSignals } from "../signals.ts";
import { openMigratedStore, type Store } from "../store/index.ts";
import { Vault } from "../vault.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { FAKE_CREDENTIALS } from "./fake-provider.ts";

export interface TestHubOptions {
  /** Default: an own `sqlite::memory:`. The caller closes a store that it gives. */
  readonly store?: Store;
  /** Business clock; the wall clock is another one, at the same time. */
  readonly clock?: ManualClock;
  readonly gateway?: FakeGateway;
  readonly mode?: Hub["mode"];
  readonly seed?: number;
  readonly http?: Http;
  readonly log?: Hub["log"];
}

export interface TestShop {
  readonly shop_id: string;
  readonly api_key: string;
  readonly account_id: string;
  readonly slug: string;
}

export interface TestHub extends TestShop {
  readonly hub: Hub;
  readonly store: Store;
  readonly gateway: FakeGateway;
  /** Business time. */
  readonly clock: ManualClock;
  readonly wall: ManualClock;
  /** Counters by name and labels: `lunas_x{a=b}`. */
  readonly counts: ReadonlyMap<string, number>;
  /** Requests that went through `hub.http`. */
  readonly requests: readonly HttpRequest[];
  /** Another tenant, with an account of the fake gateway of its own. */
  addShop(name: string): Promise<TestShop>;
  close(): Promise<void>;
}

/**
 * A hub without workers or network for a room's tests: database in memory, clocks that stand still, seeded ids, a fake gateway named `fake`,
 * and one shop with one account (slug `fake`) and an API key.
 */
export async function makeTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const clock = options.clock ?? new ManualClock();
  const wall = new ManualClock(clock.now());
  const random = seededRandom(options.seed ?? 1);
  const gateway = options.gateway ?? new FakeGateway();
  const store = options.store ?? (await openMigratedStore("sqlite::memory:"));
  const counts = new Map<string, number>();
  const requests: HttpRequest[] = [];
  const unreachable: HttpResult = { ok: false, fault: "connect", message: "there is no network in this test", elapsed_ms: 0 };
  const hub: Hub = {
    store,
    random,
    clocks: { business: clock, wall },
    newId: idMaker(clock, random),
    vault: new Vault(Buffer.alloc(32, 7).toString("base64")),
    providers: new Map([[gateway.provider.name, gateway.provider as Provider]]),
    signals: makeSignals(),
    log: options.log ?? pino({ level: "silent" }),
    http: async (request) => {
      requests.push(request);
      return options.http ? options.http(request) : unreachable;
    },
    metrics: {
      count: (name, labels = {}, by = 1) => {
        const key = `${name}{${Object.entries(labels)
          .map(([label, value]) => `${label}=${value}`)
          .join(",")}}`;
        counts.set(key, (counts.get(key) ?? 0) + by);
      },
      observe: () => {},
    },
    publicUrl: "https://hub.test",
    mode: options.mode ?? "development",
    hold: { reason: undefined },
  };
  const addShop = (name: string): Promise<TestShop> => insertShop(hub, name, gateway.provider.name);
  const shop = await addShop(gateway.provider.name);
  const close = async (): Promise<void> => {
    if (!options.store) await store.close();
  };
  return { ...shop, hub, store, gateway, clock, wall, counts, requests, addShop, close };
}

/** The shop's slug is its name: slugs are unique in a hub. */
async function insertShop(hub: Hub, name: string, provider: string): Promise<TestShop> {
  const [shop_id, account_id, api_key, now] = [hub.newId("shop"), hub.newId("account"), `sk_test_${name}`, hub.clocks.business.now()];
  const credentials = hub.vault.seal(`account:${account_id}`, JSON.stringify([FAKE_CREDENTIALS]));
  const hash = createHash("sha256").update(api_key).digest();
  await hub.store.write(async (tx) => {
    await tx
      .insertInto("shops")
      .values({ id: shop_id, name: `Toko ${name}`, created_at: now })
      .execute();
    await tx
      .insertInto("api_keys")
      .values({ id: hub.newId("key"), shop_id, hash, label: "test", last4: api_key.slice(-4), created_at: now, revoked_at: null })
      .execute();
    await tx
      .insertInto("accounts")
      .values({
        id: account_id,
        shop_id,
        provider,
        slug: name,
        label: "Fake",
        credentials,
        credentials_version: 1,
        status: "active",
        created_at: now,
        updated_at: now,
      })
      .execute();
  });
  return { shop_id, account_id, api_key, slug: name };
}
