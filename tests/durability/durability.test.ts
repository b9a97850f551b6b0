import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../harness/stack.ts";
import { readTrace, syncBetween } from "./strace.ts";

const LUNAS = join(import.meta.dirname, "../../packages/hub/src/cli/lunas.ts");
const SERVER_KEY = "SB-Mid-server-lunas-sandbox";

function notification(order_id: string): string {
  const signature_key = createHash("sha512").update(`${order_id}20044000.00${SERVER_KEY}`).digest("hex");
  return JSON.stringify({
    order_id,
    status_code: "200",
    gross_amount: "44000.00",
    signature_key,
    transaction_status: "settlement",
    transaction_id: `tx-${order_id}`,
    payment_type: "gopay",
    currency: "IDR",
    fraud_status: "accept",
    merchant_id: "G000000001",
  });
}

const found = spawnSync("strace", ["-V"]).status === 0;

test.skipIf(!found && process.env["CI"] !== "true")(
  "a notification's 200 leaves only after a completed sync of the write-ahead log (seen by strace)",
  async () => {
    expect(found, "strace is installed").toBe(true);
    const folder = mkdtempSync(join(tmpdir(), "lunas-strace-"));
    const [port, nobody] = [await freePort(), await freePort()];
    const trace = join(folder, "trace");
    const traced = spawn(
      "strace",
      [
        "-f",
        "-ttt",
        "-T",
        "-y",
        "-s",
        "2000",
        "-o",
        trace,
        "-e",
        "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fsync,fdatasync",
        process.execPath,
        LUNAS,
        "serve",
      ],
      {
        env: {
          ...process.env,
          PORT: String(port),
          SANDBOX_PORT: String(nobody),
          SHOP_PORT: String(nobody),
          LUNAS_DATABASE_URL: `sqlite:${join(folder, "lunas.db")}`,
          LUNAS_LOG_LEVEL: "silent",
        },
        stdio: "ignore",
      },
    );
    try {
      const url = `http://127.0.0.1:${port}`;
      const isUp = async (): Promise<boolean> => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok === true;
      for (let tries = 0; tries < 600 && !(await isUp()); tries += 1) {
        // timer: another process is waited for, and it has no other event to give
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const answer = await fetch(`${url}/callbacks/midtrans`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: notification("STRACE-MARKER-1"),
      });
      expect(answer.status).toBe(200);
      const gone = new Promise((resolve) => traced.once("exit", resolve));
      traced.kill("SIGTERM");
      spawnSync("pkill", ["-TERM", "-P", String(traced.pid)]);
      await gone;
      const calls = readTrace(readFileSync(trace, "utf8"));
      expect(
        calls.some((call) => call.text.includes("STRACE-MARKER-1")),
        "the notification's bytes are in the trace",
      ).toBe(true);
      expect(syncBetween(calls, "STRACE-MARKER-1")).toMatchObject({ name: expect.stringMatching(/^f(data)?sync$/) });
    } finally {
      traced.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);

test("the judge of traces sees a missing or late sync", () => {
  const at = (n: number, call: string): string => `7 ${n}.000000 ${call} = 5 <0.000100>`;
  const lines = [
    at(1, 'read(20<socket>, "POST … MARK …", 65536)'),
    at(2, "fdatasync(9</x/lunas.db-wal>)"),
    at(3, 'write(20<socket>, "HTTP/1.1 200 OK", 15)'),
  ];
  expect(syncBetween(readTrace(lines.join("\n")), "MARK")).toBeDefined();
  expect(syncBetween(readTrace([lines[0], lines[2]].join("\n")), "MARK")).toBeUndefined();
  expect(syncBetween(readTrace([lines[0], lines[2], at(4, "fdatasync(9</x/lunas.db-wal>)")].join("\n")), "MARK")).toBeUndefined();
  expect(syncBetween(readTrace([lines[0], at(2, "fdatasync(9</x/other>)"), lines[2]].join("\n")), "MARK")).toBeUndefined();
});
