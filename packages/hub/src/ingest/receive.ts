import type { CallbackOutcome, RawCallback } from "@lunas/domain";
import type { OpenAccount } from "../collect/accounts.ts";
import type { Hub } from "../hub.ts";
import { GroupCommit } from "../store/group-commit.ts";
import { type NotificationRecord, ROUTE, VERDICT } from "../store/index.ts";
import { RETENTION } from "../retention.ts";
import { AccountCache } from "./account-cache.ts";
import { dedupeKey } from "./dedupe-key.ts";
import { Quota } from "./quota.ts";
import { frameCallback, sealBatch } from "./sealed-bodies.ts";

/** Bytes of a callback's body at most. */
export const CALLBACK_BYTES_MAX = 256 * 1024;
/** Notifications that share one commit at most, and the bytes of their bodies. */
const GROUP_MAX = 256;
const GROUP_MAX_BYTES = 4 * 1024 * 1024;
/** Forged callbacks of one account that are kept in an hour; more are answered and counted, but not kept. */
const FORGED_KEPT_PER_HOUR = 1_000;

export interface CallbackReply {
  readonly status: number;
  readonly body: string;
  readonly content_type: string;
}

function recording(hub: Hub, kept_ms: number): GroupCommit<NotificationRecord, { readonly repeated: boolean }> {
  return new GroupCommit({
    flush: (records) =>
      hub.store.recordNotifications(records, {
        seal: (bodies) => sealBatch(hub.vault, bodies),
        keep_until: hub.clocks.business.now() + kept_ms,
      }),
    max_items: GROUP_MAX,
    weight: { of: ({ body }) => body.length, max: GROUP_MAX_BYTES },
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
  #quota = new Quota(FORGED_KEPT_PER_HOUR, 3_600_000);
  /** Apart, for the bodies of a group are kept and deleted together, and forged ones not for long. */
  #weak: GroupCommit<NotificationRecord, { readonly repeated: boolean }>;
  #forged: GroupCommit<NotificationRecord, { readonly repeated: boolean }>;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#accounts = new AccountCache(hub);
    this.#weak = recording(hub, RETENTION.raw_bodies_ms);
    this.#forged = recording(hub, RETENTION.forged_ms);
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
    if (!reading.readable) return this.#reply(account, "unreadable");
    const { verdict } = reading.verify(account.configs);
    const forged = verdict === "forged";
    const now = this.#hub.clocks.business.now();
    if (forged && !this.#quota.take(account.row.id, now)) return this.#reply(account, "forged");
    const hint = reading.translate();
    const record: NotificationRecord = {
      account_id: account.row.id,
      shop_id: account.row.shop_id,
      verdict: forged ? VERDICT.forged : VERDICT.weak,
      route: forged ? ROUTE.quarantined : ROUTE.new,
      dedupe: dedupeKey(account.row.id, forged, raw.body),
      reference: reading.subject.reference.slice(0, 200),
      provider_id: reading.subject.provider_id?.slice(0, 200) ?? null,
      event_key: reading.event_key.slice(0, 300),
      claim: hint.observation ?? null,
      remote_address,
      received_at: now,
      body: frameCallback(raw),
    };
    try {
      const { repeated } = await (forged ? this.#forged : this.#weak).add(record);
      if (forged) return this.#reply(account, "forged");
      this.#hub.signals.emit({ kind: "inbox" });
      return this.#reply(account, repeated ? "repeated" : "stored");
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
