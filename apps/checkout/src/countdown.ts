/** What to add to the device's clock to get the server's: the buyer's clock may be hours off. Milliseconds. */
export function clockOffset(server_time: string, device_now_ms: number): number {
  return Date.parse(server_time) - device_now_ms;
}

/** Milliseconds left until a moment, never below 0; undefined where there is no deadline. */
export function remaining(expires_at: string | null, server_now_ms: number): number | undefined {
  if (expires_at === null) return undefined;
  const end = Date.parse(expires_at);
  return Number.isNaN(end) ? undefined : Math.max(0, end - server_now_ms);
}

const two = (n: number): string => String(n).padStart(2, "0");

/** `14:59`, with hours `23:59:07`, with days `6d 04:00:00`; a started second counts, so that 00:00 is really the end. */
export function formatRemaining(left_ms: number, day: string): string {
  const seconds = Math.ceil(left_ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const clock = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  if (days > 0) return `${days}${day} ${two(hours)}:${clock}`;
  return hours > 0 ? `${two(hours)}:${clock}` : clock;
}

/** At these a screen reader is told how much is left; every second would be noise. */
export const WARN_AT_S: readonly number[] = [300, 60];

/** The warning whose threshold lies between the previous and the present remaining time; undefined where none does. */
export function warningBetween(before_ms: number, now_ms: number): number | undefined {
  return WARN_AT_S.findLast((s) => before_ms > s * 1000 && now_ms <= s * 1000 && now_ms > 0);
}

/** Little enough to be shown as urgent. */
export function isUrgent(left_ms: number): boolean {
  return left_ms <= 120_000;
}
