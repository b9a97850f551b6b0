import { useCallback, useEffect, useRef, useState } from "react";

export interface Loaded<T> {
  value: T | undefined;
  error: Error | undefined;
  reload: () => void;
}

/** Loads once, and again every `every_ms` while that is given. A failed reload keeps what was there. `load` must be stable. */
export function useLoaded<T>(load: () => Promise<T>, every_ms?: number): Loaded<T> {
  const [value, setValue] = useState<T>();
  const [error, setError] = useState<Error>();
  // Answers may overtake one another: one to an older question than the last that was answered does not count.
  const turns = useRef({ asked: 0, answered: 0 });

  const reload = useCallback(() => {
    const turn = (turns.current.asked += 1);
    const settle = (then: () => void): void => {
      if (turn < turns.current.answered) return;
      turns.current.answered = turn;
      then();
    };
    load().then(
      (loaded) => settle(() => (setValue(loaded), setError(undefined))),
      (failure: Error) => settle(() => setError(failure)),
    );
  }, [load]);

  useEffect(() => {
    reload();
    if (every_ms === undefined) return;
    const timer = setInterval(reload, every_ms);
    return () => clearInterval(timer);
  }, [reload, every_ms]);

  return { value, error, reload };
}
