import type { CallbackOutcome, RawCallback } from "@lunas/domain";
import type { OpenAccount } from "../collect/accounts.ts";
import type { Hub } from "../hub.ts";
import { GroupCommit } from "../store/group-commit.ts";
import { localDigest } from "../store/local-digest.ts";
import { type NotificationRecord, ROUTE, VERDICT } from "../store/index.ts";
import { AccountCache } from "./account-cache.ts";
import { Quota } from "./quota.ts";
import { sealCallback } from "./sealed-body.ts";

/** Bytes of a callback's body at most. */
export const CALLBACK_BYTES_MAX = 256 * 1024;
/** Notifications that share one commit at most. */
const GROUP_MAX = 256;
/** Forged callbacks of one account that are kept in an hour; more are answered and counted, but not kept. */
const FORGED_KEPT_PER_HOUR = 1_000;

export interface CallbackReply {
  readonly status: number;
  readonly body: string;
  readonly content_type: string;
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
  #group: GroupCommit<NotificationRecord, { readonly repeated: boolean }>;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#accounts = new AccountCache(hub);
    this.#group = new GroupCommit({ flush: (records) => hub.store.recordNotifications(records), max_items: GROUP_MAX });
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
      sealed: sealCallback(this.#hub.vault, account.row.id, raw),
    };
    try {
      const { repeated } = await this.#group.add(record);
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

/** What makes two callbacks the same: the account, what we think of the proof, and every byte of the body. */
export function dedupeKey(account_id: string, forged: boolean, body: Uint8Array): Uint8Array {
  return localDigest(`${account_id}\n${forged ? "forged" : "weak"}`, body);
}
