import type { CallbackOutcome, RawCallback, ReadableCallback } from "@lunas/domain";
import type { OpenAccount } from "../collect/accounts.ts";
import type { Hub } from "../hub.ts";
import { GroupCommit } from "../store/group-commit.ts";
import { type NotificationRecord, VERDICT } from "../store/index.ts";
import { RETENTION } from "../retention.ts";
import { rushOf } from "../rush.ts";
import { AccountCache } from "./account-cache.ts";
import { Quota } from "./quota.ts";
import { recordOf } from "./record.ts";
import { sealBatch } from "./sealed-bodies.ts";

/** Bytes of a callback's body at most. */
export const CALLBACK_BYTES_MAX = 256 * 1024;
/** Notifications that share one commit at most, and the bytes of their bodies. */
const GROUP_MAX = 256;
const GROUP_MAX_BYTES = 4 * 1024 * 1024;
/** In a rush a commit waits for so many, or so long. */
const RUSH_GROUP = 64;
const RUSH_GROUP_MS = 2;
/** Callbacks of one account that are not believed and yet kept, in an hour; more are answered and counted, but not kept. */
const QUARANTINED_PER_HOUR = 1_000;
const QUARANTINED_BYTES_PER_HOUR = 16 * 1024 * 1024;
const HOUR_MS = 3_600_000;

export interface CallbackReply {
  readonly status: number;
  readonly body: string;
  readonly content_type: string;
}

function recording(hub: Hub, kept_ms: number): GroupCommit<NotificationRecord, { readonly repeated: boolean }> {
  const rush = rushOf(hub);
  return new GroupCommit({
    flush: (records) =>
      hub.store.recordNotifications(records, {
        seal: (bodies) => sealBatch(hub.vault, bodies),
        keep_until: hub.clocks.business.now() + kept_ms,
      }),
    max_items: GROUP_MAX,
    weight: { of: ({ body }) => body.length, max: GROUP_MAX_BYTES },
    company: { items: RUSH_GROUP, ms: RUSH_GROUP_MS, wanted: () => rush.on },
  });
}

const UNKNOWN_ACCOUNT: CallbackReply = { status: 404, body: '{"status":"unknown account"}', content_type: "application/json" };

/**
 * Takes callbacks in: checks shape and proof, which is pure, keeps what arrived, and answers only when it is on the disk.
 * Nothing is decided here: what a notification says is looked into afterwards, by asking.
 */
export class Inbox {
  #hub: Hub;
  #accounts: AccountCache;
  #quota = new Quota(QUARANTINED_PER_HOUR, HOUR_MS);
  #quotaBytes = new Quota(QUARANTINED_BYTES_PER_HOUR, HOUR_MS);
  /** Apart, for the bodies of a group are kept and deleted together, and those of the quarantine not for long. */
  #believed: GroupCommit<NotificationRecord, { readonly repeated: boolean }>;
  #quarantine: GroupCommit<NotificationRecord, { readonly repeated: boolean }>;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#accounts = new AccountCache(hub);
    this.#believed = recording(hub, RETENTION.raw_bodies_ms);
    this.#quarantine = recording(hub, RETENTION.quarantine_ms);
  }

  /** @param account the account's slug or id, from the path. @param remote_address of the peer, as the operator's proxy setting has it. */
  async receive(account: string, raw: RawCallback, remote_address: string): Promise<CallbackReply> {
    let opened: OpenAccount | undefined;
    try {
      opened = await this.#accounts.find(account);
    } catch (error) {
      return this.#storageDown(undefined, error);
    }
    if (!opened || opened.row.status !== "active") {
      this.#hub.metrics.count("lunas_callbacks_total", { outcome: "unknown_account" });
      return UNKNOWN_ACCOUNT;
    }
    return this.#take(opened, raw, remote_address);
  }

  async #take(account: OpenAccount, raw: RawCallback, remote_address: string): Promise<CallbackReply> {
    const { callbacks } = account.provider;
    if (raw.body.length > CALLBACK_BYTES_MAX) return this.#reply(account, "too_large");
    const reading = callbacks.read(raw);
    if (!reading.readable) return this.#keepApart(account, raw, "unreadable", remote_address);
    const { verdict } = reading.verify(account.configs);
    if (verdict === "forged") return this.#keepApart(account, raw, "forged", remote_address, reading);
    try {
      const { repeated } = await this.#believed.add(recordOf(account, raw, VERDICT.weak, this.#hub.clocks.business.now(), remote_address, reading));
      this.#hub.signals.emit({ kind: "inbox" });
      return this.#reply(account, repeated ? "repeated" : "stored");
    } catch (error) {
      return this.#storageDown(account, error);
    }
  }

  /** What is not believed changes nothing. It is kept for a while: it may be genuine under credentials, or in words, that are not known here yet. */
  async #keepApart(
    account: OpenAccount,
    raw: RawCallback,
    outcome: "forged" | "unreadable",
    remote_address: string,
    reading?: ReadableCallback<unknown>,
  ): Promise<CallbackReply> {
    const now = this.#hub.clocks.business.now();
    const room = this.#quota.take(account.row.id, now) && this.#quotaBytes.take(account.row.id, now, raw.body.length);
    if (!room) return this.#reply(account, outcome);
    try {
      await this.#quarantine.add(recordOf(account, raw, VERDICT[outcome], now, remote_address, reading));
      return this.#reply(account, outcome);
    } catch (error) {
      return this.#storageDown(account, error);
    }
  }

  #reply(account: OpenAccount, outcome: CallbackOutcome): CallbackReply {
    this.#hub.metrics.count("lunas_callbacks_total", { outcome, provider: account.provider.name });
    return account.provider.callbacks.reply(outcome);
  }

  /** Nothing was kept, so nothing may be promised: the provider is told to come again, with the status that makes it try the longest. */
  #storageDown(account: OpenAccount | undefined, error: unknown): CallbackReply {
    this.#hub.log.error({ err: error }, "a callback could not be stored");
    this.#hub.metrics.count("lunas_callbacks_total", { outcome: "storage_down" });
    return account ? account.provider.callbacks.reply("storage_down") : { status: 503, body: "", content_type: "text/plain" };
  }
}
