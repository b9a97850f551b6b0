import type { ReactElement } from "react";
import type { OrderStatus } from "../../server/views.ts";
import { useTexts } from "../lib/texts.ts";

/** The order's status. `data-status` is the word of the API, the text that of the buyer's language. */
export function Status({ status, testId = "order-status" }: { status: OrderStatus; testId?: string }): ReactElement {
  const t = useTexts();
  return (
    <span className={`status status-${status}`} data-testid={testId} data-status={status}>
      {t.statuses[status]}
    </span>
  );
}

export function Problem({ error, retry }: { error: Error; retry?: () => void }): ReactElement {
  const t = useTexts();
  return (
    <div className="problem" role="alert" data-testid="error-message">
      <span>{error.message}</span>
      {retry && (
        <button type="button" className="quiet" onClick={retry}>
          {t.retry}
        </button>
      )}
    </div>
  );
}

export function Loading(): ReactElement {
  return <p className="muted">{useTexts().loading}</p>;
}
