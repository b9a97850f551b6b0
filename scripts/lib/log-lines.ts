/** pino's number for "warn". */
const WARN = 40;

/**
 * Whether a line of a service is shown while all is well: warnings and errors of the JSON log, and whatever else came on stderr.
 * What a program prints on stdout by itself (a greeting) is not: the starter has its own.
 */
export function isWorthShowing(line: string, is_error: boolean): boolean {
  if (line.trim() === "") return false;
  if (!line.startsWith("{")) return is_error;
  try {
    const { level } = JSON.parse(line) as { level?: unknown };
    return typeof level === "number" ? level >= WARN : is_error;
  } catch {
    return is_error;
  }
}
