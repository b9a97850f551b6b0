import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { buildConnector } from "undici";
import { type Cidr, forbiddenAddress } from "./ranges.ts";

/** The guard said no: it is ours, not the other side's. */
export class BlockedError extends Error {
  override name = "BlockedError";
  readonly code = "LUNAS_BLOCKED";
}

/** All addresses of a name. Rejects, with Node's DNS error codes, when it has none. */
export type Resolver = (hostname: string) => Promise<{ address: string; family: number }[]>;

export const systemResolver: Resolver = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A connector for undici that connects only where it may. A name is resolved once, every address of it is judged, and the connection
 * goes to exactly an address that was judged; a literal address, which needs no look-up, is judged too; and the address that the socket
 * ends up with is judged once more. Only HTTP/1.1 is spoken.
 */
export function guardedConnector(allow: readonly Cidr[], resolver: Resolver = systemResolver): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false,
    lookup: guardedLookup(allow, resolver),
  } as buildConnector.BuildOptions);
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
      const why = forbiddenBound(socket as Socket, allow);
      if (why === undefined) return callback(...result);
      socket.destroy();
      return callback(new BlockedError(why), null);
    });
  };
}

/** Node's lookup for a socket. One forbidden address among many refuses them all: a name that has both is not to be trusted. */
function guardedLookup(allow: readonly Cidr[], resolver: Resolver): LookupFunction {
  return (hostname, options, callback) => {
    resolver(hostname).then(
      (addresses) => {
        if (addresses.length === 0) {
          callback(Object.assign(new Error(`${hostname} has no address`), { code: "ENOTFOUND" }), "", 0);
        } else if (addresses.some(({ address }) => forbiddenAddress(address, allow) !== undefined)) {
          // Which address it was is not told: an inner name server's answers are no business of a shop's.
          callback(new BlockedError(`${hostname} leads to an address that is not allowed`), "", 0);
        } else if (options.all) {
          callback(null, addresses);
        } else {
          callback(null, addresses[0]!.address, addresses[0]!.family);
        }
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
}

function forbiddenBound(socket: Socket, allow: readonly Cidr[]): string | undefined {
  const bound = socket.remoteAddress;
  if (bound === undefined) return "the connection has no address";
  // A socket of the IPv6 family shows an IPv4 peer in its mapped form; here that is no disguise but the system's spelling.
  return forbiddenAddress(bound.replace(/^::ffff:(?=\d+\.)/i, ""), allow);
}
