import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { callbackify } from "node:util";
import { buildConnector } from "undici";
import { type Cidr, forbiddenAddress } from "./ranges.ts";
import type { Resolver } from "./resolver.ts";

/** The guard said no: it is ours, not the other side's. */
export class BlockedError extends Error {
  override name = "BlockedError";
  readonly code = "LUNAS_BLOCKED";
}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A connector for undici that connects only where it may. A name is resolved once, every address of it is judged, and the connection
 * goes to exactly an address that was judged; a literal address, which needs no look-up, is judged too; and the address that the socket
 * ends up with is judged once more. Only HTTP/1.1 is spoken.
 */
export function guardedConnector(allow: readonly Cidr[], resolver: Resolver): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false,
    lookup: guardedLookup(allow, resolver),
  });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, "");
    const refused = isIP(host) ? forbiddenAddress(host, allow) : undefined;
    if (refused !== undefined) {
      callback(new BlockedError(refused), null);
      return;
    }
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error || !socket) return callback(...result);
      const why = forbiddenBound(socket, allow);
      if (why === undefined) return callback(...result);
      socket.destroy();
      return callback(new BlockedError(why), null);
    });
  };
}

/** Node's lookup for a socket. One forbidden address among many refuses them all: a name that has both is not to be trusted. */
function guardedLookup(allow: readonly Cidr[], resolver: Resolver): LookupFunction {
  const judged = callbackify(async (hostname: string): Promise<LookupAddress[]> => {
    const addresses = await resolver(hostname);
    if (addresses.length === 0) throw Object.assign(new Error(`${hostname} has no address`), { code: "ENOTFOUND" });
    // Which address it was is not told: an inner name server's answers are no business of a shop's.
    const refused = addresses.some(({ address }) => forbiddenAddress(address, allow) !== undefined);
    if (refused) throw new BlockedError(`${hostname} leads to an address that is not allowed`);
    return addresses;
  });
  return (hostname, options, callback) => {
    judged(hostname, (error, addresses) => {
      if (error) callback(error, "", 0);
      else if (options.all) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

function forbiddenBound(socket: Socket, allow: readonly Cidr[]): string | undefined {
  const bound = socket.remoteAddress;
  if (bound === undefined) return "the connection has no address";
  // A socket of the IPv6 family shows an IPv4 peer in its mapped form; here that is no disguise but the system's spelling.
  return forbiddenAddress(bound.replace(/^::ffff:(?=\d+\.)/i, ""), allow);
}
