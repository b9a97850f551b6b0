import { createServer } from "node:net";

// What a test needs to know of a development hub without starting one: nothing here has to be built first.

export const API_KEY = "sk_test_lunas_dev";
export const WEBHOOK_SECRET = "whsec_bHVuYXMtZGVtby1zaG9wLWVuZHBvaW50LXNlY3JldA==";

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
