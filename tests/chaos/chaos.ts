import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, seededRandom } from "@lunas/domain";
import { openStore } from "../../packages/hub/src/store/index.ts";
import { type Sandbox, startSandbox } from "../../packages/sandbox/src/index.ts";
import { freePort, WEBHOOK_SECRET } from "../harness/known.ts";
import { audit, seenBy } from "./audit.ts";
import { HubProcess } from "./hub-process.ts";
import { Receiver } from "./receiver.ts";
import { type ChaosOrder, Shopper } from "./shopper.ts";
import { FAULTS, Strikes } from "./strikes.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly kills: number;
  readonly orders: number;
  /** A throw-away SQLite file when absent. */
  readonly databaseUrl?: string;
  /** Puts an older copy in the place of the database once, in the middle. SQLite only. */
  readonly restore?: boolean;
  readonly say?: (text: string) => void;
}

export interface ChaosReport {
  readonly kills: number;
  /** Of these, the kills of a hub that was only starting. */
  readonly kills_at_start: number;
  readonly orders: number;
  /** Orders whose payment the hub had refused for good: what the gateway did with them is judged, too. */
  readonly given_up: readonly string[];
  readonly notifications: number;
  readonly events: number;
  /** How often each fault had its effect, by `place fault`. */
  readonly strikes: Readonly<Record<string, number>>;
  /** What the run has seen, by the gateway's ledger and the hub's own rows. */
  readonly seen: Awaited<ReturnType<typeof seenBy>>;
  readonly seconds: number;
  readonly problems: readonly string[];
}

const CONCURRENCY = 8;
/** Buyers take a moment, too: an account's call budget bounds what a hub can open in a second. */
const SHOP_GAP_MS = { min: 400, spread: 1_200 };
/** After so long the next buyer comes, whether or not the one before has been served; but never more than so many wait at once. */
const BUYER_PATIENCE_MS = 4_000;
const WAITING_MAX = 64;
const KILL_GAP_MS = { min: 150, spread: 900 };
const QUIET_PATIENCE_MS = 120_000;
/** The load goes on for this long at most after the last kill, until every fault has struck. */
const STRIKE_PATIENCE_MS = 60_000;
/** Nobody's luck: of so many orders one may be refused by a gateway that is out of its mind. */
const GIVEN_UP_SHARE = 0.1;

