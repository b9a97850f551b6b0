import { useCallback, useEffect, useMemo, useReducer, useRef } from "react";
import { type Answer, createApi } from "./api.ts";
import { isState } from "./contract.ts";
import { follow, openEventSource } from "./follow.ts";
import { type Model, reduce, START } from "./model.ts";

export interface Checkout {
  readonly model: Model;
  open(method: string, account: string): void;
  /** Makes the hub ask the gateway now, and says what came of it. */
  check(): void;
  chooseAgain(): void;
  keepPayment(): void;
}

/** The live payment behind `base` (`/pay/{token}`): everything shown comes from the hub, nothing is kept in the browser. */
export function useCheckout(base: string): Checkout {
  const [model, dispatch] = useReducer(reduce, START);
  const api = useMemo(() => createApi(base, (input, init) => fetch(input, init)), [base]);

  const open_payment = useRef(false);
  useEffect(() => {
    open_payment.current = isOpen(model);
  }, [model]);

  const take = useCallback((answer: Answer): boolean => {
    if (answer.kind === "state") dispatch({ type: "received", state: answer.state, now_ms: Date.now() });
    else if (answer.kind === "missing") dispatch({ type: "missing" });
    else dispatch({ type: "unreachable" });
    return answer.kind === "state";
  }, []);

  useEffect(() => {
    const following = follow({
      openStream: (events) => openEventSource(api.events_url, events),
      ask: async () => void take(await api.state()),
      received: (data) => {
        const state = parse(data);
        if (isState(state)) dispatch({ type: "received", state, now_ms: Date.now() });
      },
      after: (ms, call) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
    });
    const lost = (): void => dispatch({ type: "unreachable" });
    // Back from the wallet app: the hub asks the gateway, which also finds what no notification told.
    const back = (): void => {
      if (document.visibilityState !== "visible") return;
      if (!open_payment.current) following.nudge();
      else void api.refresh().then((answer) => (answer.kind === "state" ? take(answer) : following.nudge()));
    };
    document.addEventListener("visibilitychange", back);
    window.addEventListener("online", following.nudge);
    window.addEventListener("offline", lost);
    return () => {
      following.stop();
      document.removeEventListener("visibilitychange", back);
      window.removeEventListener("online", following.nudge);
      window.removeEventListener("offline", lost);
    };
  }, [api, take]);

  const open = useCallback(
    (method: string, account: string) => {
      dispatch({ type: "opening", method });
      void api.open(method, account).then(async (answer) => {
        if (answer.kind === "state") return dispatch({ type: "opened", state: answer.state, now_ms: Date.now() });
        const problem = answer.kind === "problem" ? answer : undefined;
        dispatch({ type: "refused", code: problem?.code ?? "unreachable", request_id: problem?.request_id });
        // Whatever became of it stands in the hub.
        take(await api.state());
      });
    },
    [api, take],
  );

  const check = useCallback(() => {
    dispatch({ type: "checking" });
    void api.refresh().then((answer) => {
      if (answer.kind !== "problem") take(answer);
      dispatch({ type: "checked", answered: answer.kind === "state" });
    });
  }, [api, take]);

  const chooseAgain = useCallback(() => dispatch({ type: "choose_again" }), []);
  const keepPayment = useCallback(() => dispatch({ type: "keep_payment" }), []);
  return { model, open, check, chooseAgain, keepPayment };
}

/** The gateway may know more of its payment than the hub does. */
function isOpen({ state }: Model): boolean {
  const status = state?.payment?.status;
  return status === "submitted" || status === "pending" || status === "authorized";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
