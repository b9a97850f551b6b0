import { useSyncExternalStore } from "react";

/** A value kept in the browser and shared by all parts of the page. What cannot be read (an older shape, no storage) is the start value. */
export function stored<T>(key: string, start: T) {
  const listeners = new Set<() => void>();
  let value = read();

  function read(): T {
    try {
      const text = localStorage.getItem(key);
      return text === null ? start : (JSON.parse(text) as T);
    } catch {
      return start;
    }
  }

  function set(next: T): void {
    value = next;
    try {
      localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // A browser without storage keeps it as long as the page is open.
    }
    for (const listener of listeners) listener();
  }

  function subscribe(listener: () => void): () => void {
    // Another tab of the same shop has changed it.
    const elsewhere = (event: StorageEvent): void => {
      if (event.key !== key) return;
      value = read();
      listener();
    };
    listeners.add(listener);
    addEventListener("storage", elsewhere);
    return () => {
      listeners.delete(listener);
      removeEventListener("storage", elsewhere);
    };
  }

  return { get: () => value, set, use: (): T => useSyncExternalStore(subscribe, () => value) };
}
