import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { freshDatabase, type Joining, launchPostgres, SHARED_POSTGRES, startPostgres } from "./postgres.ts";

test("the server is a real PostgreSQL 18, and every fresh database is empty and its own", async () => {
  const server = await startPostgres();
  const [version] = await server.query("SHOW server_version");
  expect(version!["server_version"]).toMatch(/^18\./);
  const names = [await freshDatabase(), await freshDatabase()].map((url) => new URL(url).pathname.slice(1));
  expect(names[0]).not.toBe(names[1]);
  await server.query("CREATE TABLE mine (id int)", names[0]);
  await expect(server.query("SELECT * FROM mine", names[1])).rejects.toThrow(/does not exist/);
});

test("all files of a test run share one server, which none of them can stop", async () => {
  expect(process.env[SHARED_POSTGRES]).toMatch(/^http:/);
  const server = await startPostgres();
  const joined = (await (await fetch(process.env[SHARED_POSTGRES]!)).json()) as Joining;
  expect(joined).toEqual({ port: server.port, pid: server.pid, password: server.password });
  await expect(server.stop()).rejects.toThrow(/not stopped by one of its tests/);
});

test("a stopped server leaves neither a process nor a file", async () => {
  const server = await launchPostgres();
  const [row] = await server.query("SHOW data_directory");
  expect(existsSync(String(row!["data_directory"]))).toBe(true);
  await server.stop();
  expect(existsSync(String(row!["data_directory"]))).toBe(false);
  expect(() => process.kill(server.pid, 0)).toThrow(/ESRCH/);
});

test("a server with a setting it does not know fails the test that wanted it, with the server's own words", async () => {
  await expect(launchPostgres({ settings: { no_such_setting: "on" } })).rejects.toThrow(/no_such_setting/);
});

test("the server dies with the process that started it, even by SIGKILL", async () => {
  const harness = fileURLToPath(new URL("postgres.ts", import.meta.url));
  const program = `const { startPostgres } = await import(${JSON.stringify(harness)}); const s = await startPostgres(); console.log(s.pid); setInterval(() => {}, 1e6);`;
  // A process that no test run lends its server to.
  const env = { ...process.env, [SHARED_POSTGRES]: undefined };
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  expect(() => process.kill(pid, 0)).not.toThrow();
  child.kill("SIGKILL");
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
