/** How often the hub is asked while the stream is down, and as a safety net while it is up (a proxy may swallow it silently). */
export const POLL_MS = 3_000;
export const SAFETY_POLL_MS = 30_000;
/** A browser reopens a dropped stream by itself, but not one that was refused. */
export const REOPEN_MS = 15_000;

export interface StreamEvents {
  opened(): void;
  /** The data of one `state` event. */
  state(data: string): void;
  /** `closed`: the browser will not try again by itself. */
  broken(closed: boolean): void;
}

/** What following needs of the world. */
export interface FollowWorld {
  openStream(events: StreamEvents): () => void;
  /** Asks for the state and makes use of the answer; resolves in any case. */
  ask(): Promise<void>;
  received(data: string): void;
  /** Calls back later; the result takes it back. */
  after(ms: number, call: () => void): () => void;
}

export interface Following {
  /** Asks now. */
  nudge(): void;
  stop(): void;
}

/** Follows the state: by the stream while it lives, by asking every 3 s while it does not. */
export function follow(world: FollowWorld): Following {
  let stopped = false;
  let streaming = false;
  let asking = false;
  let closeStream = (): void => {};
  let cancelPoll = (): void => {};
  let cancelReopen = (): void => {};

  const arm = (): void => {
    cancelPoll();
    if (!stopped) cancelPoll = world.after(streaming ? SAFETY_POLL_MS : POLL_MS, poll);
  };
  const poll = (): void => {
    if (stopped || asking) return;
    asking = true;
    cancelPoll();
    void world.ask().finally(() => {
      asking = false;
      arm();
    });
  };
  const connect = (): void => {
    if (stopped) return;
    closeStream = world.openStream({
      opened: () => {
        streaming = true;
        // What changed before the stream was up is not told by it.
        poll();
      },
      state: (data) => {
        if (!stopped) world.received(data);
      },
      broken: (closed) => {
        const was = streaming;
        streaming = false;
        if (closed && !stopped) {
          closeStream();
          cancelReopen();
          cancelReopen = world.after(REOPEN_MS, connect);
        }
        if (was) poll();
      },
    });
  };

  poll();
  connect();
  return {
    nudge: poll,
    stop: () => {
      stopped = true;
      closeStream();
      cancelPoll();
      cancelReopen();
    },
  };
}

/** The browser's EventSource in the words of `follow`. */
export function openEventSource(url: string, events: StreamEvents): () => void {
  const source = new EventSource(url);
  source.addEventListener("open", () => events.opened());
  source.addEventListener("state", (event) => events.state((event as MessageEvent<string>).data));
  source.addEventListener("error", () => events.broken(source.readyState === EventSource.CLOSED));
  return () => source.close();
}
