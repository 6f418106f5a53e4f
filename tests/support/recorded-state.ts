/** What the states of all native runners have (tests/vectors/src/run-*.c): general registers, flags, how it ended. In: bytes, little-endian, in a runner's layout. Out: named fields. */

const GPR = 0;
const RFLAGS = 128;

/** Where the signal that ended it is, with its si_code behind it, and si_addr: offsets in bytes. */
export interface EndLayout {
  readonly SIGNAL: number;
  readonly ADDRESS: number;
}

export abstract class RecordedState {
  readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    private readonly end: EndLayout,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  gpr(n: number): bigint {
    return this.view.getBigUint64(GPR + 8 * n, true);
  }
  setGpr(n: number, value: bigint): void {
    this.view.setBigUint64(GPR + 8 * n, BigInt.asUintN(64, value), true);
  }

  get rflags(): number {
    return this.view.getUint32(RFLAGS, true);
  }
  set rflags(value: number) {
    this.view.setUint32(RFLAGS, value, true);
  }

  /** Signal that was raised, 0 none; its si_code and si_addr. */
  get signal(): number {
    return this.view.getUint32(this.end.SIGNAL, true);
  }
  get code(): number {
    return this.view.getInt32(this.end.SIGNAL + 4, true);
  }
  get address(): bigint {
    return this.view.getBigUint64(this.end.ADDRESS, true);
  }
  setSignal(signal: number, code: number, address: bigint): void {
    this.view.setUint32(this.end.SIGNAL, signal, true);
    this.view.setInt32(this.end.SIGNAL + 4, code, true);
    this.view.setBigUint64(this.end.ADDRESS, BigInt.asUintN(64, address), true);
  }
}

/** How a run's state begins, with rip: offsets in bytes. */
export const RUN_HEAD = { GPR, RFLAGS, RIP: 136, SIGNAL: 144, CODE: 148, ADDRESS: 152 } as const;

/** State of a run of several instructions: rip counts. */
export abstract class RunState extends RecordedState {
  constructor(bytes: Uint8Array) {
    super(bytes, RUN_HEAD);
  }

  get rip(): number {
    return Number(this.view.getBigUint64(RUN_HEAD.RIP, true));
  }
  set rip(value: number) {
    this.view.setBigUint64(RUN_HEAD.RIP, BigInt(value), true);
  }
}
