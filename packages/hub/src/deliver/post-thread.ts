// The thread of `RushPost`: it signs and sends what comes in, and tells what came of it, as much as has come together in one turn of its loop.
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "@lunas/domain";
import { guardedHttp } from "../net/http.ts";
import { makePost, type Order, type Tried } from "./post.ts";

export interface ThreadData {
  /** CIDR ranges that are open although the guard forbids them. */
  readonly allow: readonly string[];
}

/** An order with the number that its result carries. */
export type Numbered = readonly [number: number, order: Order];
export type Told = readonly [number: number, tried: Tried];

invariant(parentPort, "this file is the main module of a thread");
const port = parentPort;
const http = guardedHttp({ allow: (workerData as ThreadData).allow });
const post = makePost(http);
let told: Told[] = [];

function tell(number: number, tried: Tried): void {
  if (told.length === 0)
    setImmediate(() => {
      port.postMessage(told);
      told = [];
    });
  told.push([number, tried]);
}

port.on("message", (orders: readonly Numbered[]) => {
  for (const [number, order] of orders) {
    // Nothing is thrown but by a mistake of ours: that ends the thread, and the other side hears of it.
    void post(order).then((tried) => tell(number, tried));
  }
});
port.postMessage("ready");
