import { type Http, invariant } from "@lunas/domain";
import { FORMATS } from "./format.ts";
import { classify, type Classified, RESPONSE_READ_MAX } from "./outcome.ts";

const TIMEOUT_MS = 15_000;

/** What is to be sent, in values that can go to another thread. */
export interface Order {
  readonly event_id: string;
  /** The exact text of the event. */
  readonly body: string;
  readonly url: string;
  /** A name of `FORMATS`. */
  readonly format: string;
  /** One at least; each of them signs. */
  readonly secrets: readonly string[];
  /** Wall time. */
  readonly wall_ms: number;
}

/** What came of one try. */
export interface Tried extends Classified {
  readonly elapsed_ms: number;
}

/** Sends one order once. Whatever the receiver or the network does is a result. */
export type Post = (order: Order) => Promise<Tried>;

/** Signs and sends where it is called. */
export function makePost(http: Http): Post {
  return async ({ event_id, body, url, format, secrets, wall_ms }) => {
    const how = FORMATS[format];
    invariant(how, `there is no format ${format}`);
    const outgoing = how.build({ id: event_id, body }, secrets, wall_ms);
    const result = await http({
      method: "POST",
      url,
      headers: outgoing.headers,
      body: outgoing.body,
      timeout_ms: TIMEOUT_MS,
      max_bytes: RESPONSE_READ_MAX,
      truncate: true,
    });
    return { ...classify(result, wall_ms), elapsed_ms: result.elapsed_ms };
  };
}
