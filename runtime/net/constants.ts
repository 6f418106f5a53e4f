/** Numbers of the socket interface. In: nothing. Out: constants of x86-64 Linux. Source: man 2 socket, man 7 socket, ip, ipv6, tcp, udp, unix, netlink; the kernel's uapi headers. */

export const AF = { UNSPEC: 0, UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const;

export const SOCK = {
  STREAM: 1,
  DGRAM: 2,
  RAW: 3,
  SEQPACKET: 5,
  TYPE_MASK: 0xf,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
} as const;

export const MSG = {
  OOB: 0x1,
  PEEK: 0x2,
  DONTROUTE: 0x4,
  CTRUNC: 0x8,
  TRUNC: 0x20,
  DONTWAIT: 0x40,
  EOR: 0x80,
  WAITALL: 0x100,
  ERRQUEUE: 0x2000,
  NOSIGNAL: 0x4000,
  MORE: 0x8000,
  WAITFORONE: 0x1_0000,
  CMSG_CLOEXEC: 0x4000_0000,
} as const;

export const SOL = { IP: 0, SOCKET: 1, TCP: 6, UDP: 17, IPV6: 41, NETLINK: 270 } as const;
export const SCM = { RIGHTS: 1, CREDENTIALS: 2 } as const;
/** Most descriptors of one message. */
export const SCM_MAX_FD = 253;
export const SOMAXCONN = 4096;
/** Bits of shutdown: how + 1. */
export const SHUT = { RECEIVE: 1, SEND: 2, BOTH: 3 } as const;
