/**
 * Errors of lift64 itself (guest faults are exit reasons, errnos are return values: neither is an exception).
 * In: nothing. Out: error classes that carry the process exit code of DESIGN.md section 8.
 */

/** Exit codes of lift64's own failures. */
export const EXIT_INTERNAL = 125;
export const EXIT_NOT_EXECUTABLE = 126;
export const EXIT_NOT_FOUND = 127;

/** A failure that ends lift64 with one clear line on stderr and `exitCode`. */
export class Lift64Error extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Bad usage: exit 125. */
export class UsageError extends Lift64Error {
  constructor(message: string) {
    super(message, EXIT_INTERNAL);
  }
}

/** The program can't be run: 126 not executable or wrong format, 127 not found. */
export class ProgramError extends Lift64Error {}

/** A bug of lift64. `details` are the lines of the report: pc, TB, IR, the command that reproduces it. */
export class InternalError extends Lift64Error {
  constructor(
    message: string,
    readonly details: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, EXIT_INTERNAL, options);
  }
}

/** Frames of the stack that a report shows of an exception that nobody expected. */
const FRAMES = 8;

export const framesOf = (error: Error): string[] =>
  (error.stack ?? '')
    .split('\n')
    .slice(1, 1 + FRAMES)
    .map((line) => line.trim());
