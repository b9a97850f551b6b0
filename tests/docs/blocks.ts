import {
  AFTER_PAID_POLLS_MS,
  DAY_MS,
  DELIVERY_GAPS_MS,
  deliveryMachine,
  EVENT_TYPES,
  HOUR_MS,
  type Machine,
  MINUTE_MS,
  PAYMENT_POLLS,
  paymentMachine,
  REFUND_GAPS_MS,
  refundMachine,
  SECOND_MS,
  UNCONFIRMED_GAPS_MS,
} from "../../packages/domain/src/index.ts";
import { SETTINGS } from "../../packages/hub/src/config.ts";
import { METHODS } from "../../packages/providers/midtrans/methods.ts";

/**
 * The parts of the documentation that are made from the code. A page marks where one stands:
 *
 *     <!-- generated: payment-states -->
 *     …
 *     <!-- /generated -->
 *
 * `node scripts/generate-docs.ts` writes them; a test fails where a page and the code differ.
 */
export const BLOCKS: Readonly<Record<string, () => string>> = {
  "payment-states": () => machineTable(paymentMachine),
  "refund-states": () => machineTable(refundMachine),
  "delivery-states": () => machineTable(deliveryMachine),
  "payment-methods": methodTable,
  "payment-polls": pollTable,
  "delivery-schedule": deliveryTable,
  "event-types": () =>
    table(
      ["type", "what happened"],
      Object.entries(EVENT_TYPES).map(([type, help]) => [`\`${type}\``, help]),
    ),
  settings: settingTable,
};

const MARKED = /(<!-- generated: ([a-z-]+) -->\n)([\s\S]*?)(<!-- \/generated -->)/g;

/** A page with each marked part as the code has it now. @throws Error where a mark names no block. */
export function renderPage(text: string): string {
  return text.replaceAll(MARKED, (_all, open: string, name: string, _old: string, close: string) => {
    const block = BLOCKS[name];
    if (!block) throw new Error(`there is no generated block ${name}; there are ${Object.keys(BLOCKS).join(", ")}`);
    return `${open}\n${block()}\n\n${close}`;
  });
}

/** The names of the blocks that a page holds. */
export function blocksOf(text: string): string[] {
  return [...text.matchAll(MARKED)].map((match) => match[2] ?? "");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]): string => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [cells(head), cells(head.map(() => "---")), ...rows.map(cells)].join("\n");
}

/** A row for each state, a column for each input. */
function machineTable<S extends string, I extends string>(machine: Machine<S, I>): string {
  const cell = (word: S | "same" | "stale"): string => (word === "same" ? "=" : word === "stale" ? "·" : word);
  const name = (state: S): string => (machine.settled.includes(state) ? `**${state}** (settled)` : `**${state}**`);
  return table(
    ["", ...machine.inputs.map((input) => `\`${input}\``)],
    machine.states.map((state) => [name(state), ...machine.inputs.map((input) => cell(machine.table[state][input]))]),
  );
}

/** `5 s`, `2 min`, `10 h`, `3 days`: the largest unit that leaves no rest. */
export function duration(ms: number): string {
  if (ms === 0) return "0";
  if (ms >= 2 * DAY_MS && ms % DAY_MS === 0) return `${ms / DAY_MS} days`;
  if (ms % HOUR_MS === 0) return `${ms / HOUR_MS} h`;
  if (ms % MINUTE_MS === 0) return `${ms / MINUTE_MS} min`;
  return `${ms / SECOND_MS} s`;
}

function list(values: readonly number[]): string {
  return values.map(duration).join(", ");
}

const REFUND_WORDS: Readonly<Record<string, string>> = { full_and_partial: "full and partial", full: "full only", none: "none: by hand" };

function methodTable(): string {
  const rows = Object.entries(METHODS).map(([name, { capability }]) => {
    const window = capability.refund_window_days === undefined ? "" : `, ${capability.refund_window_days} days`;
    const { min, max, default: usual } = capability.expiry_s;
    const expiry = `${duration(usual * SECOND_MS)} (${duration(min * SECOND_MS)} to ${duration(max * SECOND_MS)})`;
    return [`\`${name}\``, capability.label.en, capability.kind, expiry, `${REFUND_WORDS[capability.refund]}${window}`, capability.polls];
  });
  return table(["method", "what the buyer sees", "kind", "open for", "refund", "polls"], rows);
}

function pollTable(): string {
  const { wallet, va } = PAYMENT_POLLS;
  const after = (ms: readonly number[]): string => list(ms).replace(/^0\b/, "at expiry");
  return table(
    ["about", "asked", "counted from"],
    [
      ["an open payment, polls `wallet`", list(wallet.open_ms), "its opening"],
      ["the same, at its end", after(wallet.after_expiry_ms), "its expiry"],
      ["an open payment, polls `va`", list(va.open_ms), "its opening"],
      ["the same, at its end", after(va.after_expiry_ms), "its expiry"],
      ["a paid payment", list(AFTER_PAID_POLLS_MS), "the moment it was paid"],
      ["a notification that says more than the answer", `${list(UNCONFIRMED_GAPS_MS)}, then flagged \`unconfirmed\``, "the question before"],
      ["a refund without a final answer", `${refundGaps()}, then a person`, "the question before"],
    ],
  );
}

/** The run of equal gaps at the end, told as a run. */
function refundGaps(): string {
  const last = REFUND_GAPS_MS.at(-1);
  const run = REFUND_GAPS_MS.length - (REFUND_GAPS_MS.findLastIndex((gap) => gap !== last) + 1);
  const first = REFUND_GAPS_MS.slice(0, REFUND_GAPS_MS.length - run);
  return `${list(first)}, ${run} times ${duration(last ?? 0)}`;
}

function deliveryTable(): string {
  let since = 0;
  const rows = DELIVERY_GAPS_MS.map((gap, index) => {
    since += gap;
    return [String(index + 1), index === 0 ? "at once" : duration(gap), index === 0 ? "0" : age(since)];
  });
  return table(["attempt", "after the one before", "after the first, about"], rows);
}

function age(ms: number): string {
  if (ms < MINUTE_MS) return `${ms / SECOND_MS} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  return `${(ms / HOUR_MS).toFixed(1)} h`;
}

function settingTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, setting]) => {
    const fallback = setting.default === undefined || setting.default === "" ? "–" : `\`${setting.default}\``;
    return [`\`${name}\``, fallback, "secret" in setting && setting.secret ? "yes" : "", setting.help];
  });
  return table(["variable", "default", "secret", ""], rows);
}
