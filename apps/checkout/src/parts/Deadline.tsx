import { formatRemaining, isUrgent } from "../countdown.ts";
import { formatMoment } from "../format.ts";
import { useMinutesWarning } from "../hooks.ts";
import { useSpeech } from "../texts/index.ts";
import { ClockIcon } from "./icons.tsx";

interface DeadlineProps {
  readonly expires_at: string | null;
  readonly left_ms: number | undefined;
}

/** How long is left by the server's clock. Seen every second, heard at five minutes and at one. */
export function Deadline({ expires_at, left_ms }: DeadlineProps) {
  const { texts, language } = useSpeech();
  const minutes = useMinutesWarning(left_ms);
  if (left_ms === undefined || expires_at === null) return null;
  if (left_ms === 0) {
    return (
      <output className="deadline deadline-urgent" data-testid="time-up">
        <ClockIcon size={16} /> {texts.pay.time_up}
      </output>
    );
  }
  return (
    <>
      <p
        className={isUrgent(left_ms) ? "deadline deadline-urgent" : "deadline"}
        title={texts.pay.pay_before(formatMoment(Date.parse(expires_at), language))}
      >
        <ClockIcon size={16} /> {texts.pay.pay_within}{" "}
        <time role="timer" aria-live="off" dateTime={expires_at} data-testid="countdown">
          {formatRemaining(left_ms, texts.page.day)}
        </time>
      </p>
      <output className="unseen">{minutes !== undefined && texts.pay.minutes_left(minutes)}</output>
    </>
  );
}
