import { expect, test } from "vitest";
import { type Answer, basePath, createApi } from "./api.ts";
import { sampleState } from "./sample.test-data.ts";

function answering(status: number, body: string): { ask: (call: "state" | "open" | "refresh") => Promise<Answer>; seen: Request[] } {
  const seen: Request[] = [];
  const api = createApi("/pay/t", (input, init) => {
    seen.push(new Request(new URL(input as string, "http://hub"), init));
    return Promise.resolve(new Response(body, { status }));
  });
  return { seen, ask: (call) => (call === "open" ? api.open("gopay", "midtrans") : api[call]()) };
}

test("opening posts the method and its account and reads the state", async () => {
  const { ask, seen } = answering(201, JSON.stringify(sampleState()));
  expect(await ask("open")).toEqual({ kind: "state", state: sampleState() });
  expect(seen[0]).toMatchObject({ method: "POST", url: "http://hub/pay/t/payments" });
  expect(await seen[0]?.json()).toEqual({ method: "gopay", account: "midtrans" });
});

test("a refusal keeps its code and request id", async () => {
  const { ask } = answering(422, JSON.stringify({ code: "gateway_refused", request_id: "req_1", title: "x" }));
  expect(await ask("open")).toEqual({ kind: "problem", code: "gateway_refused", request_id: "req_1" });
});

test.each([404, 410])("HTTP %d means that the link is unknown", async (status) => {
  expect(await answering(status, "{}").ask("state")).toEqual({ kind: "missing" });
});

test.each([
  ["a proxy's own error page", 502, "<html>Bad gateway</html>"],
  ["an error without our code", 500, "{}"],
  ["a success that is no state", 200, '{"ok":true}'],
  ["an empty success", 200, ""],
  ["a state whose time cannot be read", 200, JSON.stringify({ ...sampleState(), server_time: "soon" })],
])("%s counts as not reached", async (_what, status, body) => {
  expect(await answering(status, body).ask("state")).toEqual({ kind: "unreachable" });
});

test("a dropped connection counts as not reached and never throws", async () => {
  const api = createApi("/pay/t", () => Promise.reject(new TypeError("failed to fetch")));
  expect(await api.refresh()).toEqual({ kind: "unreachable" });
});

test("the page's own path is found under a trailing slash too, and nowhere else", () => {
  expect(basePath("/pay/abc")).toBe("/pay/abc");
  expect(basePath("/pay/abc/")).toBe("/pay/abc");
  expect(basePath("/pay/")).toBeUndefined();
  expect(basePath("/elsewhere/pay/abc")).toBeUndefined();
});
