/** One system call as strace wrote it: `pid time call(args) = result`. */
export interface SystemCall {
  readonly pid: string;
  /** Microseconds, as told by `-ttt`. */
  readonly began: number;
  readonly ended: number;
  readonly name: string;
  readonly text: string;
}

const WHOLE = /^(\d+) +(\d+\.\d+) (\w+)\((.*)\) += (-?\d+).*?(?:<(\d+\.\d+)>)?$/;
const UNFINISHED = /^(\d+) +(\d+\.\d+) (\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^(\d+) +(\d+\.\d+) <\.\.\. (\w+) resumed>(.*)\) += (-?\d+).*$/;

/** Reads what `strace -f -ttt -T -y` wrote. Calls that another thread interrupted in the output are put together again; failed ones are left out. */
export function readTrace(text: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, { began: number; text: string }>();
  for (const line of text.split("\n")) {
    const whole = WHOLE.exec(line);
    if (whole) {
      const began = Number(whole[2]) * 1e6;
      if (Number(whole[5]) >= 0) calls.push({ pid: whole[1]!, began, ended: began + Number(whole[6] ?? 0) * 1e6, name: whole[3]!, text: whole[4]! });
      continue;
    }
    const unfinished = UNFINISHED.exec(line);
    if (unfinished) {
      open.set(`${unfinished[1]} ${unfinished[3]}`, { began: Number(unfinished[2]) * 1e6, text: unfinished[4]! });
      continue;
    }
    const resumed = RESUMED.exec(line);
    const begun = resumed && open.get(`${resumed[1]} ${resumed[3]}`);
    if (resumed && begun && Number(resumed[5]) >= 0) {
      calls.push({ pid: resumed[1]!, began: begun.began, ended: Number(resumed[2]) * 1e6, name: resumed[3]!, text: begun.text + resumed[4]! });
    }
  }
  return calls.toSorted((a, b) => a.began - b.began);
}

const READS = ["read", "recvfrom", "recvmsg", "readv"];
const ANSWERS = ["write", "writev", "sendto", "sendmsg"];
const WRITES = ["write", "writev", "pwrite64", "pwritev"];
const SYNCS = ["fdatasync", "fsync"];

/**
 * The first sync of a write-ahead log that made the notification durable before it was answered; undefined when there is none. In this order:
 * the bytes arrive, a row that holds the marker is written to the log, the log is synced, the answer leaves.
 */
export function syncBetween(calls: readonly SystemCall[], marker: string): SystemCall | undefined {
  const isLog = (call: SystemCall): boolean => call.text.includes("-wal>");
  const arrived = calls.find((call) => READS.includes(call.name) && call.text.includes(marker));
  if (!arrived) return undefined;
  const answered = calls.find((call) => call.began > arrived.ended && ANSWERS.includes(call.name) && call.text.includes("HTTP/1.1 200"));
  const written = calls.find((call) => call.began > arrived.began && WRITES.includes(call.name) && isLog(call) && call.text.includes(marker));
  if (!answered || !written) return undefined;
  return calls.find((call) => SYNCS.includes(call.name) && isLog(call) && call.began > written.ended && call.ended < answered.began);
}
