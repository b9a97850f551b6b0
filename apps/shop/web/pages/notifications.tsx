import type { ReactElement } from "react";
import type { NotificationView } from "../../server/views.ts";
import { api } from "../lib/api.ts";
import { useTexts } from "../lib/texts.ts";
import { useLoaded } from "../lib/use-loaded.ts";
import { Link } from "../parts/link.tsx";
import { Loading, Problem } from "../parts/small.tsx";

const POLL_MS = 2_000;

/** Indented where it is JSON; as it came where it is not. React escapes it either way. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function Entry({ entry }: { entry: NotificationView }): ReactElement {
  const t = useTexts();
  const known = entry.order_id !== null && entry.outcome !== "unknown_order";
  return (
    <li data-testid="notification" data-outcome={entry.outcome} data-type={entry.event_type ?? ""} data-order={entry.order_id ?? ""}>
      <details>
        <summary>
          <span className={`status outcome-${entry.outcome}`}>{t.outcomes[entry.outcome]}</span>
          <strong>{entry.event_type ?? entry.detail ?? "–"}</strong>
          <span className="muted grow">
            {entry.order_id}
            {entry.sequence !== null && ` · #${entry.sequence}`}
          </span>
          <time className="muted" dateTime={new Date(entry.received_at).toISOString()}>
            {new Date(entry.received_at).toLocaleTimeString("en-GB")}
          </time>
        </summary>
        <p className="muted">
          webhook-id: {entry.webhook_id ?? "–"} {entry.detail && `· ${entry.detail}`}{" "}
          {known && <Link href={`/orders/${entry.order_id}`}>{t.seeOrder}</Link>}
        </p>
        <pre>{pretty(entry.body)}</pre>
      </details>
    </li>
  );
}

export function NotificationsPage(): ReactElement {
  const t = useTexts();
  const log = useLoaded(api.notifications, POLL_MS);
  return (
    <>
      <h1>{t.notifications}</h1>
      <p className="muted">{t.notificationsNote}</p>
      {log.error && <Problem error={log.error} retry={log.reload} />}
      {!log.value && !log.error && <Loading />}
      {log.value?.length === 0 && <p className="muted">{t.noNotifications}</p>}
      <ul className="rows log">
        {log.value?.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ul>
    </>
  );
}
