import { expect, test } from "vitest";
import { PROBLEM_CODES } from "./errors.ts";
import { EVENT_TYPES } from "./types/events.ts";

// The package imports nothing of the hub, so its lists are copies: these tests keep them equal to the hub's own.
const domain = (file: string): Promise<Record<string, object>> => import(new URL(`../../domain/src/${file}`, import.meta.url).href);

test("the client knows exactly the event types of the hub", async () => {
  expect([...EVENT_TYPES].sort()).toEqual(Object.keys((await domain("events.ts"))["EVENT_TYPES"]!).sort());
});

test("the client knows exactly the error codes of the hub", async () => {
  expect([...PROBLEM_CODES].sort()).toEqual(Object.keys((await domain("errors.ts"))["ERRORS"]!).sort());
});
