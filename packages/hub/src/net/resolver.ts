import { lookup, type LookupAddress } from "node:dns";

/** All addresses of a name. Rejects, with Node's DNS error codes, when it has none. */
export type Resolver = (hostname: string) => Promise<LookupAddress[]>;

const KEPT_MS = 10_000;
const FAILURE_KEPT_MS = 2_000;
const NAMES_MAX = 5_000;

interface Known {
  readonly answer: Promise<LookupAddress[]>;
  /** Infinite while the question is open. */
  until: number;
}

/**
 * The system's resolver. It has a few threads for the whole process, so a name whose servers are dead must not take more than one of them:
 * whoever asks for a name while it is being looked up waits for that answer, and answers serve for some seconds.
 * What is kept are addresses, and whoever connects judges them each time.
 * @param now milliseconds of a clock that only goes forward; replaced by tests, as is `ask`.
 */
export function systemResolver(now: () => number = () => performance.now(), ask: Resolver = askSystem): Resolver {
  const known = new Map<string, Known>();
  return (hostname) => {
    const kept = known.get(hostname);
    if (kept && kept.until > now()) return kept.answer;
    const fresh: Known = { answer: ask(hostname), until: Infinity };
    // The oldest question stands first, and goes first.
    known.delete(hostname);
    known.set(hostname, fresh);
    if (known.size > NAMES_MAX) known.delete(known.keys().next().value!);
    fresh.answer.then(
      () => (fresh.until = now() + KEPT_MS),
      () => (fresh.until = now() + FAILURE_KEPT_MS),
    );
    return fresh.answer;
  };
}

function askSystem(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true, verbatim: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}
