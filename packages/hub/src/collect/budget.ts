import { DAY_MS, type Http, type Provider } from "@lunas/domain";
import type { Selectable } from "kysely";
import type { Hub } from "../hub.ts";
import { type BudgetsTable, GroupCommit, type Store } from "../store/index.ts";
import { PRIORITY } from "../store/jobs.ts";
import type { OpenAccount } from "./accounts.ts";

/** Share of the burst that a class leaves to the more urgent ones: a poll never takes the last calls from money. */
const RESERVE_SHARE: Record<number, number> = {
  [PRIORITY.money]: 0,
  [PRIORITY.notified]: 0.1,
  [PRIORITY.buyer]: 0.2,
  [PRIORITY.poll]: 0.4,
  [PRIORITY.unverified]: 0.6,
};

type CallBudget = Provider["budget"];
type BudgetRow = Selectable<BudgetsTable>;

export type Grant = { readonly granted: true } | { readonly granted: false; readonly until: number };

/** Calls asked for in one go at most. */
const CALLS_PER_COMMIT_MAX = 256;

/** What an operation may take that sends a command and asks how it stands: with only one of the two it would come to nothing. */
export const CALLS_OF_TWO_STEPS = 2;

interface Wish {
  readonly account: OpenAccount;
  readonly priority: number;
  /** Fewer than none are given back. */
  readonly calls: number;
}

/** One per store: whoever asks while others' calls are being written down shares the next commit with all who ask then. */
const takers = new WeakMap<Store, GroupCommit<Wish, Grant>>();

function changeBudget(hub: Hub, wish: Wish): Promise<Grant> {
  let taker = takers.get(hub.store);
  if (!taker) {
    taker = new GroupCommit({ flush: (wishes) => changeBudgets(hub, wishes), max_items: CALLS_PER_COMMIT_MAX });
    takers.set(hub.store, taker);
  }
  return taker.add(wish);
}

/**
 * Takes a call from the account's budget, or several at once: a token bucket and a daily quota, kept in the database so that several hubs and a
 * restart share them. A refusal says from when on it is worth trying again. An operation that is of no use without its second call takes both before
 * it begins: where many compete, each would otherwise spend the first and find the second taken, and none would ever come to an end.
 */
export function takeCall(hub: Hub, account: OpenAccount, priority: number, calls = 1): Promise<Grant> {
  return changeBudget(hub, { account, priority, calls });
}

/**
 * The network of one operation whose first calls are granted. An operation may take several: each further one is a call of the budget as well. It
 * goes before what has not begun yet, or polls that compete would all stop half-way. Where none is left it is not sent, and the operation
 * comes to no clear answer.
 */
export class MeteredHttp {
  /** Set once a call was not sent: from then on it is worth going on. */
  waiting_until: number | undefined;
  #granted: number;
  readonly #hub: Hub;
  readonly #account: OpenAccount;
  readonly #priority: number;

  /** @param granted how many calls were taken for it. */
  constructor(hub: Hub, account: OpenAccount, priority: number, granted = 1) {
    this.#hub = hub;
    this.#account = account;
    this.#granted = granted;
    this.#priority = Math.min(priority, PRIORITY.notified);
  }

  readonly send: Http = async (request) => {
    if (!(await this.#mayCall())) return { ok: false, fault: "internal", message: "not sent: the account's call budget is used up", elapsed_ms: 0 };
    return this.#hub.http(request);
  };

  /** The operation is over: what was taken for it and not sent is there for others. */
  async giveBack(): Promise<void> {
    const unsent = this.#granted;
    if (unsent === 0) return;
    this.#granted = 0;
    await changeBudget(this.#hub, { account: this.#account, priority: PRIORITY.money, calls: -unsent });
  }

  async #mayCall(): Promise<boolean> {
    if (this.#granted > 0) {
      this.#granted -= 1;
      return true;
    }
    if (this.waiting_until !== undefined) return false;
    const grant = await takeCall(this.#hub, this.#account, this.#priority);
    if (!grant.granted) this.waiting_until = grant.until;
    return grant.granted;
  }
}

/** One read and one write for each account, however many calls are asked for: what is given back before what is taken, and the urgent ones first. */
function changeBudgets(hub: Hub, wishes: readonly Wish[]): Promise<Grant[]> {
  const now = hub.clocks.business.now();
  const byAccount = Map.groupBy(wishes, (wish) => wish.account.row.id);
  return hub.store.write(async (tx) => {
    const grants = new Map<Wish, Grant>();
    // In one order in all hubs, so that none waits for another that waits for it.
    for (const [account_id, group] of [...byAccount].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const query = tx.selectFrom("budgets").selectAll().where("account_id", "=", account_id);
      const row = await (hub.store.engine.name === "postgres" ? query.forUpdate() : query).executeTakeFirst();
      const bucket = new Bucket(group[0]!.account.provider.budget, row, now);
      const turn = (wish: Wish): number => (wish.calls < 0 ? -1 : wish.priority);
      for (const wish of group.toSorted((a, b) => turn(a) - turn(b))) {
        grants.set(wish, wish.calls < 0 ? bucket.giveBack(-wish.calls) : bucket.take(wish.priority, wish.calls));
      }
      if (!bucket.changed) continue;
      const values = { account_id, ...bucket.row() };
      await tx
        .insertInto("budgets")
        .values(values)
        .onConflict((oc) => oc.column("account_id").doUpdateSet(values))
        .execute();
    }
    return wishes.map((wish) => grants.get(wish)!);
  });
}

/** A budget as it is at one moment. */
class Bucket {
  changed = false;
  readonly #budget: CallBudget;
  readonly #now: number;
  readonly #day: number;
  #tokens_milli: number;
  #used_today: number;

  constructor(budget: CallBudget, row: BudgetRow | undefined, now: number) {
    this.#budget = budget;
    this.#now = now;
    this.#day = Math.floor(now / DAY_MS);
    const full_milli = budget.burst * 1000;
    const elapsed_ms = row ? Math.max(0, now - row.refilled_at) : 0;
    this.#tokens_milli = row ? Math.min(full_milli, row.tokens_milli + elapsed_ms * budget.per_second) : full_milli;
    this.#used_today = row && row.day === this.#day ? row.used_today : 0;
  }

  take(priority: number, calls: number): Grant {
    const { per_second, burst, per_day } = this.#budget;
    const reserve_milli = Math.floor(burst * 1000 * (RESERVE_SHARE[priority] ?? 0));
    // No budget is so small that it never allows anything: what it lends it gets back before it allows more.
    const needed_milli = Math.min(reserve_milli + calls * 1000, burst * 1000);
    if (per_day !== undefined && this.#used_today + Math.min(calls, per_day) > per_day) return { granted: false, until: (this.#day + 1) * DAY_MS };
    if (this.#tokens_milli < needed_milli) {
      return { granted: false, until: this.#now + Math.ceil((needed_milli - this.#tokens_milli) / per_second) };
    }
    this.#tokens_milli -= calls * 1000;
    this.#used_today += calls;
    this.changed = true;
    return { granted: true };
  }

  giveBack(calls: number): Grant {
    this.#tokens_milli += calls * 1000;
    // Of a call that was taken before midnight nothing is counted any more.
    this.#used_today = Math.max(0, this.#used_today - calls);
    this.changed = true;
    return { granted: true };
  }

  row(): Omit<BudgetRow, "account_id"> {
    return { tokens_milli: Math.floor(this.#tokens_milli), refilled_at: this.#now, day: this.#day, used_today: this.#used_today };
  }
}
