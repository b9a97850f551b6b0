import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Worker } from "node:worker_threads";
import { Webhook as Reference } from "standardwebhooks";
import { describe, expect, onTestFinished, test } from "vitest";
import { guardedHttp } from "../net/http.ts";
import { makePost, type Order, type Post } from "./post.ts";
import { RUSH, RushPost, type RushPostOptions, startThread } from "./rush-post.ts";
import { type Received, receiver, SECRET, webhookId } from "./testing/stage.ts";

const ALLOW = ["127.0.0.0/8"];

function order(url: string, event_id = "evt_1"): Order {
  return { event_id, body: `{"id":"${event_id}","note":"é"}`, url, format: "standard", secrets: [SECRET], wall_ms: Date.now() };
}

interface Rush {
  readonly poster: RushPost;
  /** The threads that were made. */
  readonly threads: Worker[];
  /** Ids of what was sent without a thread. */
  readonly inline: string[];
  readonly lost: Error[];
  /** Keeps so many under way that whatever comes is part of a rush, until it is called again; resolves when the thread is there. */
  hold(): Promise<() => Promise<unknown>>;
}

function makeRush(more: Partial<RushPostOptions> = {}): Rush {
  const [threads, inline, lost]: [Worker[], string[], Error[]] = [[], [], []];
  const http = guardedHttp({ allow: ALLOW });
  const here = makePost(http);
  const poster = new RushPost({
    allow: ALLOW,
    lost: (error) => lost.push(error),
    makeThread: (data) => {
      const thread = startThread(data);
      threads.push(thread);
      return thread;
    },
    ...more,
    inline: (one) => {
      inline.push(one.event_id);
      return here(one);
    },
  });
  onTestFinished(async () => {
    await poster.close();
    await http.close();
  });
  const hold = async (): Promise<() => Promise<unknown>> => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { url } = await receiver(() => promise);
    const held = Array.from({ length: RUSH }, (_, n) => poster.post(order(url, `evt_held_${n}`)));
    await once(threads.at(-1)!, "message");
    return () => {
      resolve(204);
      return Promise.all(held);
    };
  };
  return { poster, threads, inline, lost, hold };
}

describe("sending where it is called and from the thread", () => {
  /** Answers by path: `/500`, `/429`, … and more than is kept at `/long`. */
  async function shop(): Promise<string> {
    const server: Server = createServer((request, response) => {
      request.resume();
      if (request.url === "/long") return void response.end("x".repeat(100_000));
      if (request.url === "/429") return void response.writeHead(429, { "retry-after": "120" }).end("slower\0");
      if (request.url === "/cut") return void request.socket.destroy();
      response.writeHead(Number(request.url!.slice(1))).end("diterima");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close(), 0);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("comes to the same, whatever the receiver does, and also where the guard forbids it", async () => {
    const url = await shop();
    const { poster, inline, hold } = makeRush();
    const release = await hold();
    const urls = [...["/200", "/204", "/410", "/500", "/429", "/long", "/cut"].map((path) => url + path), "http://10.1.2.3/", "http://127.0.0.1:1/"];
    const results = async (post: Post): Promise<unknown[]> => {
      const all = await Promise.all(urls.map((one) => post(order(one))));
      return all.map(({ elapsed_ms, ...rest }) => ({ ...rest, measured: elapsed_ms >= 0 }));
    };
    const here = await results(makePost(guardedHttp({ allow: ALLOW })));
    const there = await results(poster.post);
    expect(there).toEqual(here);
    expect(there.map((one) => (one as { verdict: string }).verdict)).toEqual([
      "delivered",
      "delivered",
      "gone",
      "retry",
      "retry",
      "delivered",
      "retry",
      "retry",
      "retry",
    ]);
    expect((there as { fault: string | null }[]).map((one) => one.fault)).toEqual([
      null,
      null,
      "http",
      "http",
      "http",
      null,
      "connect",
      "blocked",
      "connect",
    ]);
    expect(inline).toHaveLength(RUSH);
    await release();
  });

  test("carries the exact text under a signature that the reference library verifies", async () => {
    const { url, received } = await receiver(() => 204);
    const { poster, hold } = makeRush();
    const release = await hold();
    const sent = Array.from({ length: 300 }, (_, n) => order(url, `evt_${n}`));
    const tried = await Promise.all(sent.map((one) => poster.post(one)));
    expect(tried.every((one) => one.verdict === "delivered" && one.status === 204)).toBe(true);
    const bodies = (all: readonly Received[]): string[] => all.map((one) => one.body.toString()).sort();
    expect(bodies(received)).toEqual(sent.map((one) => one.body).sort());
    for (const one of received) expect(() => new Reference(SECRET).verify(one.body.toString(), one.headers)).not.toThrow();
    await release();
  });
});

describe("the thread", () => {
  test("is not made for a few, made once for many, and does all the work while it is a rush", async () => {
    const { url } = await receiver(() => 204);
    const { poster, threads, inline, hold } = makeRush();
    for (let n = 0; n < 3; n += 1) await Promise.all(Array.from({ length: RUSH - 1 }, () => poster.post(order(url))));
    expect(threads).toHaveLength(0);
    const release = await hold();
    const before = inline.length;
    await Promise.all(Array.from({ length: 200 }, () => poster.post(order(url))));
    expect(inline).toHaveLength(before);
    expect(threads).toHaveLength(1);
    await release();
    await poster.post(order(url));
    expect(inline).toHaveLength(before + 1);
  });

  test("that dies takes nothing with it, and no endpoint is blamed: what it had under way is sent again under the same id, what comes is sent without it", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { url, received } = await receiver(() => promise);
    const { poster, threads, inline, lost, hold } = makeRush();
    const release = await hold();
    const under_way = ["evt_1", "evt_2", "evt_3"].map((id) => poster.post(order(url, id)));
    while (received.length < 3) await new Promise((next) => setImmediate(next));
    await threads[0]!.terminate();
    expect(lost).toHaveLength(1);
    resolve(204);
    for (const tried of await Promise.all(under_way)) expect(tried).toMatchObject({ verdict: "delivered", status: 204 });
    expect(received.map(webhookId).sort((a, b) => a.localeCompare(b))).toEqual(["evt_1", "evt_1", "evt_2", "evt_2", "evt_3", "evt_3"]);
    const before = inline.length;
    expect(await poster.post(order(url))).toMatchObject({ verdict: "delivered" });
    expect(inline).toHaveLength(before + 1);
    expect(threads).toHaveLength(1);
    await release();
  });

  test("is let go when there is nothing to do, and made again for the next rush", async () => {
    const { threads, hold, lost } = makeRush({ quiet_ms: 1 });
    for (const made of [1, 2]) {
      const release = await hold();
      const gone = once(threads.at(-1)!, "exit");
      await release();
      await gone;
      expect(threads).toHaveLength(made);
    }
    expect(lost).toEqual([]);
  });
});
