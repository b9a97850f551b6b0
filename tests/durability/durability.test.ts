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
  "a notification's 200 leaves only after its row was written to the write-ahead log and the log was synced (seen by strace)",
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
        // A page of the log, whole.
        "-s",
        "8192",
        "-o",
        trace,
        "-e",
        "trace=read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync",
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
    const gone = new Promise((resolve) => traced.once("exit", resolve));
    // strace outlives a TERM, and its KILL would leave the hub behind. So the hub is ended, by the id that its first line of the trace has: strace ends with it.
    const end = (signal: NodeJS.Signals): boolean => process.kill(Number(/^\d+/.exec(readFileSync(trace, "utf8"))?.[0] ?? traced.pid), signal);
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
      end("SIGTERM");
      expect(await gone, "the hub ends in order").toBe(0);
      const calls = readTrace(readFileSync(trace, "utf8"));
      expect(
        calls.some((call) => call.text.includes("STRACE-MARKER-1")),
        "the notification's bytes are in the trace",
      ).toBe(true);
      expect(syncBetween(calls, "STRACE-MARKER-1")).toMatchObject({ name: expect.stringMatching(/^f(data)?sync$/) });
    } finally {
      if (traced.exitCode === null && traced.signalCode === null && end("SIGKILL")) await gone;
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);

test("the judge of traces sees a missing or late sync, and one of something else", () => {
  const arrived = 'read(20<socket>, "POST … MARK …", 65536)';
  const written = 'pwrite64(9</x/lunas.db-wal>, "\\0\\1…MARK…", 4096, 24)';
  const synced = "fdatasync(9</x/lunas.db-wal>)";
  const answered = 'write(20<socket>, "HTTP/1.1 200 OK", 15)';
  const judge = (...calls: string[]) =>
    syncBetween(readTrace(calls.map((call, n) => `7 ${n}.000000 ${call} = 5 <0.000100>`).join("\n")), "MARK")?.name;
  expect(judge(arrived, written, synced, answered)).toBe("fdatasync");
  expect(judge(arrived, written, answered), "no sync").toBeUndefined();
  expect(judge(arrived, written, answered, synced), "answered before the sync").toBeUndefined();
  expect(judge(arrived, synced, written, answered), "synced before the row was written").toBeUndefined();
  expect(judge(arrived, synced, answered), "the row was never written").toBeUndefined();
  expect(judge(arrived, written.replace("MARK", "OTHER"), synced, answered), "another row was written").toBeUndefined();
  expect(judge(arrived, written, synced.replace("lunas.db-wal", "other"), answered), "another file was synced").toBeUndefined();
});
