import { expect, test } from "vitest";
import type { PaymentRow } from "../collect/rows.ts";
import type { UnmatchedRow } from "../collect/unmatched.ts";
import { driveHub } from "../testing/drive.ts";
import { fc } from "../testing/property.ts";
import { acts, heldBy, Page, truthOf } from "../testing/gateway-history.ts";

/*
 * The property of section 6 of the design, over the hub itself: whatever becomes of the transactions of one reference, and whichever of its
 * notifications are lost, late or repeated, after the last question our money is the gateway's, and each change was told once.
 */

const RUNS = 60;

interface Told {
  readonly type: string;
  readonly subject: string;
  readonly sequence: number;
  readonly says: string;
}

interface State {
  readonly payment: PaymentRow;
  readonly held: bigint;
  readonly unmatched: readonly UnmatchedRow[];
  readonly told: readonly Told[];
}

async function stateOf(page: Page): Promise<State> {
  const payment = await page.hub.payment(page.payment.id);
  const order = await page.hub.orderRow(payment.order_id);
  return page.hub.store.read(async (db) => {
    const events = await db.selectFrom("events").select(["type", "subject_id", "sequence", "body"]).orderBy("position").execute();
    return {
      payment,
      held: order.amount_paid - order.amount_refunded - order.amount_reversed,
      unmatched: await db.selectFrom("unmatched_money").selectAll().where("payment_id", "is", null).execute(),
      told: events.map(({ type, subject_id, sequence, body }) => ({ type, subject: subject_id, sequence, says: moneyIn(type, body) })),
    };
  });
}

function moneyIn(type: string, body: string): string {
  const { data } = JSON.parse(body) as { data: Record<string, Record<string, unknown>> };
  const { status, amount_paid, amount_refunded, amount_reversed } = data["payment"] ?? data;
  return JSON.stringify([type, status, amount_paid, amount_refunded, amount_reversed]);
}

const HOLDING: readonly string[] = ["paid", "partially_refunded"];

/** What is wrong with the hub's state, seen from the gateway. */
function problems(page: Page, { payment, held, unmatched, told }: State): string[] {
  const found: string[] = [];
  const expect_ = (holds: boolean, what: string): unknown => holds || found.push(what);
  const own = page.transactions.find((one) => one.provider_id === payment.provider_id)!;
  const truth = truthOf(own);
  const gone = payment.status === "reversed" && page.paid.has(own.provider_id) && !["paid", "partially_refunded", "refunded"].includes(truth);
  expect_(gone || payment.status === truth, `the payment is ${payment.status}, its transaction is ${truth}`);
  const net = payment.collected - payment.refunded - payment.reversed;
  expect_(net === heldBy(own), `the payment holds ${net}, its transaction ${heldBy(own)}`);
  expect_(held === net, `the order holds ${held}, its payment ${net}`);
  if (payment.collected > 0n) expect_(payment.refunded === own.refunded, `${payment.refunded} refunded, the gateway says ${own.refunded}`);
  const beside = new Map(unmatched.filter((row) => HOLDING.includes(row.status)).map((row) => [row.provider_id, row.amount! - (row.refunded ?? 0n)]));
  for (const other of page.transactions.filter((one) => one !== own)) {
    const there = beside.get(other.provider_id) ?? 0n;
    expect_(there === heldBy(other), `${other.provider_id} holds ${heldBy(other)}, told as unmatched are ${there}`);
  }
  // Refunds are of the payment's own transaction: only after them another one's money stands beside it although its own is gone.
  if (net === 0n && own.refunds.length === 0) expect_(beside.size === 0, "money stands beside a payment that has none");
  expect_(!beside.has(own.provider_id), "the payment's own money is told as unmatched");
  for (const subject of new Set(told.map((one) => one.subject))) {
    const mine = told.filter((one) => one.subject === subject && one.type !== "payment.unconfirmed");
    for (const [index, one] of mine.slice(1).entries()) {
      expect_(one.says !== mine[index]!.says, `${one.says} told twice`);
      expect_(one.sequence > mine[index]!.sequence, `${one.sequence} told after ${mine[index]!.sequence}`);
    }
  }
  return found;
}

test(
  "after the last question the hub has what the gateway has, by whichever transaction it came, and each change was told once",
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (script) => {
        const hub = await driveHub();
        try {
          const page = new Page(hub, await hub.open((await hub.order()).id, "snap"));
          await page.play(script);
          await page.askToTheEnd();
          expect(problems(page, await stateOf(page))).toEqual([]);
        } finally {
          await hub.close();
        }
      }),
      { numRuns: RUNS },
    );
  },
);
