/** What guest threads ask of the main thread about sockets (net-service.ts): messages that are posted and return at once. In: nothing. Out: types. */
import type { Membership, Multicast } from './multicast.js';

interface Place {
  readonly socket: number;
  /** Text of an IP address. */
  readonly host: string;
  readonly port: number;
}

/** A place to bind to: a port, 0 for any. */
interface OwnPlace extends Place {
  readonly v6only: boolean;
}

export type NetRequest =
  /** Something has changed about a proxy: look at its ring and its state. */
  | { readonly kind: 'look'; readonly socket: number }
  /** Makes the socket file of a Unix socket; the result is the socket's. */
  | { readonly kind: 'bind-path'; readonly socket: number; readonly path: string; readonly mode: number }
  /** Takes a TCP port of the host for a socket; the result is the port. Connections are refused until the socket listens. */
  | ({ readonly kind: 'reserve' } & OwnPlace)
  /** The socket needs its port no more. */
  | { readonly kind: 'release'; readonly socket: number }
  /** Connects `proxy`, the other end of `socket`, to a place of the host. */
  | ({
      readonly kind: 'connect';
      readonly proxy: number;
      readonly localPort: number;
      readonly localHost: string;
    } & Place)
  /** Takes a UDP port of the host: `proxy` sends for the socket. The result is the port. */
  | ({
      readonly kind: 'udp';
      readonly proxy: number;
      readonly reuse: boolean;
      readonly broadcast: boolean;
    } & OwnPlace & {
        readonly multicast: Multicast;
        readonly groups: readonly Membership[];
      })
  /** Finds the address from which datagrams to a place are sent: stored as the socket's own. */
  | ({ readonly kind: 'route' } & Place)
  /** How datagrams to multicast groups are sent. */
  | ({ readonly kind: 'multicast'; readonly socket: number; readonly proxy: number } & Multicast)
  /** Joins or leaves a multicast group. */
  | {
      readonly kind: 'group';
      readonly socket: number;
      readonly proxy: number;
      readonly group: string;
      readonly on: string;
      readonly join: boolean;
    };
