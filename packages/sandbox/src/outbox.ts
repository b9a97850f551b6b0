import type { Clock, Emulator, EmulatorNotification, EmulatorSubject, ForgeryKind, HttpResult, Random } from "@lunas/domain";
import type Database from "better-sqlite3";
import type { Faults, StruckFault } from "./faults.ts";
import type { Log } from "./log.ts";
import type { Sender } from "./send.ts";

/** Streams (one transaction at one address) that are sent to at the same time. */
const CONCURRENCY = 24;
const CLAIM_LIMIT = 64;

const FORGERIES: readonly string[] = ["forge-signature", "forge-status", "wrong-amount", "foreign-merchant"];

interface Row {
  readonly id: number;
  readonly provider: string;
  readonly url: string;
  readonly headers: string;
  readonly body: string;
  readonly about: string;
  readonly stream: string;
  readonly attempt: number;
  readonly due_at: number;
  readonly state: "due" | "held";
  /** Faults for the coming attempt were drawn already, when it was delayed or held. */
  readonly drawn: 0 | 1;
}

interface Parts {
  readonly database: Database.Database;
  readonly business: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly log: Log;
  readonly sender: Sender;
  readonly emulators: ReadonlyMap<string, Emulator>;
  /** Real time passing, for the fault `slow`. */
  readonly pause: (ms: number) => Promise<void>;
}

