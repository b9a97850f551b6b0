import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { launchPostgres, type PostgresServer, SHARED_POSTGRES } from "./postgres.ts";

/**
 * One PostgreSQL for a whole test run: making a cluster takes seconds, and two dozen files want one. It is started when the first of them
 * asks, so that a run without it does not wait. Each test takes a database of its own.
 * @returns what ends it.
 */
export default async function sharedPostgres(): Promise<() => Promise<void>> {
  let launched: Promise<PostgresServer> | undefined;
  const desk = createServer((_request, response) => {
    launched ??= launchPostgres();
    launched.then(
      ({ port, pid, password }) => response.setHeader("content-type", "application/json").end(JSON.stringify({ port, pid, password })),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => desk.listen(0, "127.0.0.1", resolve));
  process.env[SHARED_POSTGRES] = `http://127.0.0.1:${(desk.address() as AddressInfo).port}`;
  return async () => {
    desk.close();
    await launched?.then(
      (server) => server.stop(),
      () => {},
    );
  };
}
