/** What guest threads ask of the main thread about sockets (net-service.ts): messages that are posted and return at once. In: nothing. Out: types. */

export type NetRequest =
  /** Something has changed about a proxy: look at its ring and its state. */
  | { readonly kind: 'look'; readonly socket: number }
  /** Makes the socket file of a Unix socket; the result is the socket's. */
  | { readonly kind: 'bind-path'; readonly socket: number; readonly path: string; readonly mode: number };
