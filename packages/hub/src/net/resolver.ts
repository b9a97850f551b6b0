import { lookup } from "node:dns";

export interface Resolved {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name. */
export type Resolver = (hostname: string) => Promise<readonly Resolved[]>;

const KEPT_MS = 10_000;
const FAILURE_KEPT_MS = 2_000;
const NAMES_MAX = 5_000;

/**
 * The system's resolver. It has a few threads for the whole process, so a name whose servers are dead must not take more than one of them:
 * whoever asks for a name while it is being looked up waits for that answer, and answers serve for some seconds.
 * What is kept are addresses, and whoever connects judges them each time.
 * @param ask is replaced by tests.
 */
export function systemResolver(now: () => number = () => performance.now(), ask: Resolver = askSystem): Resolver {
  const known = new Map<string, { readonly answer: Promise<readonly Resolved[]>; until: number }>();
  return (hostname) => {
    const kept = known.get(hostname);
    if (kept && kept.until > now()) return kept.answer;
    const entry = { answer: ask(hostname), until: Infinity };
    known.delete(hostname);
    known.set(hostname, entry);
    if (known.size > NAMES_MAX) known.delete(known.keys().next().value!);
    entry.answer.then(
      () => (entry.until = now() + KEPT_MS),
      () => (entry.until = now() + FAILURE_KEPT_MS),
    );
    return entry.answer;
  };
}

function askSystem(hostname: string): Promise<readonly Resolved[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true, verbatim: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}
