import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Stack, startStack } from "../harness/stack.ts";
import { environment, LUNAS, lunas, type Settings } from "./lunas.ts";

let stack: Stack;
let settings: Settings;
beforeAll(async () => {
  stack = await startStack();
  settings = { PORT: new URL(stack.hub.url).port, LUNAS_SANDBOX_URL: stack.sandbox.url };
});
afterAll(() => stack.stop());

interface Triggered {
  readonly payment: { readonly status: string; readonly flags: string[]; readonly order_reference: string; readonly provider_reference: string };
  readonly events: { readonly type: string; readonly id: string }[];
}
const trigger = async (...words: string[]): Promise<Triggered> => {
  const { code, out, err } = await lunas(settings, ["trigger", ...words]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out) as Triggered;
};
const types = ({ events }: Triggered): string[] => events.map(({ type }) => type);

describe("lunas trigger", () => {
  test("payment.paid makes an order, pays it at the sandbox, and waits until the hub knows", async () => {
    const done = await trigger("payment.paid");
    expect(done.payment).toMatchObject({ status: "paid", flags: [] });
    expect(types(done)).toEqual(expect.arrayContaining(["payment.pending", "payment.paid"]));
  });

  test("of an order that is there already: its open payment is paid, and however often the notification comes it is one event", async () => {
    const { body: order } = await stack.api("POST", "/v1/orders", { reference: "INV-1001", amount: 44_000 });
    const { body: payment } = await stack.api("POST", `/v1/orders/${order.id}/payments`, { method: "gopay" });
    const armed = [{ provider: "midtrans", fault: "delay", on: "notification", times: 2, match: "no such payment" }];
    await stack.control("PUT", "/faults", armed);
    const done = await trigger("payment.paid", "--reference", "INV-1001", "--duplicate", "3");
    expect(done.payment).toMatchObject({ status: "paid", order_reference: "INV-1001", provider_reference: payment.provider_reference });
    await stack.settle();
    const sent = (await stack.control("GET", `/log?kind=notification&order_id=${payment.provider_reference}`)) as { request_body?: string }[];
    expect(sent.filter((entry) => entry.request_body?.includes('"settlement"'))).toHaveLength(3);
    expect(types(done).filter((type) => type === "payment.paid")).toHaveLength(1);
    // What somebody else has armed is still armed.
    expect(await stack.control("GET", "/faults")).toMatchObject({ armed: expect.arrayContaining([expect.objectContaining(armed[0]!)]) });
    await stack.control("DELETE", "/faults");
  });

  test("--late pays after the payment has expired; payment.expired leaves it there", async () => {
    expect((await trigger("payment.expired")).payment).toMatchObject({ status: "expired" });
    const late = await trigger("payment.paid", "--late");
    expect(late.payment).toMatchObject({ status: "paid", flags: ["late"] });
    expect(types(late)).toEqual(expect.arrayContaining(["payment.expired", "payment.paid"]));
  });

  test.each([
    ["payment.flown", [], "payment.flown cannot be triggered; there are payment.paid, payment.expired"],
    ["constructor", [], "constructor cannot be triggered"],
    ["payment.paid", ["--duplicate", "many"], "a whole number from 1 to 20"],
  ])("%s %j is refused in plain words", async (event, words, told) => {
    const { code, err } = await lunas(settings, ["trigger", event, ...words]);
    expect([code, err]).toEqual([1, expect.stringContaining(told)]);
  });

  test("never in production, and says so where nobody answers", async () => {
    const production = {
      ...settings,
      LUNAS_MODE: "production",
      LUNAS_MASTER_KEY: Buffer.alloc(32, 1).toString("base64"),
      LUNAS_PUBLIC_URL: "https://x.example",
    };
    for (const command of [["trigger", "payment.paid"], ["listen"]])
      expect(await lunas(production, command)).toMatchObject({ code: 1, err: expect.stringContaining("for development only") });
    expect(await lunas({ PORT: "9" }, ["trigger", "payment.paid"])).toMatchObject({ code: 1, err: expect.stringContaining("does not answer") });
  });
});

