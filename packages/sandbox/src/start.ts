import type { Clock, Emulator, EmulatorWorld, LedgerEntry, MakeEmulator } from "@lunas/domain";
import { seededRandom, systemClock, systemRandom } from "@lunas/domain";
import { providers } from "@lunas/providers";
import { BusinessClock } from "./business-clock.ts";
import { addControl } from "./control.ts";
import { openDatabase, Settings, wipe } from "./database.ts";
import type { FaultRule } from "./faults.ts";
import { Faults, faultListSchema } from "./faults.ts";
import { Holds } from "./holds.ts";
import type { LogEntry } from "./log.ts";
import { Log } from "./log.ts";
import { Outbox } from "./outbox.ts";
import { Sender } from "./send.ts";
import { makeServer } from "./server.ts";
import { SqliteEmulatorStore } from "./store.ts";
import { Ticker } from "./ticker.ts";

/** Between the seeds of two starts: a large prime. */
const START_STRIDE = 1_000_003;

const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "::1"];

export interface SandboxOptions {
  /** 127.0.0.1 when absent. Anything else opens a sandbox without authentication to others. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port?: number;
  /** A file, or `:memory:`. */
  readonly databasePath?: string;
  /** Where each provider's notifications go. */
  readonly notify?: Readonly<Record<string, string>>;
  /** The address under which payers and merchants reach it, where it is not the one listened at. */
  readonly publicUrl?: string;
  readonly acceptAnyKey?: boolean;
  /** Makes ids, faults and shifts repeatable. */
  readonly seed?: number;
  /** What the business clock runs with; real time when absent. */
  readonly clock?: Clock;
  /** Choices where a provider's documentation is silent, by provider. */
  readonly switches?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Sandbox {
  /** Without a slash at its end. */
  readonly url: string;
  readonly clock: BusinessClock;
  /** Moves business time and does what fell due; notifications follow (await `idle`). */
  advance(by_ms: number): void;
  /** Does what is due after a clock given as `clock` was moved from outside. */
  tick(): void;
  setFaults(rules: readonly FaultRule[]): void;
  setNotifyUrl(provider: string, url: string | null): boolean;
  emulator(provider: string): Emulator;
  ledger(): readonly LedgerEntry[];
  log(after?: number): readonly LogEntry[];
  /** Resolves when every notification that is due was sent. Those with a later due time are not waited for. */
  idle(): Promise<void>;
  /** The first entry of the log, past or to come, that fits. Rejects when the sandbox closes first. */
  waitFor(fits: (entry: LogEntry) => boolean): Promise<LogEntry>;
  /** Resolves when a fault (`slow`, `timeout-after-success`) holds a connection. */
  held(): Promise<void>;
  /** Lets every connection go that is held, before its time. */
  release(): void;
  reset(options?: { clock?: boolean }): void;
  close(): Promise<void>;
}

/** The emulators of the registry's providers. */
async function loadEmulators(): Promise<readonly (readonly [string, MakeEmulator])[]> {
  const emulated = [...providers].flatMap(([name, { emulator }]) => (emulator ? [{ name, emulator }] : []));
  return Promise.all(emulated.map(async ({ name, emulator }) => [name, await emulator()] as const));
}

/** Everything inside, wired together; only the HTTP front is missing. */
function wire(options: SandboxOptions, makers: readonly (readonly [string, MakeEmulator])[], url: { value: string }) {
  const { databasePath = ":memory:", seed } = options;
  const database = openDatabase(databasePath);
  const settings = new Settings(database);
  const clock = new BusinessClock(options.clock ?? systemClock, settings);
  // A second start on the same file must not make the ids of the first again.
  const start_number = settings.number("starts") ?? 0;
  settings.set("starts", start_number + 1);
  const random = seed === undefined ? systemRandom : seededRandom(seed + start_number * START_STRIDE);
  const faults = new Faults(seed ?? 1);
  const log = new Log(database, () => ({ wall: systemClock.now(), business: clock.now() }));
  const sender = new Sender();
  const holds = new Holds();
  const pause = async (ms: number): Promise<void> => holds.pause(ms);
  const emulators = new Map<string, Emulator>();
  const outbox = new Outbox({ database, business: clock, random, faults, log, sender, emulators, pause });
  const notify = new Map<string, string>(Object.entries(options.notify ?? {}));
  for (const [provider, make] of makers) {
    const world: EmulatorWorld = {
      store: new SqliteEmulatorStore(database, provider),
      business: clock,
      wall: systemClock,
      random,
      accept_any_key: options.acceptAnyKey ?? false,
      baseUrl: () => `${url.value}/${provider}`,
      notifyUrl: () => notify.get(provider),
      send: (notification) => outbox.enqueue(provider, notification),
    };
    emulators.set(provider, make(world, options.switches?.[provider]));
  }
  const ticker = new Ticker({ clock, emulators, outbox });
  return { database, clock, faults, log, sender, holds, pause, emulators, outbox, notify, ticker };
}

type Inside = ReturnType<typeof wire>;

/** What a person or a test does to the whole sandbox. */
function makeActs({ database, clock, faults, emulators, notify, ticker }: Inside) {
  const switches_at_start = new Map([...emulators].map(([provider, emulator]) => [provider, emulator.switches()]));
  return {
    advance: (by_ms: number): void => {
      clock.advance(by_ms);
      ticker.tick();
    },
    reset: ({ clock: also_clock = false }: { clock?: boolean } = {}): void => {
      wipe(database);
      faults.set([]);
      for (const [provider, values] of switches_at_start) emulators.get(provider)!.setSwitches(values);
      if (also_clock) clock.reset();
      ticker.tick();
    },
    setNotifyUrl: (provider: string, to: string | null): boolean => {
      if (!emulators.has(provider)) return false;
      if (to === null) notify.delete(provider);
      else notify.set(provider, to);
      return true;
    },
    notifyUrls: () => Object.fromEntries([...emulators.keys()].map((provider) => [provider, notify.get(provider) ?? null])),
  };
}

/** Starts the emulators of all providers behind one HTTP port. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { host = "127.0.0.1", port = 0 } = options;
  const url = { value: options.publicUrl ?? "" };
  const inside = wire(options, await loadEmulators(), url);
  const { database, clock, faults, log, sender, holds, pause, emulators, outbox, ticker } = inside;
  const acts = makeActs(inside);
  const closing = new AbortController();
  const onHandled = (): void => ticker.arm();
  const app = makeServer({ emulators, faults, log, pause, onHandled, loopback_only: LOOPBACK.includes(host) });
  addControl(app, { ...acts, emulators, faults, clock, log, onHandled });
  const listening = await app.listen({ host, port });
  url.value = (options.publicUrl ?? listening).replace(/\/+$/, "");
  ticker.tick();
  const { advance, reset, setNotifyUrl } = acts;
  return {
    url: url.value,
    clock,
    advance,
    reset,
    setNotifyUrl,
    tick: () => ticker.tick(),
    setFaults: (rules) => faults.set(faultListSchema.parse(rules)),
    emulator: (provider) => emulators.get(provider)!,
    ledger: () => [...emulators.values()].flatMap((emulator) => emulator.ledger()),
    log: (after) => log.read(after),
    idle: async () => outbox.idle(),
    held: async () => holds.held(),
    release: () => holds.release(),
    waitFor: async (fits) => waitFor(log, fits, closing.signal),
    close: async () => {
      closing.abort();
      holds.close();
      ticker.close();
      outbox.close();
      await sender.close();
      await app.close();
      database.close();
    },
  };
}

async function waitFor(log: Log, fits: (entry: LogEntry) => boolean, closing: AbortSignal): Promise<LogEntry> {
  const past = log.read().find(fits);
  if (past) return past;
  return new Promise((resolve, reject) => {
    const end = log.listen((entry) => {
      if (!fits(entry)) return;
      end();
      resolve(entry);
    });
    closing.addEventListener("abort", () => reject(new Error("the sandbox closed before that happened")), { once: true });
  });
}
