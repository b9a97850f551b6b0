import type { ServerResponse } from "node:http";
import { LunasError } from "@lunas/domain";
import type { Hub } from "../../hub.ts";

/** Streams of one page's token, and of the whole process. A browser keeps six connections to a server. */
const STREAMS_PER_PAGE_MAX = 6;
const STREAMS_MAX = 5_000;
/** Another hub on the same database may have written: what is shown is read again this often. */
const REREAD_MS = 5_000;
const PING_MS = 15_000;
/** A reader that lets so much pile up is cut; it comes back by itself. */
const UNREAD_BYTES_MAX = 256 * 1024;

interface Page {
  readonly streams: Set<ServerResponse>;
  readonly read: () => Promise<object | undefined>;
  shown: string;
  reading: boolean;
  again: boolean;
  reread: NodeJS.Timeout;
  ping: NodeJS.Timeout;
}

/** Live pages: each open stream gets the state at once and after each change of its order. All streams of a page share one reading. */
export class LivePages {
  #hub: Pick<Hub, "signals" | "log">;
  #pages = new Map<string, Page>();
  #count = 0;
  #off: () => void;

  constructor(hub: Pick<Hub, "signals" | "log">) {
    this.#hub = hub;
    this.#off = hub.signals.on("order", (signal) => {
      if (signal.kind === "order") void this.#update(signal.order_id);
    });
  }

  /** @throws LunasError rate_limited when there are too many already. */
  refuseIfFull(order_id: string): void {
    const page = this.#pages.get(order_id);
    if (this.#count >= STREAMS_MAX || (page?.streams.size ?? 0) >= STREAMS_PER_PAGE_MAX) {
      throw new LunasError("rate_limited", { detail: "This page is open too many times.", retry_after_s: 10 });
    }
  }

  /** @param read gives the state to show; what differs only in `server_time` is no change. */
  open(order_id: string, response: ServerResponse, read: () => Promise<object | undefined>): void {
    // Gone before it began: its `close` has passed.
    if (response.closed || response.destroyed) return;
    let page = this.#pages.get(order_id);
    if (!page) {
      const reread = setInterval(() => void this.#update(order_id), REREAD_MS);
      const ping = setInterval(() => this.#write(order_id, ": ping\n\n"), PING_MS);
      this.#pages.set(order_id, (page = { streams: new Set(), read, shown: "", reading: false, again: false, reread, ping }));
    }
    page.streams.add(response);
    this.#count += 1;
    response.on("close", () => this.#leave(order_id, response));
    response.on("error", () => response.destroy());
    // The newcomer has seen nothing yet: everybody gets the state once more.
    page.shown = "";
    void this.#update(order_id);
  }

  #leave(order_id: string, response: ServerResponse): void {
    const page = this.#pages.get(order_id);
    if (!page?.streams.delete(response)) return;
    this.#count -= 1;
    if (page.streams.size > 0) return;
    clearInterval(page.reread);
    clearInterval(page.ping);
    this.#pages.delete(order_id);
  }

  async #update(order_id: string): Promise<void> {
    const page = this.#pages.get(order_id);
    if (!page) return;
    page.again = true;
    if (page.reading) return;
    page.reading = true;
    try {
      while (page.again) {
        page.again = false;
        const state = await page.read();
        if (!state) return;
        const seen = JSON.stringify({ ...state, server_time: null });
        if (seen === page.shown) continue;
        page.shown = seen;
        this.#write(order_id, `event: state\ndata: ${JSON.stringify(state)}\n\n`);
      }
    } catch (error) {
      this.#hub.log.warn({ err: error }, "a live page could not be read; it is read again");
    } finally {
      page.reading = false;
    }
  }

  #write(order_id: string, text: string): void {
    for (const response of this.#pages.get(order_id)?.streams ?? []) {
      if (response.writableLength > UNREAD_BYTES_MAX) response.destroy();
      else response.write(text);
    }
  }

  /** Ends every stream, so that a stopping hub does not wait for its readers. */
  close(): void {
    this.#off();
    for (const page of this.#pages.values()) for (const response of page.streams) response.end();
  }
}