// timer: paces the load, the kills and the repeated looks; what is judged is waited for by its state.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a hub under load and faults, kills it again and again, and holds it to the sandbox's ledger when the dust has settled. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const say = options.say ?? (() => {});
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "lunas-chaos-"));
  const random = seededRandom(options.seed);
  const [hubPort, shopPort] = [await freePort(), await freePort()];
  const sandbox = await startSandbox({
    port: 0,
    databasePath: join(folder, "sandbox.db"),
    notify: { midtrans: `http://127.0.0.1:${hubPort}/callbacks/midtrans` },
    seed: options.seed,
  });
  const databaseUrl = options.databaseUrl ?? `sqlite:${join(folder, "lunas.db")}`;
  const hub = new HubProcess({
    PORT: String(hubPort),
    SHOP_PORT: String(shopPort),
    LUNAS_SANDBOX_URL: sandbox.url,
    LUNAS_DATABASE_URL: databaseUrl,
    LUNAS_LOG_LEVEL: "warn",
    LUNAS_MASTER_KEY: Buffer.alloc(32, options.seed & 255).toString("base64"),
  });
  const receiver = new Receiver(WEBHOOK_SECRET, seededRandom(options.seed + 1));
  await receiver.listen(shopPort);
  const shopper = new Shopper(hub.url, sandbox, random);
  const strikes = new Strikes(sandbox);
  try {
    await hub.start();
    sandbox.setFaults(FAULTS.map((rule, index) => ({ provider: "midtrans", seed: options.seed + index, ...rule })));
    await underFire(options, { hub, sandbox, shopper, strikes, random, folder, say });
    sandbox.setFaults([]);
    receiver.failing_share = 0;
    await calmDown(hub, sandbox, shopper, say);
    await hub.stop();
    const store = await openStore(databaseUrl);
    try {
      const { orders } = shopper;
      const given_up = orders.filter((order) => order.gave_up !== undefined).map((order) => `${order.reference}: ${order.gave_up}`);
      const problems = [...hub.problems, ...shopper.problems, ...(await audit(store, sandbox, receiver, orders, options.restore === true))];
      if (given_up.length > Math.ceil(orders.length * GIVEN_UP_SHARE)) problems.push(`${given_up.length} of ${orders.length} orders were given up`);
      return {
        kills: hub.kills,
        kills_at_start: hub.kills_at_start,
        orders: orders.length,
        given_up,
        notifications: sandbox.log().filter((entry) => entry.kind === "notification").length,
        events: receiver.events.length,
        strikes: strikes.count(),
        seen: await seenBy(store, sandbox),
        seconds: Math.round((performance.now() - began) / 1000),
        problems,
      };
    } finally {
      await store.close();
    }
  } catch (error) {
    throw new Error(`seed ${options.seed}: ${error instanceof Error ? error.message : String(error)}\n${hub.output()}`, { cause: error });
  } finally {
    await hub.kill();
    await receiver.close();
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Field {
  readonly hub: HubProcess;
  readonly sandbox: Sandbox;
  readonly shopper: Shopper;
  readonly strikes: Strikes;
  readonly random: Random;
  readonly folder: string;
  readonly say: (text: string) => void;
}

async function underFire(options: ChaosOptions, field: Field): Promise<void> {
  const { hub, shopper, strikes, random, say } = field;
  let placed = 0;
  let fighting = true;
  const under_way = new Set<Promise<void>>();
  const shop = async (): Promise<void> => {
    // Orders keep coming while the hub is being killed: the load never ends before the last kill.
    while (fighting || placed < options.orders) {
      const buying = shopper.run(shopper.plan(`C${options.seed}-${(placed += 1)}`)).finally(() => under_way.delete(buying));
      under_way.add(buying);
      // Who waits for the lease of a killed hub's request does not keep other buyers waiting: the load stays what it is.
      await Promise.race([buying, pause(BUYER_PATIENCE_MS)]);
      if (under_way.size >= WAITING_MAX) await Promise.race(under_way);
      await pause(SHOP_GAP_MS.min + random.float() * SHOP_GAP_MS.spread);
    }
  };
  const shops = Array.from({ length: CONCURRENCY }, shop);
  const start_kill = Math.ceil(options.kills / 2);
  for (let kill = 1; kill <= options.kills; kill += 1) {
    await pause(KILL_GAP_MS.min + random.float() * KILL_GAP_MS.spread);
    await hub.kill();
    // What the killed one left is taken up at the start: the next kill falls into that.
    for (let share = 0.6; kill === start_kill && hub.kills_at_start === 0; share *= 0.7) await hub.startAndKill(share);
    say(`kill ${kill} of ${options.kills}; ${shopper.orders.length} orders so far`);
    if (options.restore && kill === Math.ceil(options.kills / 3)) await hub.command("backup", join(field.folder, "copy.db"));
    if (options.restore && kill === Math.ceil((2 * options.kills) / 3)) await putOldCopyInPlace(field);
    else await hub.start();
  }
  const until = performance.now() + STRIKE_PATIENCE_MS;
  while (strikes.missing().length > 0 && performance.now() < until) await pause(200);
  fighting = false;
  await Promise.all(shops);
  await Promise.all(under_way);
}

/** The database is now older than the world. The hub starts on hold, asks, and goes on. */
async function putOldCopyInPlace({ hub, folder, shopper, say }: Field): Promise<void> {
  await hub.command("restore", join(folder, "copy.db"), "--overwrite");
  const lost = [...shopper.orders];
  await hub.start();
  for (;;) {
    const told = JSON.parse(await hub.command("reconcile", "--after-restore")) as { asked: number; unclear: number; hold: string | null };
    say(`restored an older copy: asked about ${told.asked} payments, ${told.unclear} unclear, hold ${told.hold ?? "lifted"}`);
    if (told.hold === null) break;
  }
  // The shop has its own books: it states again what it is owed, and the hub repeats itself with the same references.
  const stateAgain = async (order: ChaosOrder): Promise<void> => {
    if (order.order_id === undefined) return;
    await shopper.place(order);
    if (order.refund_id !== undefined) await shopper.refund(order);
  };
  await Promise.all(lost.map(stateAgain));
}

/** Lets time pass until everything that is planned has happened. */
async function calmDown(hub: HubProcess, sandbox: Sandbox, shopper: Shopper, say: (text: string) => void): Promise<void> {
  const minutes = [1, 2, 5, 10, 20, 60, 120, 300, 1_440, 1_440, 1_440];
  for (const [step, minute] of minutes.entries()) {
    await quiet(hub, sandbox);
    if (step === 5)
      for (const order of shopper.orders.filter((one) => one.fate === "late" && one.provider_reference !== undefined)) await shopper.pay(order);
    await quiet(hub, sandbox);
    for (const order of shopper.orders.filter((one) => one.fate === "refund" && one.refund_id === undefined && one.payment_id !== undefined))
      await shopper.refund(order);
    sandbox.advance(minute * 60_000);
  }
  await quiet(hub, sandbox);
  say("calm");
}

async function quiet(hub: HubProcess, sandbox: Sandbox): Promise<void> {
  const deadline = Date.now() + QUIET_PATIENCE_MS;
  let calm = 0;
  let last: Record<string, number> = {};
  while (calm < 3) {
    if (Date.now() > deadline) throw new Error(`the hub does not come to rest: ${JSON.stringify(last)}`);
    await sandbox.idle();
    last = await hub.doctor();
    const busy = (last["notifications_waiting"] ?? 0) + (last["jobs_due"] ?? 0) + (last["deliveries_due"] ?? 0);
    calm = busy === 0 ? calm + 1 : 0;
    await pause(100);
  }
}
