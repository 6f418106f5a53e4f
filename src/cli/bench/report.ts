/** What `lift64 bench` found: the JSON of --json, and what table and page are made of. In: nothing. Out: the type. */
import type { Engine } from './engines.js';
import type { Row } from './measure.js';

/** One run of the command. */
export interface Report {
  readonly date: string;
  readonly host: string;
  readonly node: string;
  readonly command: string;
  readonly runs: number;
  /** `node -e 0`, seconds: what every start of lift64 pays before it begins. */
  readonly nodeStart: number;
  readonly engines: readonly Engine[];
  readonly skipped: readonly string[];
  readonly rows: readonly Row[];
  readonly geometricMeans: Readonly<Record<string, Readonly<Record<string, number | undefined>>>>;
}
