import type { Bench } from "../lib/bench.ts";
import type { Result } from "../lib/result.ts";
import { apply } from "./apply.ts";
import { deliver } from "./deliver.ts";
import { flat } from "./flat.ts";
import { ingest } from "./ingest.ts";
import { memory } from "./memory.ts";
import { open } from "./open.ts";
import { start } from "./start.ts";

/** Every measure by its name, in the order of the report. */
export const MEASURES: Readonly<Record<string, (bench: Bench) => Promise<Result[]>>> = { ingest, apply, deliver, open, flat, start, memory };