describe("lunas listen", () => {
  let child: ChildProcessByStdio<null, Readable, null> | undefined;
  let handler: Server | undefined;
  afterEach(async () => {
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "close");
    }
    handler?.close();
    handler = undefined;
  });

  /** A developer's own handler. */
  async function handle(status: () => number): Promise<{ url: string; got: { headers: IncomingHttpHeaders; body: string }[] }> {
    const got: { headers: IncomingHttpHeaders; body: string }[] = [];
    handler = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => void (body += text));
      request.on("end", () => {
        got.push({ headers: request.headers, body });
        response.writeHead(status()).end("no");
      });
    }).listen(0, "127.0.0.1");
    await once(handler, "listening");
    return { url: `http://127.0.0.1:${(handler.address() as AddressInfo).port}/webhook`, got };
  }

  /** Starts it. @returns a way to wait for a line. */
  function start(...words: string[]): (pattern: RegExp) => Promise<RegExpExecArray> {
    const started = spawn(process.execPath, [LUNAS, "listen", ...words], { env: environment(settings), stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    const lines: string[] = [];
    const waiting = new Set<() => void>();
    createInterface({ input: started.stdout }).on("line", (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
    return (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          for (const line of lines) {
            const found = pattern.exec(line);
            if (found) {
              waiting.delete(look);
              resolve(found);
              return;
            }
          }
        };
        waiting.add(look);
        started.once("close", () => reject(new Error(`it ended:\n${lines.join("\n")}`)));
        look();
      });
  }
  const endpoints = async (): Promise<{ id: string; description: string | null }[]> =>
    ((await stack.api("GET", "/v1/endpoints")).body.data as { id: string; description: string | null }[]).filter((one) =>
      one.description?.startsWith("lunas listen"),
    );

  test("shows events, passes them on as they were signed, and is gone when it is stopped", async () => {
    const { url, got } = await handle(() => 204);
    const line = start("--forward-to", url, "--events", "payment.paid");
    const [, secret] = await line(/^endpoint end_\w+ listens; its secret is (whsec_\S+)$/);
    const { payment } = await trigger("payment.paid");
    const [, id] = await line(/payment\.paid +(evt_\w+) +204 from http/);
    expect(got).toHaveLength(1);
    // The handler verifies it with the secret that was printed.
    expect(new Webhook(secret!).verify(got[0]!.body, got[0]!.headers as Record<string, string>)).toMatchObject({
      id,
      type: "payment.paid",
      data: { payment: { provider_reference: payment.provider_reference } },
    });
    child!.kill("SIGINT");
    const [code] = (await once(child!, "close")) as [number];
    expect([code, await endpoints()]).toEqual([0, []]);
  });

  test("what the handler refuses is refused to the hub, which comes again", async () => {
    let status = 500;
    const { url, got } = await handle(() => status);
    const line = start("--forward-to", url, "--events", "payment.paid");
    await line(/listens/);
    await trigger("payment.paid");
    await line(/payment\.paid .* 500 from/);
    status = 200;
    await stack.advance(60);
    await line(/payment\.paid .* 200 from/);
    expect(new Set(got.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    handler!.closeAllConnections();
    handler!.close();
    await trigger("payment.paid");
    await line(/payment\.paid .* 502: .* does not answer/);
  });

  test("what was left over by one that was killed is taken away by the next", async () => {
    await start()(/listens/);
    child!.kill("SIGKILL");
    await once(child!, "close");
    expect((await endpoints()).map(({ description }) => description)).toEqual([`lunas listen, process ${child!.pid}`]);
    await start()(/listens/);
    expect((await endpoints()).map(({ description }) => description)).toEqual([`lunas listen, process ${child!.pid}`]);
  });

  test("takes no address that is none", async () => {
    expect(await lunas(settings, ["listen", "--forward-to", "localhost"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("is not a URL such as"),
    });
  });
});
