export type EngineName = "sqlite" | "postgres";

/** One line of the report. `ratio` is ours over the baseline's, measured in the same run; null where there is nothing to compare with. */
export interface Result {
  readonly name: string;
  readonly engine: EngineName;
  readonly unit: "1/s" | "ms" | "MB";
  readonly value: number;
  readonly baseline: number | null;
  readonly ratio: number | null;
}

/** What a line is held to: its ratio, or its value, must be at least or at most this. */
interface Target {
  readonly of: "ratio" | "value";
  readonly at: "least" | "most";
  readonly limit: Readonly<Record<EngineName, number>>;
}

export const TARGETS: Readonly<Record<string, Target>> = {
  ingest: { of: "ratio", at: "least", limit: { sqlite: 0.4, postgres: 0.25 } },
  "ingest.p99_half_load": { of: "value", at: "most", limit: { sqlite: 20, postgres: 20 } },
  deliver: { of: "ratio", at: "least", limit: { sqlite: 0.4, postgres: 0.4 } },
  "deliver.p99_one_hangs": { of: "ratio", at: "most", limit: { sqlite: 1.5, postgres: 1.5 } },
  "flat.ingest": { of: "ratio", at: "least", limit: { sqlite: 0.8, postgres: 0.8 } },
  "flat.status": { of: "ratio", at: "least", limit: { sqlite: 0.8, postgres: 0.8 } },
};

export function result(name: string, engine: EngineName, unit: Result["unit"], value: number, baseline: number | null = null): Result {
  return {
    name,
    engine,
    unit,
    value: round(value),
    baseline: baseline === null ? null : round(baseline),
    ratio: baseline === null ? null : round(value / baseline),
  };
}

/** Four digits are more than a noisy machine can promise. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** @returns whether the line meets its target; undefined where it has none. */
export function meets(line: Result): boolean | undefined {
  const target = TARGETS[line.name];
  if (!target) return undefined;
  const measured = target.of === "ratio" ? line.ratio : line.value;
  if (measured === null) return false;
  return target.at === "least" ? measured >= target.limit[line.engine] : measured <= target.limit[line.engine];
}

export function targetText(line: Result): string {
  const target = TARGETS[line.name];
  if (!target) return "";
  return `${target.of} ${target.at === "least" ? "≥" : "≤"} ${target.limit[line.engine]}${target.of === "value" ? ` ${line.unit}` : ""}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which this share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const COLUMNS = ["name", "engine", "value", "unit", "baseline", "ratio", "target", ""] as const;

/** The lines as a table for people. */
export function table(lines: readonly Result[]): string {
  const rows = lines.map((line) => {
    const met = meets(line);
    return [
      line.name,
      line.engine,
      String(line.value),
      line.unit,
      String(line.baseline ?? ""),
      String(line.ratio ?? ""),
      targetText(line),
      met === undefined ? "" : met ? "pass" : "FAIL",
    ];
  });
  const all = [[...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
