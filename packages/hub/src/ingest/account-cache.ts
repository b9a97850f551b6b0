import { openAccount, type OpenAccount } from "../collect/accounts.ts";
import type { Hub } from "../hub.ts";

/** Another hub may change an account: what is cached is read again after this long. */
const FRESH_MS = 5_000;
/** Paths that name no account are remembered too, but not without limit. */
const ENTRIES_MAX = 10_000;

/** Accounts by slug or id, with credentials opened, so that a callback costs no query. */
export class AccountCache {
  #hub: Hub;
  #entries = new Map<string, { account: OpenAccount | undefined; read_at: number }>();
  /** What is being read: whoever comes meanwhile waits for the same answer. */
  #reading = new Map<string, Promise<OpenAccount | undefined>>();

  constructor(hub: Hub) {
    this.#hub = hub;
    hub.signals.on("account", () => {
      this.#entries.clear();
      // What is being read may be what it was before: nobody is to join it, nor to keep it.
      this.#reading.clear();
    });
  }

  /** @throws StoreError when the database cannot be read and nothing is cached. */
  async find(name: string): Promise<OpenAccount | undefined> {
    const now = this.#hub.clocks.wall.now();
    const entry = this.#entries.get(name);
    if (entry && now - entry.read_at < FRESH_MS) return entry.account;
    return this.#reading.get(name) ?? this.#refresh(name, now);
  }

  async #refresh(name: string, read_at: number): Promise<OpenAccount | undefined> {
    const reading = this.#read(name);
    this.#reading.set(name, reading);
    try {
      const account = await reading;
      if (this.#reading.get(name) !== reading) return account;
      if (this.#entries.size >= ENTRIES_MAX) this.#entries.clear();
      this.#entries.set(name, { account, read_at });
      return account;
    } finally {
      if (this.#reading.get(name) === reading) this.#reading.delete(name);
    }
  }

  async #read(name: string): Promise<OpenAccount | undefined> {
    const row = await this.#hub.store.read((db) =>
      db
        .selectFrom("accounts")
        .selectAll()
        .where((eb) => eb.or([eb("slug", "=", name), eb("id", "=", name)]))
        .executeTakeFirst(),
    );
    return row && openAccount(this.#hub, row);
  }
}
