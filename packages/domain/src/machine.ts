import { invariant } from "./invariant.ts";

/**
 * A state machine as a table: for every state and every input, the decision.
 * A decision is a state to go to, `same` (nothing new), or `stale` (an older or impossible word: keep it, change nothing, ask again).
 */
export type Decision<State extends string> = { readonly to: State } | "same" | "stale";

export interface Machine<State extends string, Input extends string> {
  readonly name: string;
  readonly initial: State;
  readonly states: readonly State[];
  readonly inputs: readonly Input[];
  /** States from which nothing more is expected. Late facts may still move them. */
  readonly settled: readonly State[];
  readonly table: { readonly [S in State]: { readonly [I in Input]: State | "same" | "stale" } };
}

export function decide<S extends string, I extends string>(machine: Machine<S, I>, from: S, input: I): Decision<S> {
  const word = machine.table[from]?.[input];
  invariant(word !== undefined, `${machine.name}: no decision for ${from} on ${input}`);
  if (word === "same" || word === "stale") return word as "same" | "stale";
  return { to: word as S };
}

/** Walks the table and tells what is wrong with it: undecided pairs, unknown and unreachable states. Empty when sound. */
export function walkMachine<S extends string, I extends string>(machine: Machine<S, I>): string[] {
  const problems: string[] = [];
  const known = new Set<string>(machine.states);
  const reached = new Set<S>([machine.initial]);
  const queue: S[] = [machine.initial];
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    for (const input of machine.inputs) {
      const word: S | "same" | "stale" | undefined = machine.table[state]?.[input];
      if (word === undefined) problems.push(`${machine.name}: ${state} on ${input} is not decided`);
      else if (word !== "same" && word !== "stale") {
        const next: S = word;
        if (!known.has(next)) problems.push(`${machine.name}: ${state} on ${input} goes to the unknown state ${word}`);
        else if (next === state) problems.push(`${machine.name}: ${state} on ${input} goes to itself; say "same"`);
        else if (!reached.has(next)) {
          reached.add(next);
          queue.push(next);
        }
      }
    }
    const extra = Object.keys(machine.table[state] ?? {}).filter((key) => !(machine.inputs as readonly string[]).includes(key));
    for (const key of extra) problems.push(`${machine.name}: ${state} decides the unknown input ${key}`);
  }
  for (const state of machine.states) if (!reached.has(state)) problems.push(`${machine.name}: ${state} is never reached`);
  for (const state of machine.settled) if (!known.has(state)) problems.push(`${machine.name}: settled state ${state} is unknown`);
  return problems;
}
