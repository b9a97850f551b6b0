import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { buildConnector } from "undici";
import { type Cidr, forbiddenAddress } from "./ranges.ts";

/** The guard said no: it is ours, not the other side's. */
export class BlockedError extends Error {
  override name = "BlockedError";
  readonly code = "LUNAS_BLOCKED";
}

export type Resolver = (hostname: string) => Promise<{ address: string; family: number }[]>;

const systemResolver: Resolver = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A connector for undici that connects only where it may. A name is resolved once, every address of it is judged, and the connection
 * goes to exactly an address that was judged; a literal address, which needs no look-up, is judged too; and the address that the socket
 * ends up with is judged once more.
 */
export function guardedConnector(allow: readonly Cidr[], resolver: Resolver = systemResolver): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolver(hostname).then(
      (addresses) => {
        const refused = addresses.map(({ address }) => forbiddenAddress(address, allow)).find((why) => why !== undefined);
        if (refused !== undefined || addresses.length === 0) {
          callback(new BlockedError(refused === undefined ? `${hostname} has no address` : `${hostname}: ${refused}`), "", 0);
        } else if (options.all) {
          callback(null, addresses as never);
        } else {
          callback(null, addresses[0]!.address, addresses[0]!.family);
        }
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup } as buildConnector.BuildOptions);
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
      const bound = (socket as Socket).remoteAddress;
      const why = bound === undefined ? "the connection has no address" : forbiddenAddress(bound, allow);
      if (why === undefined) return callback(...result);
      socket.destroy();
      return callback(new BlockedError(why), null);
    });
  };
}