/** Notifications that are to be sent, durable until they are done: sent, given up or dropped. Each stream is sent in order, one at a time. */
export class Outbox {
  #parts: Parts;
  #busy = new Set<string>();
  #pumping = false;
  #closed = false;
  #idle_waiters: (() => void)[] = [];
  #statements: ReturnType<typeof prepare>;
  /** Called when the due times may have changed. */
  onChange: () => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#statements = prepare(parts.database);
  }

  enqueue(provider: string, notification: EmulatorNotification): void {
    const { url, headers, body, about } = notification;
    const stream = `${about.transaction_id ?? ""} ${url}`;
    this.#statements.insert.run(provider, url, JSON.stringify(headers), body, JSON.stringify(about), stream, this.#parts.business.now());
    this.wake();
  }

  /** Sends what is due, soon. */
  wake(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  nextDue(): number | undefined {
    return (this.#statements.nextDue.get() as { due_at: number | null }).due_at ?? undefined;
  }

  /** Resolves when nothing is due at this business time and nothing is on its way. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idle_waiters.push(resolve));
  }

  /** Sends nothing more. What is on its way is given up with the sender's connections. */
  close(): void {
    this.#closed = true;
    this.#settle();
  }

  #isIdle(): boolean {
    if (this.#closed) return true;
    const due_at = this.nextDue();
    return this.#busy.size === 0 && (due_at === undefined || due_at > this.#parts.business.now());
  }

  #settle(): void {
    this.onChange();
    if (this.#isIdle()) for (const resolve of this.#idle_waiters.splice(0)) resolve();
  }

  #pump(): void {
    if (this.#closed) return;
    const rows = this.#statements.due.all(this.#parts.business.now(), CLAIM_LIMIT) as Row[];
    for (const row of rows) {
      if (this.#busy.size >= CONCURRENCY) break;
      if (this.#busy.has(row.stream)) continue;
      this.#busy.add(row.stream);
      void this.#try(row).finally(() => {
        this.#busy.delete(row.stream);
        if (!this.#closed) this.wake();
        this.#settle();
      });
    }
    this.#settle();
  }

  async #try(row: Row): Promise<void> {
    const { faults, business } = this.#parts;
    const about = JSON.parse(row.about) as EmulatorSubject;
    const subject = `${about.status ?? ""} ${about.order_id ?? ""} ${about.transaction_id ?? ""}`;
    const struck = row.drawn ? [] : faults.draw(row.provider, "notification", subject);
    const has = (name: string): StruckFault | undefined => struck.find(({ fault }) => fault === name);
    const postponed = has("reorder") ?? has("delay");
    if (has("drop")) {
      this.#done(row);
      this.#note(row, row.body, struck, "dropped");
    } else if (postponed) {
      const state = postponed.fault === "reorder" ? "held" : "due";
      this.#statements.postpone.run(business.now() + postponed.ms, state, row.id);
      this.#note(row, row.body, struck, state === "held" ? "held" : "delayed");
    } else {
      await this.#send(row, about, struck);
      // Whoever was held to come after another may go now.
      this.#statements.release.run(business.now(), row.provider, row.id);
    }
  }

  async #send(row: Row, about: EmulatorSubject, struck: readonly StruckFault[]): Promise<void> {
    const { emulators, sender, pause } = this.#parts;
    const policy = emulators.get(row.provider)!.policy;
    let out: EmulatorNotification = { url: row.url, headers: JSON.parse(row.headers) as Record<string, string>, body: row.body, about };
    let copies = 1;
    let lost_answer = false;
    for (const { fault, ms } of struck) {
      if (FORGERIES.includes(fault)) out = policy.forge(out, fault as ForgeryKind);
      else if (fault === "duplicate") copies += 1;
      else if (fault === "garbage") out = { ...out, body: out.body.slice(0, Math.floor(out.body.length / 2)) };
      else if (fault === "slow") await pause(ms);
      else if (fault === "timeout-after-success") lost_answer = true;
    }
    if (struck.some(({ fault }) => fault === "reset"))
      return this.#came(row, out.body, struck, { ok: false, fault: "reset", message: "cut by the sandbox", elapsed_ms: 0 }, false);
    const results = await Promise.all(Array.from({ length: copies }, async () => sender.send(out, policy)));
    for (const [index, result] of results.entries()) this.#came(row, out.body, struck, result, lost_answer, index > 0);
  }

  #came(row: Row, body: string, struck: readonly StruckFault[], result: HttpResult, lost_answer: boolean, copy = false): void {
    if (this.#closed) return;
    const { emulators, random, business } = this.#parts;
    this.#note(row, body, struck, undefined, result, lost_answer);
    if (copy) return;
    const seen: HttpResult = lost_answer ? { ok: false, fault: "timeout", message: "the answer was lost", elapsed_ms: result.elapsed_ms } : result;
    const attempt = row.attempt + 1;
    const gap = emulators.get(row.provider)!.policy.next(attempt, seen, random);
    if (gap === undefined) this.#done(row);
    else this.#statements.retry.run(attempt, business.now() + gap, row.id);
  }

  #done(row: Row): void {
    this.#statements.done.run(row.id);
  }

  #note(row: Row, body: string, struck: readonly StruckFault[], outcome: string | undefined, result?: HttpResult, lost_answer = false): void {
    const text = outcome ?? (result?.ok ? (result.status < 300 ? "delivered" : "refused") : "failed");
    this.#parts.log.write({
      kind: "notification",
      provider: row.provider,
      method: "POST",
      url: row.url,
      ...(JSON.parse(row.about) as EmulatorSubject),
      http_status: result?.ok ? result.status : null,
      outcome: text,
      faults: struck.map(({ fault }) => fault),
      elapsed_ms: result?.elapsed_ms ?? 0,
      attempt: row.attempt + 1,
      request_body: body,
      ...(result?.ok ? { response_body: Buffer.from(result.body).toString("utf8") } : {}),
      ...(result && !result.ok ? { message: `${result.fault}: ${result.message}` } : {}),
      ...(lost_answer ? { message: "it arrived, and its answer was lost" } : {}),
    });
  }
}

function prepare(database: Database.Database) {
  return {
    insert: database.prepare("insert into outbox (provider, url, headers, body, about, stream, due_at, state) values (?, ?, ?, ?, ?, ?, ?, 'due')"),
    due: database.prepare("select * from outbox where due_at <= ? order by due_at, id limit ?"),
    nextDue: database.prepare("select min(due_at) as due_at from outbox"),
    postpone: database.prepare("update outbox set due_at = ?, state = ?, drawn = 1 where id = ?"),
    release: database.prepare("update outbox set due_at = ?, state = 'due' where provider = ? and state = 'held' and id < ?"),
    retry: database.prepare("update outbox set attempt = ?, due_at = ?, state = 'due', drawn = 0 where id = ?"),
    done: database.prepare("delete from outbox where id = ?"),
  };
}
