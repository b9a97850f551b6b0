export type { ClockReading } from "./business-clock.ts";
export { FAULTS, faultListSchema } from "./faults.ts";
export type { FaultName, FaultRule } from "./faults.ts";
export type { LogEntry } from "./log.ts";
export { startSandbox } from "./start.ts";
export type { Sandbox, SandboxOptions } from "./start.ts";
