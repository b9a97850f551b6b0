import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { remaining, warningBetween } from "./countdown.ts";

/** The server's time, told anew every second. */
export function useServerNow(offset_ms: number): number {
  const [device_ms, setDevice] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setDevice(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  // Between two ticks an answer may move the offset; the sum stays right to a second.
  return device_ms + offset_ms;
}

/** Whether a media query holds, and again whenever that changes. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (changed: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** Moves the focus to the heading when `step` changes, so that a screen reader starts at the new step; not on the first one. */
export function useStepFocus(step: string): React.RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef<string>(undefined);
  useEffect(() => {
    if (shown.current !== undefined && shown.current !== "loading" && shown.current !== step) {
      heading.current?.focus({ preventScroll: true });
      window.scrollTo({ top: 0 });
    }
    shown.current = step;
  }, [step]);
  return heading;
}

/** Calls `ended` once when the deadline passes while it is watched. */
export function useDeadline(expires_at: string | null, now_ms: number, ended: () => void): number | undefined {
  const left = remaining(expires_at, now_ms);
  const told = useRef<string>(undefined);
  useEffect(() => {
    if (left !== 0 || expires_at === null || told.current === expires_at) return;
    told.current = expires_at;
    ended();
  }, [left, expires_at, ended]);
  return left;
}

/** The number of minutes to tell a screen reader, at the thresholds only. */
export function useMinutesWarning(left_ms: number | undefined): number | undefined {
  const before = useRef(left_ms);
  const [minutes, setMinutes] = useState<number>();
  useEffect(() => {
    const crossed = before.current !== undefined && left_ms !== undefined ? warningBetween(before.current, left_ms) : undefined;
    if (crossed !== undefined) setMinutes(crossed / 60);
    before.current = left_ms;
  }, [left_ms]);
  return minutes;
}
