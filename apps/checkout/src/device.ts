/** What a browser says about its machine. */
export interface Hints {
  readonly userAgent: string;
  readonly maxTouchPoints: number;
  readonly mobile?: boolean;
}

/**
 * Whether the wallet app is likely on this very device. An iPad calls itself a Mac but has a touch screen.
 * Only the order of what is shown hangs on it: both ways of paying are there in either case.
 */
export function isHandheld({ userAgent, maxTouchPoints, mobile }: Hints): boolean {
  if (mobile === true || /Android|iPhone|iPad|iPod|Mobile/iu.test(userAgent)) return true;
  return userAgent.includes("Macintosh") && maxTouchPoints > 1;
}
