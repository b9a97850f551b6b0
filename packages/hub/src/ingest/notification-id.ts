const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const CHARS = 22;

/** The public id of a notification: its number in the inbox, in the alphabet of all ids, so that it sorts. */
export function notificationId(seq: number): string {
  let rest = BigInt(seq);
  let text = "";
  for (let i = 0; i < CHARS; i += 1) {
    text = ALPHABET[Number(rest & 31n)]! + text;
    rest >>= 5n;
  }
  return `ntf_${text}`;
}

/** The number behind a public id, or undefined for what is no such id. */
export function notificationSeq(id: string): number | undefined {
  const match = /^ntf_([0-9a-hjkmnp-tv-z]{22})$/.exec(id);
  if (!match) return undefined;
  let seq = 0n;
  for (const character of match[1]!) seq = (seq << 5n) | BigInt(ALPHABET.indexOf(character));
  return seq <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seq) : undefined;
}
